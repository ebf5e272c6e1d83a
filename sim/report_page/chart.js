// The canvases: overview, axis, lanes. Only what is in view is drawn, and of what falls on the same pixels one.

const colors = {};
function readColors() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["--paper", "--card", "--ink", "--quiet", "--faint", "--line", "--lane", "--lane-alt", "--accent", "--select", "--refusal", "--call-bad", "--opening",
    "--shaking", "--established", "--ending", "--bad", "--match", ...kinds.map((kind) => kind.color)]) colors[name] = style.getPropertyValue(name).trim();
}

const stateColors = {opening: "--opening", handshake: "--shaking", established: "--established", ending: "--ending"};
const view = {from: 0, to: 1, width: 0, height: 0, scroll: 0, hovered: -1};
let targets = [];  // what can be pointed at: {row, x0, y0, x1, y1}
let arrowCount = 0;

const canvasOf = (id) => document.getElementById(id);
function contextOf(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.max(1, Math.round(width * ratio)), high = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const xOf = (place) => (place - view.from) / (view.to - view.from) * view.width;
const xOfTime = (time) => xOf(model.scale.place(time));
const timeAt = (x) => model.scale.time(view.from + x / view.width * (view.to - view.from));

function colorOf(row) {
  if (row.k === "response" && !isGood(row.s)) return colors["--refusal"];
  if (row.k === "call") return colors[isGood(row.s) ? "--call" : "--call-bad"];
  return colors[kindOf.get(row.k).color];
}

// A mark's shape, round (x, y); `size` is about its radius.
function drawGlyph(context, glyph, x, y, size, color) {
  context.fillStyle = context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  switch (glyph) {
    case "arrow": case "dashed":
      context.setLineDash(glyph === "dashed" ? [3, 2] : []);
      context.moveTo(x - size * 1.5, y); context.lineTo(x + size, y); context.stroke();
      context.setLineDash([]);
      context.beginPath(); context.moveTo(x + size * 1.6, y); context.lineTo(x + size * .5, y - size * .7); context.lineTo(x + size * .5, y + size * .7); context.fill();
      break;
    case "bar": context.fillRect(x - size * 1.5, y - size * .7, size * 3, size * 1.4); break;
    case "diamond": context.moveTo(x, y - size); context.lineTo(x + size, y); context.lineTo(x, y + size); context.lineTo(x - size, y); context.fill(); break;
    case "square": context.fillRect(x - size * .8, y - size * .8, size * 1.6, size * 1.6); break;
    case "ring": context.arc(x, y, size * .75, 0, 7); context.stroke(); break;
    case "down": context.moveTo(x - size, y - size * .8); context.lineTo(x + size, y - size * .8); context.lineTo(x, y + size); context.fill(); break;
    case "bolt":
      context.moveTo(x + size * .5, y - size * 1.3); context.lineTo(x - size * .8, y + size * .3); context.lineTo(x, y + size * .3);
      context.lineTo(x - size * .5, y + size * 1.4); context.lineTo(x + size * .9, y - size * .4); context.lineTo(x, y - size * .4); context.fill();
      break;
    default: context.arc(x, y, size * .6, 0, 7); context.fill();
  }
}

// Steps of 1, 2, 5 times a power of ten, at least `pixels` apart.
function stepOf(pixels) {
  const least = pixels * (view.to - view.from) / view.width;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= least);
}

// Times with a tick: not within shortened idle times, whose ends have theirs.
function ticks() {
  const step = stepOf(84), from = timeAt(0), to = timeAt(view.width), found = [];
  let start = Math.max(from, 0);
  for (const [idle, busy] of [...model.scale.breaksBetween(from, to), [to, to]]) {
    for (let time = Math.ceil(start / step) * step; time <= Math.min(idle, to); time += step) found.push(time);
    start = busy;
  }
  return {step, found};
}

function drawAxis() {
  const context = contextOf(canvasOf("axis"), view.width, 24);
  const {step, found} = ticks();
  const [scale, name] = units.find(([each]) => step * 10 >= each) ?? units[3];
  // Long numbers are told as what comes on top of the first whole unit above.
  const above = scale * 1000, base = found.length > 0 && found[0] / scale >= 10000 ? Math.floor(found[0] / above) * above : 0;
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = colors["--quiet"];
  context.strokeStyle = colors["--faint"];
  const taken = flags(context).map((flag) => [flag.left, flag.left + flag.width]);
  const place = (left, right) => { if (taken.some((box) => left < box[1] + 6 && box[0] < right + 6)) return false; taken.push([left, right]); return true; };
  for (const time of found) {
    const x = xOfTime(time);
    context.beginPath(); context.moveTo(x, 18); context.lineTo(x, 24); context.stroke();
    const text = (base > 0 ? "+" : "") + Number(((time - base) / scale).toFixed(3)) + "\u202f" + name;
    if (place(x + 3, x + 3 + context.measureText(text).width)) context.fillText(text, x + 3, 15);
  }
  context.font = "italic 10px system-ui, sans-serif";
  context.textAlign = "center";
  for (const [idle, busy] of model.scale.breaksBetween(timeAt(0), timeAt(view.width))) {
    const x0 = xOfTime(idle), x1 = xOfTime(busy), text = spanText(busy - idle) + " idle", half = context.measureText(text).width / 2;
    if (x1 - x0 > 2 * half && place((x0 + x1) / 2 - half, (x0 + x1) / 2 + half)) context.fillText(text, (x0 + x1) / 2, 15);
  }
  context.textAlign = "left";
  drawFlags(context);
  const [low, high] = [timeAt(0), timeAt(view.width)];
  document.getElementById("range").textContent = (base > 0 ? clockText(base) + " s +" : spanText(high - low) + " in view");
}

function drawLaneGround(context) {
  const from = timeAt(0), to = timeAt(view.width);
  lanes.forEach((lane, i) => {
    const y = lane.top - view.scroll;
    if (y > view.height || y + lane.height < 0) return;
    context.fillStyle = colors[i % 2 === 0 ? "--lane" : "--lane-alt"];
    context.fillRect(0, y, view.width, lane.height);
  });
  context.fillStyle = colors["--line"];
  for (const time of ticks().found) context.fillRect(Math.round(xOfTime(time)), 0, 1, view.height);
  context.font = "10px system-ui, sans-serif";
  for (const [idle, busy] of model.scale.breaksBetween(from, to)) {
    const x = xOfTime(idle), width = xOfTime(busy) - x;
    context.save();
    context.beginPath(); context.rect(x, 0, width, view.height); context.clip();
    context.globalAlpha = .5; context.strokeStyle = colors["--line"]; context.lineWidth = 1;
    context.beginPath();
    for (let at = x - view.height % 8 - 8; at < x + width + 8; at += 8) for (let y = 0; y < view.height; y += 8) { context.moveTo(at + 4, y); context.lineTo(at, y + 8); }
    context.stroke();
    context.restore();
  }
  for (const lane of lanes) {
    const y = lane.top - view.scroll;
    if (y > view.height || y + lane.height < 0) continue;
    context.fillStyle = colors["--line"]; context.fillRect(0, y, view.width, 1);
    context.fillStyle = colors["--faint"]; context.fillRect(0, lane.base - view.scroll, view.width, 1);
    for (const [down, up] of downTimes.get(lane.id) ?? []) {
      const x0 = Math.max(-2, xOfTime(down)), x1 = Math.min(view.width + 2, xOfTime(up));
      if (x1 < 0 || x0 > view.width) continue;
      context.globalAlpha = .16; context.fillStyle = colors["--fault"]; context.fillRect(x0, y + 1, Math.max(2, x1 - x0), lane.height - 1); context.globalAlpha = 1;
      context.fillStyle = colors["--fault"];
      if (x1 - x0 > 44) context.fillText("down", x0 + 5, y + 14);
    }
  }
}

function drawStreams(context) {
  context.font = "10px system-ui, sans-serif";
  for (const stream of data.streams) {
    const lane = laneOf.get(stream.from);
    if (lane === undefined || model.hiddenNodes.has(stream.from) || model.hiddenKinds.has("stream")) continue;
    const y = lane.base - view.scroll + laneParts.streams - laneParts.base;
    if (y > view.height || y < -10) continue;
    let first = Infinity, last = -Infinity;
    for (const [state, a, b] of stream.spans) {
      const x0 = Math.max(-2, xOfTime(a)), x1 = Math.min(view.width + 2, xOfTime(b));
      if (x1 < 0 || x0 > view.width) continue;
      context.fillStyle = colors[stateColors[state]];
      context.fillRect(x0, y, Math.max(1.5, x1 - x0), 9);
      [first, last] = [Math.min(first, x0), Math.max(last, x1)];
      const text = state === "established" ? "stream " + stream.id : state;
      if (x1 - x0 > context.measureText(text).width + 10) { context.fillStyle = colors["--ink"]; context.fillText(text, Math.max(x0, 0) + 5, y + 8); }
    }
    if (last < -1 || last > view.width || stream.ending === undefined) continue;
    context.fillStyle = colors[stream.ending === "broken" || stream.ending === "refused" ? "--fault" : "--stream"];
    context.fillRect(last - 1.5, y - 2, 3, 13);
  }
}

function drawCalls(context) {
  context.font = "10px system-ui, sans-serif";
  for (let i = 0; i < rows.length; ++i) {
    const row = rows[i];
    if (row.k !== "call" || !model.isShown[i] || model.endPlace[i] < view.from || model.startPlace[i] > view.to) continue;
    const lane = laneOf.get(row.n);
    if (lane === undefined) continue;
    const y = lane.top - view.scroll + laneParts.calls + model.level[i] * laneParts.level;
    if (y > view.height || y < -laneParts.level) continue;
    const x0 = Math.max(-3, xOf(model.startPlace[i])), x1 = Math.min(view.width + 3, Math.max(xOf(model.endPlace[i]), x0 + 1.5));
    context.fillStyle = model.isMatch[i] ? colors["--match"] : colorOf(row);
    context.beginPath(); context.roundRect(x0, y, x1 - x0, laneParts.level - 2, 2.5); context.fill();
    if (row.e === undefined) { context.fillStyle = colors["--fault"]; context.fillRect(x1 - 3, y, 3, laneParts.level - 2); }
    if (i === model.chosen || i === view.hovered || model.violatedRows.has(i) || model.kin.has(i)) {
      context.strokeStyle = colors[model.violatedRows.has(i) ? "--bad" : "--select"]; context.lineWidth = 1.5; context.stroke();
    }
    targets.push({row: i, x0, y0: y + 6, x1, y1: y + 6, reach: 6});
    const left = Math.max(x0, 0), room = x1 - left - 8;
    if (room > 26) {
      context.save(); context.beginPath(); context.rect(left, y, x1 - left - 2, 14); context.clip();
      context.fillStyle = model.isMatch[i] ? "#1c2330" : colors["--ink"];
      context.fillText(row.t + (isGood(row.s) ? "" : " \u2192 " + row.s), left + 4, y + 9.5);
      context.restore();
    }
  }
}

function strokeArrow(context, strength, i, x0, y0, x1, y1, isLoud) {
  const row = rows[i];
  const color = isLoud === "match" ? colors["--match"] : colorOf(row);
  const lost = isLost(row);
  const reach = lost && row.e === undefined ? .62 : 1;
  const [ex, ey] = [x0 + (x1 - x0) * reach, y0 + (y1 - y0) * reach];
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = isLoud ? 2.4 : 1.2;
  context.globalAlpha = row.k === "keepalive" ? strength * .7 : strength;
  context.setLineDash(row.k === "bytes" || lost ? [4, 3] : []);
  context.beginPath(); context.moveTo(x0, y0); context.lineTo(ex, ey); context.stroke();
  context.setLineDash([]);
  if (lost) {
    context.strokeStyle = colors["--fault"]; context.lineWidth = 2; context.beginPath();
    context.moveTo(ex - 4, ey - 4); context.lineTo(ex + 4, ey + 4); context.moveTo(ex + 4, ey - 4); context.lineTo(ex - 4, ey + 4); context.stroke();
  } else {
    const angle = Math.atan2(ey - y0, ex - x0), size = isLoud ? 8 : 6;
    context.beginPath(); context.moveTo(ex, ey);
    context.lineTo(ex - size * Math.cos(angle - .42), ey - size * Math.sin(angle - .42));
    context.lineTo(ex - size * Math.cos(angle + .42), ey - size * Math.sin(angle + .42)); context.fill();
  }
  context.globalAlpha = 1;
}

// Arrows, fainter where there are many, and what they carry where there is room: above the lane of the end that
// connected, because the other end is the same for all.
function drawArrows(context) {
  const seen = new Set(), loud = [], plain = [];
  arrowCount = 0;
  for (let i = 0; i < rows.length; ++i) {
    const row = rows[i];
    if (!model.isShown[i] || model.endPlace[i] < view.from || model.startPlace[i] > view.to || !isArrow(row)) continue;
    const from = laneOf.get(row.n), to = laneOf.get(row.d) ?? from;
    if (from === undefined) continue;
    const y0 = from.base - view.scroll, y1 = to === from ? y0 + 16 : to.base - view.scroll;
    if (Math.max(y0, y1) < 0 || Math.min(y0, y1) > view.height) continue;
    ++arrowCount;
    const x0 = xOf(model.startPlace[i]);
    const x1 = row.e === undefined && row.r === undefined ? x0 + 10 : xOf(model.endPlace[i]);
    const isLoud = i === model.chosen || i === view.hovered || model.violatedRows.has(i) || model.kin.has(i) ? "chosen" : model.isMatch[i] ? "match" : "";
    const key = Math.round(x0) + "/" + Math.round(x1) + "/" + row.n + "/" + row.d + "/" + row.k;
    if (!isLoud && seen.has(key)) continue;
    seen.add(key);
    targets.push({row: i, x0, y0, x1, y1, reach: 5});
    (isLoud ? loud : plain).push([i, x0, y0, x1, y1, isLoud]);
  }
  const strength = Math.max(.16, Math.min(.75, 60 / plain.length));
  for (const each of plain) strokeArrow(context, strength, ...each);
  for (const each of loud) strokeArrow(context, 1, ...each);
  if (arrowCount > 160) return;
  context.font = "10.5px system-ui, sans-serif";
  const taken = [];
  for (const [i, x0, y0, x1, y1] of [...loud, ...plain]) {
    const row = rows[i], text = row.k === "handshake" ? "handshake" : row.t.length > 34 ? row.t.slice(0, 33) + "\u2026" : row.t;
    const width = context.measureText(text).width + 8;
    const isSender = laneOf.get(row.n)?.node.connects ?? true, near = isSender ? y0 : y1, far = isSender ? y1 : y0;
    const part = Math.abs(far - near) < 30 ? .5 : 14 / Math.abs(far - near), at = isSender ? part : 1 - part;
    const x = x0 + (x1 - x0) * at + 3, y = y0 + (y1 - y0) * at - 7;
    if (x < 0 || x + width > view.width || taken.some((box) => x < box[0] + box[2] && box[0] < x + width && Math.abs(y - box[1]) < 15)) continue;
    taken.push([x, y, width]);
    context.globalAlpha = .94; context.fillStyle = colors["--card"]; context.beginPath(); context.roundRect(x, y, width, 14, 4); context.fill(); context.globalAlpha = 1;
    context.fillStyle = colorOf(row); context.fillText(text, x + 4, y + 10.5);
  }
}

function drawMarks(context) {
  const seen = new Set();
  for (let i = 0; i < rows.length; ++i) {
    const row = rows[i];
    if (!model.isShown[i] || model.startPlace[i] < view.from || model.startPlace[i] > view.to || row.k === "call" || isArrow(row)) continue;
    const lane = laneOf.get(row.n);
    if (lane === undefined) continue;
    const x = xOf(model.startPlace[i]), y = lane.base - view.scroll;
    if (y < -20 || y > view.height + 20) continue;
    const isLoud = i === model.chosen || i === view.hovered || model.violatedRows.has(i) || model.kin.has(i) || model.isMatch[i];
    const key = Math.round(x / 2) + "/" + row.n + "/" + row.k;
    if (!isLoud && seen.has(key)) continue;
    seen.add(key);
    const size = row.k === "fault" || row.k === "node" ? 7 : 4.5;
    const lift = {record: -11, store: -11, fault: -11, node: -11}[row.k] ?? 0;
    if (isLoud) {
      context.fillStyle = colors[model.violatedRows.has(i) ? "--bad" : model.isMatch[i] ? "--match" : "--select"]; context.globalAlpha = .35;
      context.beginPath(); context.arc(x, y + lift, size + 5, 0, 7); context.fill(); context.globalAlpha = 1;
    }
    drawGlyph(context, kindOf.get(row.k).glyph, x, y + lift, size, colorOf(row));
    targets.push({row: i, x0: x, y0: y + lift, x1: x, y1: y + lift, reach: size + 3});
  }
}

// Flags on the axis: where they are and what they say.
function flags(context) {
  const found = [];
  for (const check of model.violations) {
    const x = check.row === undefined ? -Infinity : xOfTime(check.time);
    if (x < -1 || x > view.width + 1) continue;
    const width = context.measureText(check.name).width + 14;
    found.push({x, left: Math.min(x - 1, view.width - width), width, name: check.name});
  }
  return found;
}
function drawFlags(context) {
  context.font = "600 11px system-ui, sans-serif";
  for (const flag of flags(context)) {
    context.fillStyle = colors["--bad"]; context.fillRect(flag.x - 1, 2, 2, 22);
    context.beginPath(); context.roundRect(flag.left, 2, flag.width, 18, [0, 4, 4, 0]); context.fill();
    context.fillStyle = colors["--card"]; context.fillText(flag.name, flag.left + 7, 15);
  }
}
function drawPoles(context) {
  for (const check of model.violations) {
    if (check.row === undefined) continue;
    const x = xOfTime(check.time);
    if (x < -20 || x > view.width + 20) continue;
    context.strokeStyle = context.fillStyle = colors["--bad"];
    context.lineWidth = 1.5; context.setLineDash([5, 3]);
    context.beginPath(); context.moveTo(x, 0); context.lineTo(x, view.height); context.stroke();
    context.setLineDash([]);
  }
}

function drawOverview() {
  const canvas = canvasOf("overview"), width = canvas.clientWidth, height = 34;
  const context = contextOf(canvas, width, height);
  const last = model.scale.last || 1, columns = new Float64Array(Math.ceil(width) + 1), poor = new Map();
  for (const i of model.shown) {
    const x = Math.floor(model.startPlace[i] / last * (width - 1));
    ++columns[x];
    if (rows[i].k === "fault" || rows[i].k === "node" || isLost(rows[i])) poor.set(x, "--fault");
    if (model.isMatch[i]) poor.set(x, "--match");
  }
  const most = Math.log1p(columns.reduce((a, b) => Math.max(a, b), 1));
  context.fillStyle = colors["--accent"];
  context.globalAlpha = .55;
  columns.forEach((count, x) => { if (count > 0) { const high = 3 + Math.log1p(count) / most * (height - 12); context.fillRect(x, height - high, 1, high); } });
  context.globalAlpha = 1;
  for (const [x, color] of poor) { context.fillStyle = colors[color]; context.fillRect(x - .5, height - 7, 2, 7); }
  for (const check of model.violations) {
    if (check.row === undefined) continue;
    const x = model.scale.place(check.time) / last * (width - 1);
    context.fillStyle = colors["--bad"]; context.fillRect(x - 1, 0, 2, height);
    context.beginPath(); context.moveTo(x - 5, 0); context.lineTo(x + 5, 0); context.lineTo(x, 7); context.fill();
  }
  const x0 = view.from / last * width, x1 = view.to / last * width;
  context.fillStyle = colors["--card"]; context.globalAlpha = .6;
  context.fillRect(0, 0, x0, height); context.fillRect(x1, 0, width - x1, height);
  context.globalAlpha = 1; context.strokeStyle = colors["--accent"]; context.lineWidth = 1.5;
  context.strokeRect(Math.max(.75, x0), .75, Math.max(3, Math.min(x1, width - 1) - Math.max(.75, x0)), height - 1.5);
}

function drawAll() {
  const canvas = canvasOf("chart");
  view.width = canvas.clientWidth;
  view.height = document.getElementById("lanes").clientHeight;
  view.scroll = document.getElementById("lanes").scrollTop;
  canvas.style.height = view.height + "px";
  const context = contextOf(canvas, view.width, view.height);
  targets = [];
  drawLaneGround(context);
  drawStreams(context);
  drawCalls(context);
  drawArrows(context);
  drawMarks(context);
  drawPoles(context);
  drawAxis();
  drawOverview();
}

// The row that is nearest to a point of the chart and near enough; -1: none.
function rowAt(x, y) {
  let best = -1, least = Infinity;
  for (const each of targets) {
    const dx = each.x1 - each.x0, dy = each.y1 - each.y0, size = dx * dx + dy * dy;
    const part = size === 0 ? 0 : Math.max(0, Math.min(1, ((x - each.x0) * dx + (y - each.y0) * dy) / size));
    const distance = Math.hypot(x - each.x0 - part * dx, y - each.y0 - part * dy);
    if (distance <= each.reach && distance - (size === 0 ? 3 : 0) < least) { least = distance - (size === 0 ? 3 : 0); best = each.row; }
  }
  return best;
}
