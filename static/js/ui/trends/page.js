// The trend explorer: which sensors, which time, and what is drawn over them. The address always says what is shown.

import { onAct, onKeys } from "../../lib/dispatch.js";
import { pageData, setText } from "../../lib/dom.js";
import { oncePerFrame, readWhenAsked } from "../../lib/once.js";
import { fill, gettext } from "../../lib/words.js";
import { backBy, bounded, clustered, OVERLAYS, readView, writeView, zoomed } from "../../state/explorer.js";
import { isOver, newestOf, readingAt, shows, stepped } from "../../state/line.js";
import { silenceOf } from "../../state/silence.js";
import { hear, isLost, now as serverNow, on, plant } from "../live.js";
import { onTheme } from "../plotting.js";
import { toast } from "../toast.js";
import { Board } from "./board.js";
import { Cursor } from "./cursor.js";
import { Figures } from "./figures.js";
import { Marks } from "./marks.js";
import { startMoving } from "./moving.js";
import { Picker } from "./picker.js";
import { POINTS, Readings } from "./readings.js";
import { moment, rangeWords } from "./words.js";

const SETTLED = 160; // ms without a move after which figures are read and the address is kept
const REFIGURED = 10_000; // ms after which a view that follows the present has its figures read anew
const READ_AFTER = 2_000; // ms in which the first lines are drawn
const USUAL = 28_800; // s
const MARK = 34; // px that an alarm's symbol and a number beside it take
const explorer = document.getElementById("explorer");
const chart = document.getElementById("chart");
const most = Number(explorer.dataset.most);
const byId = (id) => document.getElementById(id);

const now = () => serverNow() / 1000;
const known = new Map(pageData("trend-pens", []).map((sensor) => [sensor.tag, sensor]));
const state = { ...readView(location.search, { span: USUAL, most }), moving: false };
let pens = [];
let wanted = []; // the tags that there is to be a pen for; those of some may not be read yet
let settling = null;
let figured = 0;

// --- What is shown ---------------------------------------------------------------------------------------------------

const draw = oncePerFrame(() => drawNow());
const until = () => state.end ?? now();
const view = () => ({ from: until() - state.span, until: until(), span: state.span });
const back = () => backBy(state.compare, state.span);
const board = new Board(chart);
const url = explorer.dataset.history;
const points = () => Math.max(400, Math.min(POINTS, Math.round(chart.clientWidth * 1.6)));
const unread = byId("unread");
let afterwards = null; // what is read once the lines are: the picture comes first
const follow = () => {
  afterwards?.();
  afterwards = null;
};
const onRead = () => {
  unread.hidden = true;
  draw();
  follow();
};
const onFailed = () => (unread.hidden = false);
const lines = new Readings({ url, points, now, onRead, onFailed });
const past = new Readings({ url, points, now, onRead, onFailed });
const marks = new Marks(explorer.dataset.marks, byId("over"), { onRead: draw, onNote: (note) => withNotes((dialog) => dialog.open(note)) });
const figures = new Figures(byId("figures"), explorer.dataset.summary, { onTakeOut: (tag) => choose(tag, false) });
const cursor = new Cursor({ chart, board, scene });
// What only some ask for is read once the page stands, at the latest when somebody does.
const inDialogs = readWhenAsked(async () => (await import("./dialogs.js")).dialogs({ state, view, back, now, show }));
const inSharing = readWhenAsked(async () => {
  const { overview } = explorer.dataset;
  return (await import("./share.js")).sharing({ state, view, scene, pens: () => pens, board, cursor, now, overview });
});
const notes = readWhenAsked(async () => {
  const onChange = () => marks.read(pens, view(), { anew: true });
  return new (await import("./notes.js")).Notes(explorer.dataset.annotations, { onChange });
});
const inRows = readWhenAsked(() => import("./rows.js"));
const notThere = () => toast(gettext("That is not possible without a connection."));
const withNotes = (act) => notes().then(act, notThere);
/** Gives, by their names, what buttons do of which the script is read when one is first pressed. */
function pressed(read, ...names) {
  return Object.fromEntries(names.map((name) => [name, () => read().then((acts) => acts[name](), notThere)]));
}

const picker = new Picker(byId("picker"), {
  branch: explorer.dataset.branch,
  tree: pageData("trend-tree", []),
  numberOf: (tag) => pens.find((pen) => pen.tag === tag)?.number ?? null,
  onChoose: choose,
});

/** Whether what a pen read last is told as what it reads now, and is not: the view follows the present. */
function isOld(pen) {
  if (state.end !== null) return false;
  const line = lines.lines.get(pen.tag);
  const last = line && newestOf(line, now());
  if (!last) return false;
  const unheard = isLost() || silenceOf(plant.silent, pen.tag) !== undefined;
  return unheard || isOver(line, last[0], now(), plant.values.get(pen.tag), pen.interval);
}

/** What the board draws. */
function scene() {
  const { from, until: end } = view();
  return {
    pens,
    from,
    until: end,
    now: now(),
    back: back(),
    lines: lines.lines,
    past: past.lines,
    layout: state.layout,
    moving: state.moving,
    isOld,
    shows: (name) => !state.hidden.includes(name),
    clusters: clustered(marks.alarms, (MARK * state.span) / Math.max(1, chart.clientWidth)),
    notes: marks.notes,
  };
}

function drawNow() {
  const shown = scene();
  setText(byId("when"), rangeWords(shown.from, shown.until));
  byId("when").classList.toggle("live", state.end === null);
  figures.drawAt(cursor.at, shown);
  if (!chart.hidden) drawPicture(shown);
}

function drawPicture(shown) {
  byId("no-pens").hidden = pens.length > 0;
  const isRead = lines.holds(shown.from, shown.until);
  byId("no-data").hidden = !isRead || pens.some(({ tag }) => shows(lines.lines.get(tag), shown.from, shown.until));
  board.draw(shown);
  if (pens.length) {
    marks.place(board, shown);
    cursor.draw();
  } else byId("over").replaceChildren();
  performance.clearMarks("trend-drawn");
  performance.mark("trend-drawn", { detail: { whole: isRead } });
}

/** Shows another range; `moving` while a hand still moves it, which keeps the address and figures for its end. */
function show(span, end, { moving = false } = {}) {
  state.span = bounded(span);
  state.end = end !== null && end < now() ? end : null;
  state.moving = moving;
  chart.classList.toggle("moving", moving);
  look({ hurried: moving });
  draw();
  settle(moving ? SETTLED : 0);
}

function look(how) {
  const { from, until: end } = view();
  const tags = pens.map((pen) => pen.tag);
  lines.look(tags, from, end, how);
  if (back()) past.look(tags, from - back(), end - back(), how);
  else past.forget();
}

/** Once a view stands: its figures, its marks, its address. */
function settle(after, { keep = true } = {}) {
  clearTimeout(settling);
  settling = setTimeout(() => {
    if (state.moving && moving.isHeld()) return settle(SETTLED, { keep });
    state.moving = false;
    chart.classList.remove("moving");
    look({});
    draw();
    drawControls();
    if (keep) keepAddress();
    figured = Date.now();
    afterwards = () => {
      describe();
      figures.read(pens, view(), back());
      marks.read(pens, view());
    };
    if (!lines.view) follow();
    return undefined;
  }, after);
}

function keepAddress() {
  const address = writeView({ ...state, tags: pens.map((pen) => pen.tag) });
  if (address !== location.search) history.pushState(null, "", address);
}

function drawControls() {
  const live = state.end === null;
  for (const button of document.querySelectorAll("[data-act=trend-range]")) {
    button.setAttribute("aria-pressed", String(live && Number(button.dataset.span) === Math.round(state.span)));
  }
  for (const button of document.querySelectorAll("[data-overlay]")) {
    button.setAttribute("aria-pressed", String(!state.hidden.includes(button.dataset.overlay)));
  }
  for (const button of document.querySelectorAll("[data-layout]")) {
    button.setAttribute("aria-pressed", String(button.dataset.layout === state.layout));
  }
  document.querySelector("[data-act=trend-live]").hidden = live;
  byId("follows").hidden = !live;
  const { from, until: end } = view();
  byId("compare-chip").setAttribute("aria-pressed", String(state.compare !== null));
  const compared = state.compare === null ? "" : rangeWords(from - back(), end - back());
  setText(byId("compared"), compared && moment(from - back()).slice(0, -3));
  figures.head(compared);
  setText(byId("pens"), fill(gettext("%(n)s of %(most)s pens"), { n: pens.length, most }));
  for (const link of document.querySelectorAll("[data-format]")) {
    const query = new URLSearchParams(pens.map((pen) => ["sensor", pen.tag]));
    query.set("start", new Date(from * 1000).toISOString());
    query.set("end", new Date(end * 1000).toISOString());
    query.set("format", link.dataset.format);
    query.set("zone", document.body.dataset.zone);
    link.href = `${explorer.dataset.export}?${query}`;
  }
}

/** Says in words what the picture shows; as a table, where one is open. */
function describe() {
  byId("picture").setAttribute("aria-label", pens.length ? board.summary(scene()) : gettext("No sensors chosen"));
  drawTable();
}

function drawTable() {
  const rows = byId("rows");
  if (!rows.hidden) inRows().then(({ drawRows }) => drawRows(rows, scene()), notThere);
}

// --- Pens ------------------------------------------------------------------------------------------------------------

/** Gives each sensor a pen; one that stays keeps its own. */
async function take(tags) {
  wanted = tags;
  const missing = tags.filter((tag) => !known.has(tag));
  if (missing.length) {
    const query = new URLSearchParams(missing.map((tag) => ["s", tag]));
    const answer = await fetch(`${explorer.dataset.sensors}?${query}`, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) {
      wanted = wanted.filter((tag) => known.has(tag) || !missing.includes(tag));
      return toast(gettext("The sensor could not be read, try again."));
    }
    for (const sensor of (await answer.json()).items) known.set(sensor.tag, sensor);
  }
  const numbers = new Map(pens.map((pen) => [pen.tag, pen.number]));
  // What was chosen meanwhile follows with its own answer.
  const read = wanted.filter((tag) => known.has(tag));
  const used = new Set(read.map((tag) => numbers.get(tag)).filter(Boolean));
  const free = Array.from({ length: most }, (_, place) => place + 1).filter((number) => !used.has(number));
  pens = read.map((tag) => ({ ...known.get(tag), number: numbers.get(tag) ?? free.shift() }));
  hear([...new Set(pens.map((pen) => pen.asset))]);
  figures.rows(pens);
  picker.draw();
  return undefined;
}

async function choose(tag, on) {
  const tags = wanted.filter((one) => one !== tag);
  if (on && tags.length >= most) {
    toast(fill(gettext("%(most)s pens are the most. Take one out first."), { most }));
    return picker.draw();
  }
  await take(on ? [...tags, tag] : tags);
  return show(state.span, state.end);
}

// --- What a person does ----------------------------------------------------------------------------------------------

function zoom(factor, at = cursor.at ?? null) {
  const { from, span } = view();
  const middle = state.end === null ? from + span : from + span / 2;
  const next = zoomed({ from, span }, factor, at ?? middle, now());
  // What follows the present goes on to follow it.
  show(next.span, state.end === null && at === null ? null : next.end);
}

const pan = (part) => show(state.span, until() + part * state.span);

function toggle(list, name) {
  return list.includes(name) ? list.filter((one) => one !== name) : [...list, name];
}

/** Moves the cursor by readings of the first pen. */
function step(count) {
  const line = lines.lines.get(pens[0]?.tag);
  if (!line) return;
  const { from, until: end } = view();
  const next = stepped(line, cursor.at ?? end, count);
  if (next === null) return;
  cursor.put(next);
  if (next < from || next > end) show(state.span, next + state.span / 2);
  const read = pens.map((pen) => [pen, lines.lines.get(pen.tag) && readingAt(lines.lines.get(pen.tag), next)]);
  cursor.say(next, read);
  draw();
}

const moving = startMoving(chart, {
  view,
  timeOf: (x) => board.timeOf(x, view()),
  isReady: () => pens.length > 0,
  show: (span, end) => show(span, end, { moving: true }),
  zoom: (factor, at, how) => {
    const next = zoomed(view(), factor, at, now());
    show(next.span, next.end, how);
  },
  point: (at, pinned) => {
    cursor.put(at, { pinned });
    figures.drawAt(cursor.at, scene());
  },
  select: byId("zoom-to"),
});

const ACTS = {
  picker: () => picker.toggle(),
  "trend-range": (button) => show(Number(button.dataset.span), null),
  "trend-live": () => show(state.span, null),
  "trend-in": () => zoom(0.5),
  "trend-out": () => zoom(2),
  "trend-earlier": () => pan(-0.5),
  "trend-later": () => pan(0.5),
  ...pressed(inDialogs, "trend-when", "trend-when-go", "trend-compare", "trend-compare-go", "trend-compare-none"),
  "trend-overlay": (button) => {
    state.hidden = OVERLAYS.filter((name) => toggle(state.hidden, button.dataset.overlay).includes(name));
    show(state.span, state.end);
  },
  "trend-layout": (button) => {
    state.layout = button.dataset.layout;
    show(state.span, state.end);
  },
  "trend-clear": () => take([]).then(() => show(state.span, state.end)),
  ...pressed(inSharing, "trend-png", "trend-link", "trend-play-back"),
  "trend-note": () => {
    if (!("may" in explorer.dataset) || !pens.length) return;
    withNotes((dialog) => dialog.add(pens, cursor.at ?? view().until));
  },
  "trend-table": () => {
    const rows = byId("rows");
    rows.hidden = !rows.hidden;
    chart.hidden = !rows.hidden;
    document.querySelector("[data-act=trend-table]").setAttribute("aria-pressed", String(!rows.hidden));
    if (rows.hidden) draw();
    else drawTable();
  },
  "trend-note-save": () => withNotes((dialog) => dialog.save()),
  "trend-note-delete": () => withNotes((dialog) => dialog.remove()),
};

export async function start() {
  onAct(ACTS);
  setTimeout(() => [inDialogs, inSharing, inRows, notes].forEach((read) => read().catch(() => {})), READ_AFTER);
  onKeys({
    v: "trend-table",
    n: "trend-note",
    0: "trend-live",
    "+": "trend-in",
    "-": "trend-out",
    "[": "trend-earlier",
    "]": "trend-later",
  });
  chart.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || event.metaKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    step(way * (event.shiftKey ? 10 : 1));
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll("details.export[open]")) if (!open.contains(event.target)) open.open = false;
  });
  window.addEventListener("popstate", async () => {
    Object.assign(state, readView(location.search, { span: USUAL, most }), { moving: false });
    await take(state.tags);
    look({});
    draw();
    settle(0, { keep: false });
  });
  new ResizeObserver(draw).observe(chart);
  document.fonts.ready.then(draw);
  onTheme(() => {
    board.restyle();
    draw();
  });
  let lost = false;
  on("lost", () => {
    lost = true;
    draw();
  });
  on("back", () => {
    draw();
    // After a loss what came meanwhile is read anew; what is drawn stays until it is there.
    if (lost && pens.length) {
      look({}); // up to the present: the view was last told of before the loss
      for (const readings of [lines, past]) readings.renew();
      marks.read(pens, view(), { anew: true });
      settle(0, { keep: false });
    }
    lost = false;
  });
  on("snapshot", () => {
    for (const pen of pens) if (plant.values.has(pen.tag)) lines.note(pen.tag, plant.values.get(pen.tag), pen.interval);
  });
  on("values", (tags) => {
    for (const pen of pens) if (tags.includes(pen.tag)) lines.note(pen.tag, plant.values.get(pen.tag), pen.interval);
  });
  on("alarm", ({ alarm, before }) => {
    if (!before && pens.some((pen) => pen.tag === alarm.sensor)) marks.add(alarm);
  });
  setInterval(tick, 1000);
  await take(state.tags);
  look({});
  drawControls();
  draw();
  settle(0, { keep: false });
}

/** A view that follows the present moves on once a second. */
function tick() {
  if (document.hidden || isLost()) return;
  lines.hear(now());
  if (state.end !== null || state.moving || !pens.length) return;
  if (lines.isHeavy) lines.renew();
  look({});
  draw();
  if (Date.now() - figured < REFIGURED) return;
  figured = Date.now();
  drawControls();
  describe();
  figures.read(pens, view(), back());
}

