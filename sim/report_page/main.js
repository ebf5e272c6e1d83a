// What the reader does: zoom, move, search, filter, select.

let isDrawAsked = false;
function ask() {
  if (isDrawAsked) return;
  isDrawAsked = true;
  requestAnimationFrame(() => { isDrawAsked = false; drawAll(); });
}

const marginOf = (size) => size * .015;
function look(from, to) {
  const last = model.scale.last || 1, least = 40;  // places are nanoseconds where nothing is shortened
  const size = Math.min(Math.max(to - from, least), last + 2 * marginOf(last));
  const middle = (from + to) / 2, margin = marginOf(Math.max(last, size));
  view.from = Math.max(-margin, Math.min(middle - size / 2, last + margin - size));
  view.to = view.from + size;
  hideTip();
  ask();
}
const lookAtAll = () => look(-marginOf(model.scale.last), model.scale.last + marginOf(model.scale.last));
function zoom(factor, x = view.width / 2) {
  const place = view.from + x / view.width * (view.to - view.from);
  look(place - (place - view.from) * factor, place + (view.to - place) * factor);
}
function move(part) { const by = part * (view.to - view.from); look(view.from + by, view.to + by); }

// In view, with enough around it that it can be told from its neighbours. Of what takes long that is its beginning; of
// what a check objects to, its end.
function lookAt(i) {
  const around = 18, shown = model.shown, [start, end] = [model.startPlace[i], model.endPlace[i]];
  const focus = model.violatedRows.has(i) ? end : start;
  let at = Scale.find(shown, i);
  while (at + 1 < shown.length && model.startPlace[shown[at + 1]] <= focus) ++at;
  const neighbours = model.startPlace[shown[Math.min(shown.length - 1, at + around)]] - model.startPlace[shown[Math.max(0, at - around)]];
  const isWhole = (end - start) * 1.3 <= neighbours * 4;
  const near = isWhole ? Math.max(neighbours, (end - start) * 1.3) : neighbours, middle = isWhole ? (start + end) / 2 : focus;
  const x = xOf(middle), size = view.to - view.from;
  if (size > near * 4) look(middle - near / 2, middle + near / 2);
  else if (x < view.width * .06 || x > view.width * .94) look(middle - size / 2, middle + size / 2);
  const lane = laneOf.get(rows[i].n), box = $("lanes");
  if (lane === undefined) return;
  if (lane.top < box.scrollTop) box.scrollTop = lane.top;
  if (lane.top + lane.height > box.scrollTop + box.clientHeight) box.scrollTop = lane.top + lane.height - box.clientHeight;
}

function choose(i, isMoved) {
  model.chosen = i;
  model.kin = new Set(i < 0 ? [] : (rows[i].l ?? []).map(([, other]) => other));
  if (i >= 0 && isMoved) { if (model.isShown[i]) lookAt(i); }
  if (i >= 0) bringToList(i);
  fillPanel();
  fillList();
  ask();
}
function step(by) {
  if (model.shown.length === 0) return;
  const at = model.chosen < 0 ? (by > 0 ? -1 : 0) : Scale.find(model.shown, model.chosen);
  choose(model.shown[Math.max(0, Math.min(model.shown.length - 1, at + by))], true);
}

function showMatches() {
  const at = model.matches.indexOf(model.chosen);
  $("matches").textContent = model.query.trim() === "" ? "" : model.matches.length === 0 ? "no match" : (at < 0 ? "" : at + 1 + " / ") + model.matches.length;
}
function jump(by) {
  if (model.matches.length === 0) return;
  const next = by > 0 ? model.matches.find((i) => i > model.chosen) ?? model.matches[0] : model.matches.findLast((i) => i < model.chosen) ?? model.matches.at(-1);
  choose(next, true);
  showMatches();
}
function refresh() { showMatches(); fillList(); ask(); }

function hideTip() { $("tip").hidden = true; }
function showTip(i, x, y) {
  const tip = $("tip"), row = rows[i], stage = tip.parentElement.getBoundingClientRect();
  tip.replaceChildren(element("b", "", row.t), element("span", "", clockText(row.a) + " s" + (endOf(row) > row.a ? ", took " + spanText(endOf(row) - row.a) : "") + (isLost(row) ? ", " + row.f : "")));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x - stage.left + 14, stage.width - box.width - 6)) + "px";
  tip.style.top = (y - stage.top + 18 + box.height > stage.height ? y - stage.top - box.height - 10 : y - stage.top + 18) + "px";
}

function toggle(set, value) { if (!set.delete(value)) set.add(value); refilter(); refresh(); }

function makeTop() {
  const verdict = data.verdict.match(/verdict=(\S+)/)?.[1] ?? "";
  const failed = model.violations.length > 0;
  $("verdict").textContent = failed ? "failed: " + model.violations.map((check) => check.name).join(", ") : "all checks hold";
  $("verdict").classList.toggle("failed", failed);
  const figure = (name, value) => { const box = element("div"); box.append(element("dt", "", name), element("dd", "", value)); $("figures").append(box); };
  for (const word of data.verdict.split(" ")) {
    const [name, value] = word.split("=");
    if (value !== undefined && name !== "verdict") figure(name, name === "simulated" ? value + " s" : value);
  }
  if (verdict === "") figure("rows", rows.length);
  document.title = "statefs-sim " + data.verdict;
  document.querySelector("#plan pre").textContent = data.plan;
  for (const check of data.checks) {
    const line = element("tr");
    line.append(element("td", "", check.name), element("td", "", check.judged), element("td", check.failure ? "poor" : "", check.failure ? "violated" : "holds"));
    document.querySelector("#checks tbody").append(line);
  }
  for (const check of model.violations) {
    const banner = element("div", "banner");
    banner.append(element("b", "", check.name + " is violated"), element("span", "mono", check.failure));
    if (check.row !== undefined) {
      const button = element("button", "", "Show where");
      button.type = "button";
      button.addEventListener("click", () => choose(check.row, true));
      banner.append(button);
    }
    $("banners").append(banner);
  }
  if (data.dropped > 0) $("banners").append(element("div", "banner", data.dropped + " records were beyond what the tap keeps and are not shown."));
}

function makeKinds() {
  const counts = new Map();
  for (const row of rows) counts.set(row.k, (counts.get(row.k) ?? 0) + 1);
  $("kinds").replaceChildren();
  for (const kind of kinds) {
    if (!counts.has(kind.id)) continue;
    const button = element("button"), canvas = element("canvas");
    button.type = "button";
    button.dataset.kind = kind.id;
    button.title = "show or hide " + kind.name;
    button.setAttribute("aria-pressed", model.hiddenKinds.has(kind.id) ? "false" : "true");
    button.append(canvas, kind.name, element("i", "", counts.get(kind.id)));
    button.addEventListener("click", () => { toggle(model.hiddenKinds, kind.id); button.setAttribute("aria-pressed", model.hiddenKinds.has(kind.id) ? "false" : "true"); });
    $("kinds").append(button);
    drawGlyph(contextOf(canvas, 16, 12), kind.glyph, 8, 6, 4.5, colors[kind.color]);
  }
}

function makeLabels() {
  $("tall").style.height = lanesHeight + "px";
  for (const lane of lanes) {
    const label = element("div", "label"), button = element("button", "", "node " + lane.id);
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.title = "show or hide what is this node's alone";
    button.addEventListener("click", () => {
      toggle(model.hiddenNodes, lane.id);
      label.classList.toggle("off", model.hiddenNodes.has(lane.id));
      button.setAttribute("aria-pressed", model.hiddenNodes.has(lane.id) ? "false" : "true");
    });
    label.dataset.node = lane.id;
    label.style.top = lane.top + "px";
    label.style.height = lane.height + "px";
    const role = [lane.node.accepts ? "server" : "", lane.node.connects ? "client" : ""].filter(Boolean).join(", ");
    label.append(button, element("small", "", [role, lane.arrows + " sent"].filter(Boolean).join(" \u00b7 ")));
    if (lane.calls > 0) label.append(element("small", "", lane.calls + (lane.calls === 1 ? " call" : " calls")));
    $("labels").append(label);
  }
}

function watchChart() {
  const chart = $("chart");
  let held = null;
  const at = (event) => { const box = chart.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  chart.addEventListener("wheel", (event) => {
    if (event.shiftKey) return;  // the lanes scroll
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) move(event.deltaX / view.width);
    else zoom(Math.exp(Math.max(-300, Math.min(300, event.deltaY)) * .0025), at(event)[0]);
  }, {passive: false});
  chart.addEventListener("pointerdown", (event) => { held = {x: event.clientX, y: event.clientY, from: view.from, to: view.to, scroll: $("lanes").scrollTop, isMoved: false}; chart.setPointerCapture(event.pointerId); });
  chart.addEventListener("pointermove", (event) => {
    if (held !== null) {
      const dx = event.clientX - held.x;
      if (Math.hypot(dx, event.clientY - held.y) > 3) held.isMoved = true;
      if (!held.isMoved) return;
      chart.classList.add("moving");
      const by = -dx / view.width * (held.to - held.from);
      look(held.from + by, held.to + by);
      $("lanes").scrollTop = held.scroll - (event.clientY - held.y);
      return;
    }
    const found = rowAt(...at(event));
    chart.classList.toggle("pointing", found >= 0);
    if (found !== view.hovered) { view.hovered = found; ask(); }
    if (found >= 0) showTip(found, event.clientX, event.clientY); else hideTip();
  });
  chart.addEventListener("pointerup", (event) => {
    chart.classList.remove("moving");
    if (held !== null && !held.isMoved) choose(rowAt(...at(event)), false);
    held = null;
  });
  chart.addEventListener("pointerleave", () => { view.hovered = -1; hideTip(); ask(); });
  chart.addEventListener("dblclick", (event) => zoom(.4, at(event)[0]));
  $("lanes").addEventListener("scroll", ask);

  const overview = $("overview");
  const glide = (event) => {
    if (event.buttons === 0) return;
    const box = overview.getBoundingClientRect(), middle = (event.clientX - box.left) / box.width * model.scale.last, half = (view.to - view.from) / 2;
    look(middle - half, middle + half);
  };
  overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); glide(event); });
  overview.addEventListener("pointermove", glide);
  overview.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(event.deltaY * .0025)); }, {passive: false});
}

function setIdle(isShortened) {
  const [from, to] = [timeAt(0), timeAt(view.width)];
  $("idle").checked = isShortened;
  rescale(isShortened);
  look(model.scale.place(from), model.scale.place(to));
}

function watchKeys() {
  const keys = {
    "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1 / .6), ArrowLeft: () => move(-.15), ArrowRight: () => move(.15),
    ArrowUp: () => step(-1), ArrowDown: () => step(1), PageUp: () => step(-20), PageDown: () => step(20), Home: () => step(-Infinity), End: () => step(Infinity),
    f: lookAtAll, n: () => jump(1), N: () => jump(-1), i: () => setIdle(!$("idle").checked), "/": () => $("search").select(),
    v: () => { const check = model.violations.find((each) => each.row !== undefined); if (check) choose(check.row, true); },
    Escape: () => choose(-1, false),
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target === $("search");
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping && event.key !== "Escape")) return;
    if (["Enter", " "].includes(event.key) || keys[event.key] === undefined) return;
    event.preventDefault();
    if (isTyping) $("chart").focus({preventScroll: true}); else keys[event.key]();
  });
  $("search").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); jump(event.shiftKey ? -1 : 1); } });
  $("search").addEventListener("input", () => { research($("search").value); refresh(); });
  $("next").addEventListener("click", () => jump(1));
  $("previous").addEventListener("click", () => jump(-1));
  $("in").addEventListener("click", () => zoom(.5));
  $("out").addEventListener("click", () => zoom(2));
  $("fit").addEventListener("click", lookAtAll);
  $("idle").addEventListener("change", () => setIdle($("idle").checked));
  $("list").addEventListener("scroll", () => requestAnimationFrame(fillList));
  document.addEventListener("click", (event) => { for (const each of document.querySelectorAll("details.drop[open]")) if (!each.contains(event.target)) each.open = false; });
}

readColors();
rescale(true);
refilter();
makeTop();
makeKinds();
makeLabels();
watchChart();
watchKeys();
// The lanes as high as they are, where the list keeps a good part.
document.querySelector("main").style.setProperty("--stage", "min(72%, " + (lanesHeight + 62) + "px)");
view.width = $("chart").clientWidth;
lookAtAll();
const firstViolation = model.violations.find((check) => check.row !== undefined);
if (firstViolation !== undefined) choose(firstViolation.row, true); else choose(-1, false);
drawAll();
new ResizeObserver(() => { fillList(); ask(); }).observe($("lanes"));
new ResizeObserver(fillList).observe($("list"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColors(); makeKinds(); fillPanel(); fillList(); ask(); });

// For whoever looks from a console, and for tests.
window.report = {
  range: () => [timeAt(0), timeAt(view.width)],
  arrows: () => targets.filter((each) => isArrow(rows[each.row])).map((each) => ({...each, title: rows[each.row].t, kind: rows[each.row].k})),
  chosen: () => model.chosen, rows: rows.length, draw: drawAll,
};
