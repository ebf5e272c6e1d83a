"use strict";
// What the run was: rows, lanes, where they are in time, which are shown, which match.

const data = JSON.parse(document.getElementById("data").textContent);
const rows = data.rows;

const kinds = [
  {id: "request", name: "requests", color: "--request", glyph: "arrow"},
  {id: "response", name: "answers", color: "--response", glyph: "arrow"},
  {id: "handshake", name: "handshakes", color: "--handshake", glyph: "arrow"},
  {id: "keepalive", name: "keepalives", color: "--keepalive", glyph: "arrow"},
  {id: "bytes", name: "bytes", color: "--bytes", glyph: "dashed"},
  {id: "call", name: "calls", color: "--call", glyph: "bar"},
  {id: "record", name: "audit", color: "--record", glyph: "diamond"},
  {id: "store", name: "store", color: "--store", glyph: "square"},
  {id: "stream", name: "connections", color: "--stream", glyph: "ring"},
  {id: "node", name: "up and down", color: "--node", glyph: "down"},
  {id: "fault", name: "faults", color: "--fault", glyph: "bolt"},
  {id: "other", name: "other marks", color: "--other", glyph: "dot"},
];
const kindOf = new Map(kinds.map((kind) => [kind.id, kind]));
const arrowKinds = new Set(["request", "response", "handshake", "keepalive", "bytes"]);

const isArrow = (row) => arrowKinds.has(row.k);
const isGood = (status) => status === undefined || status === "OK" || status === "answered";
const isLost = (row) => isArrow(row) && row.f !== undefined && row.f !== "opened";
const startOf = (row) => row.a;
const endOf = (row) => row.e ?? row.r ?? (row.k === "call" ? data.end : row.a);

// Times as text.
const units = [[1e9, "s"], [1e6, "ms"], [1e3, "\u00b5s"], [1, "ns"]];
function timeText(ns) {
  const [scale, name] = units.find(([each]) => Math.abs(ns) >= each) ?? units[3];
  const digits = {s: 6, ms: 3, "\u00b5s": 3, ns: 0}[name];
  return (ns / scale).toFixed(digits) + "\u202f" + name;
}
function spanText(ns) {
  const [scale, name] = units.find(([each]) => Math.abs(ns) >= each) ?? units[3];
  return Number((ns / scale).toPrecision(4)) + "\u202f" + name;
}
const clockText = (ns) => (ns / 1e9).toFixed(6);

// Where a time is drawn: to scale, or with long idle times shortened. Between two knots it is linear.
class Scale {
  constructor(times, isShortened) {
    this.times = times;
    this.places = new Float64Array(times.length);
    const gaps = times.map((time, i) => (i === 0 ? 0 : time - times[i - 1]));
    // No gap takes more than a small part of the whole; what one part is depends on what the others still take.
    const parts = Math.max(4, Math.min(80, times.length / 3));
    let most = Infinity;
    for (let round = 0; isShortened && round < 6; ++round) most = Math.max(1, gaps.reduce((sum, gap) => sum + Math.min(gap, most), 0) / parts);
    this.most = most;
    for (let i = 1; i < times.length; ++i) this.places[i] = this.places[i - 1] + Math.min(gaps[i], most);
  }
  static find(array, value) {
    let low = 0, high = array.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (array[middle] <= value) low = middle; else high = middle - 1;
    }
    return low;
  }
  static between(from, to, value) {
    const i = Math.max(0, Math.min(Scale.find(from, value), from.length - 2));
    if (from.length < 2) return value - from[0] + to[0];
    const size = from[i + 1] - from[i];
    if (value < from[0]) return to[0] + (value - from[0]);
    if (value > from[i + 1]) return to[i + 1] + (value - from[i + 1]);
    return to[i] + (size === 0 ? 0 : (value - from[i]) * (to[i + 1] - to[i]) / size);
  }
  place(time) { return Scale.between(this.times, this.places, time); }
  time(place) { return Scale.between(this.places, this.times, place); }
  get last() { return this.places[this.places.length - 1]; }
  // Idle times that are shortened, as [from, to] in time.
  breaksBetween(from, to) {
    const found = [];
    for (let i = Math.max(1, Scale.find(this.times, from)); i < this.times.length && this.times[i - 1] < to; ++i) {
      if (this.times[i] - this.times[i - 1] > this.most) found.push([this.times[i - 1], this.times[i]]);
    }
    return found;
  }
}

const model = {
  scale: null,
  startPlace: new Float64Array(rows.length),
  endPlace: new Float64Array(rows.length),
  shown: [],                 // numbers of the rows that filters let through
  isShown: new Uint8Array(rows.length),
  matches: [],               // numbers of shown rows that the search found
  isMatch: new Uint8Array(rows.length),
  hiddenKinds: new Set(),
  hiddenNodes: new Set(),
  query: "",
  chosen: -1,
  kin: new Set(),            // what the chosen row belongs to
  violations: data.checks.filter((check) => check.failure),
};
model.violatedRows = new Set(model.violations.filter((check) => check.row !== undefined).map((check) => check.row));

function rescale(isShortened) {
  const times = new Set([0, data.end]);
  for (const row of rows) times.add(row.a).add(endOf(row));
  model.scale = new Scale(Float64Array.from(times).sort(), isShortened);
  rows.forEach((row, i) => {
    model.startPlace[i] = model.scale.place(startOf(row));
    model.endPlace[i] = model.scale.place(endOf(row));
  });
}

// All that a search looks at, made when a row is first asked for.
const texts = new Array(rows.length);
function textOf(i) {
  if (texts[i] === undefined) {
    const row = rows[i];
    const fields = (row.F ?? []).map(([name, value]) => name + "=" + value);
    texts[i] = [row.t, row.k, row.o, row.s, row.f, "node " + row.n, row.c === undefined ? "" : "stream " + row.c, ...fields].join("\n").toLowerCase();
  }
  return texts[i];
}

function refilter() {
  model.shown = [];
  rows.forEach((row, i) => {
    const isHidden = model.hiddenKinds.has(row.k) || (model.hiddenNodes.has(row.n) && (row.d === undefined || model.hiddenNodes.has(row.d)));
    model.isShown[i] = isHidden ? 0 : 1;
    if (!isHidden) model.shown.push(i);
  });
  research(model.query);
}

// Every word has to be somewhere in the row.
function research(query) {
  model.query = query;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  model.isMatch.fill(0);
  model.matches = words.length === 0 ? [] : model.shown.filter((i) => words.every((word) => textOf(i).includes(word)));
  for (const i of model.matches) model.isMatch[i] = 1;
}

// Lanes: one for each node, as high as its calls need.
const lanes = data.nodes.map((node) => ({id: node.id, node, top: 0, height: 0, base: 0, levels: 1, arrows: 0, calls: 0}));
const laneOf = new Map(lanes.map((lane) => [lane.id, lane]));
const laneParts = {base: 28, streams: 36, calls: 48, level: 14, levelsMax: 7};

function layLanes() {
  const ends = new Map(lanes.map((lane) => [lane.id, []]));  // of each level, when it is free again
  model.level = new Uint8Array(rows.length);
  rows.forEach((row, i) => {
    const lane = laneOf.get(row.n);
    if (lane === undefined) return;
    if (isArrow(row)) ++lane.arrows;
    if (row.k !== "call") return;
    ++lane.calls;
    const levels = ends.get(row.n);
    let level = levels.findIndex((end) => end <= row.a);
    if (level < 0) level = Math.min(levels.length, laneParts.levelsMax - 1);
    levels[level] = Math.max(endOf(row), levels[level] ?? 0);
    model.level[i] = level;
  });
  let top = 0;
  for (const lane of lanes) {
    const count = ends.get(lane.id).length;
    lane.top = top;
    lane.base = top + laneParts.base;
    lane.height = count > 0 ? laneParts.calls + count * laneParts.level + 7 : 60;
    top += lane.height;
  }
  return top;
}
const lanesHeight = layLanes();

// When each node was down, as [from, to].
const downTimes = new Map();
for (const row of rows) {
  if (row.k !== "node") continue;
  const times = downTimes.get(row.n) ?? [];
  downTimes.set(row.n, times);
  if (row.t.startsWith("node down")) times.push([row.a, data.end]);
  if (row.t.startsWith("node up") && times.length > 0) times[times.length - 1][1] = row.a;
}
