// The selected row in full, and the list of all rows, of which only those in view are elements.

const itemHeight = 21;
const $ = (id) => document.getElementById(id);

// Text of a run enters the page as text and in no other way.
function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const whereOf = (row) => (row.n ?? "?") + (isArrow(row) ? " \u2192 " + (row.d ?? "?") : "");
function outcomeOf(row) {
  if (isLost(row)) return [row.f, "poor"];
  if (row.k === "call" && row.e === undefined) return ["no completion", "poor"];
  if (row.s !== undefined && row.k !== "request") return [row.s, isGood(row.s) ? "" : "fair"];
  return ["", ""];
}

function hexText(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 16) {
    const pairs = hex.slice(at, at + 16).match(/../g) ?? [];
    const plain = pairs.map((pair) => { const code = parseInt(pair, 16); return code >= 32 && code < 127 ? String.fromCharCode(code) : "."; }).join("");
    lines.push((at / 2).toString(16).padStart(4, "0") + "  " + pairs.join(" ").padEnd(24) + " " + plain);
  }
  return lines.join("\n");
}

function fieldList(fields) {
  const list = element("dl", "fields");
  for (const [name, value] of fields) list.append(element("dt", "", name), element("dd", "", value === "" ? "\u2014" : value));
  return list;
}

function timesOf(row) {
  const times = [[isArrow(row) ? "sealed" : row.k === "call" ? "called" : "at", clockText(row.a) + " s"]];
  if (row.r !== undefined) times.push(["arrived", clockText(row.r) + " s  (+" + timeText(row.r - row.a) + ")"]);
  if (row.e !== undefined) times.push([isArrow(row) ? (row.f ?? "").startsWith("refused") ? "refused" : "opened" : "completed", clockText(row.e) + " s  (+" + timeText(row.e - row.a) + ")"]);
  if (row.f !== undefined && row.f !== "opened") times.push(["fate", row.f]);
  times.push(["node", row.n ?? "unknown"]);
  if (isArrow(row)) times.push(["to node", row.d ?? "unknown"]);
  if (row.c !== undefined) times.push(["stream", row.c]);
  if (row.p !== undefined) times.push(["entry", row.p]);
  return times.map(([name, value]) => [name, String(value)]);
}

function fillPanel() {
  const panel = $("panel");
  panel.replaceChildren();
  if (model.chosen < 0) {
    panel.append(element("h2", "", "Nothing selected"), element("p", "empty", "Select an arrow, a call or a mark in the lanes, or a row of the list, to see all of its fields."));
    return;
  }
  const row = rows[model.chosen], kind = kindOf.get(row.k);
  panel.append(element("h2", "", row.t));
  const line = element("div", "kind");
  const dot = element("span", "dot");
  dot.style.background = colorOf(row);
  line.append(dot, kind.name + (row.s !== undefined && row.k !== "request" ? " \u00b7 " + row.s : ""));
  panel.append(line);
  for (const check of model.violations) {
    if (check.row !== model.chosen) continue;
    const box = element("div", "objection");
    box.append(element("b", "", check.name + " is violated here: "), check.failure);
    panel.append(box);
  }
  panel.append(element("h3", "", "When and where"), fieldList(timesOf(row)));
  if ((row.F ?? []).length > 0) {
    panel.append(element("h3", "", isArrow(row) ? "Frame" : "Fields"));
    const fields = fieldList(row.F);
    fields.id = "fields";
    panel.append(fields);
  }
  if ((row.l ?? []).length > 0) {
    const links = element("div", "links");
    for (const [name, other] of row.l) {
      const button = element("button");
      button.type = "button";
      button.append(element("i", "", name), rows[other].t + "  " + clockText(rows[other].a));
      button.addEventListener("click", () => choose(other, true));
      links.append(button);
    }
    panel.append(element("h3", "", "Belongs to"), links);
  }
  if (row.h) {
    const shownSize = row.h.length / 2;
    panel.append(element("h3", "", row.z > shownSize ? "Bytes (the first " + shownSize + " of " + row.z + ")" : "Bytes (" + row.z + ")"), element("pre", "hex", hexText(row.h)));
  }
  panel.scrollTop = 0;
}

function fillList() {
  const list = $("list"), space = $("listspace");
  space.style.height = model.shown.length * itemHeight + "px";
  const first = Math.max(0, Math.floor(list.scrollTop / itemHeight) - 4);
  const last = Math.min(model.shown.length, first + Math.ceil(list.clientHeight / itemHeight) + 9);
  const items = [];
  for (let at = first; at < last; ++at) {
    const i = model.shown[at], row = rows[i];
    const item = element("div", "item");
    if (model.isMatch[i]) item.classList.add("match");
    if (i === model.chosen) item.classList.add("chosen");
    if (model.violatedRows.has(i)) item.classList.add("violated");
    item.id = "row" + i;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", i === model.chosen ? "true" : "false");
    item.style.top = at * itemHeight + "px";
    const what = element("span");
    const dot = element("i", "dot");
    dot.style.background = colorOf(row);
    what.append(dot, row.t);
    const [outcome, mood] = outcomeOf(row);
    item.append(element("span", "t", clockText(row.a)), element("span", "e", row.p ?? ""), element("span", "w", whereOf(row)), what, element("span", mood, outcome));
    item.addEventListener("click", () => choose(i, true));
    items.push(item);
  }
  space.replaceChildren(...items);
  list.setAttribute("aria-activedescendant", model.chosen < 0 ? "" : "row" + model.chosen);
}

// Scrolls the list so that a row is in it.
function bringToList(i) {
  $("listspace").style.height = model.shown.length * itemHeight + "px";
  const list = $("list"), at = Scale.find(model.shown, i) * itemHeight;
  if (at < list.scrollTop || at + itemHeight > list.scrollTop + list.clientHeight) list.scrollTop = at - list.clientHeight / 2;
}
