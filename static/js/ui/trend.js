// A machine's trends: a lane per chosen sensor, one cursor through all of them, live at the end or a range of the past.

import { onAct, onKeys } from "../lib/dispatch.js";
import { make, pageData } from "../lib/dom.js";
import { gettext } from "../lib/words.js";
import { writeView } from "../state/explorer.js";
import { clock, day, number } from "../state/writing.js";
import { Lane } from "./lane.js";
import { isLost, now, on, plant } from "./live.js";
import { onTheme } from "./plotting.js";

const PENS = 6;
const SHORTEST = 10; // s
const LONGEST = 366 * 86_400;
const TABLE_ROWS = 100;

const place = document.getElementById("trends");
const table = document.getElementById("trend-rows");
const sensors = pageData("trend-sensors", []);
const marks = pageData("trend-marks", []);
let lanes = [];
let span = Number(place.dataset.span); // seconds that are shown
let range = span; // the one of the pressed button
let end = null; // null: live

const until = () => end ?? now() / 1000;
const view = { from: () => until() - span, until, marks: () => marks, select: zoomTo, sync: "trends" };

function zoomTo(plot) {
  const { left, width } = plot.select;
  const from = plot.posToVal(left, "x");
  const to = plot.posToVal(left + width, "x");
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  show(Math.max(SHORTEST, to - from), to);
}

function show(seconds, to) {
  span = Math.max(SHORTEST, Math.min(LONGEST, seconds));
  end = to !== null && to < now() / 1000 ? to : null;
  return fetchAll();
}

function fetchAll() {
  for (const button of document.querySelectorAll("[data-act=trend-range]")) {
    button.setAttribute("aria-pressed", String(end === null && Number(button.dataset.span) === span));
  }
  document.getElementById("trend-live").hidden = end === null && span === range;
  explore();
  return Promise.all(lanes.map((lane) => lane.fetch())).then(drawTable);
}

/** The link to the explorer shows the same sensors and the same time there. */
function explore() {
  const view = { tags: lanes.map((lane) => lane.sensor.tag), span, end, compare: null, layout: "lanes", hidden: [] };
  const link = document.getElementById("explore");
  link.href = link.href.replace(/\?.*$/, writeView(view));
}

function choose() {
  const wanted = [...document.querySelectorAll("[data-trend]:checked")].map((box) => box.dataset.trend);
  for (const lane of lanes) if (!wanted.includes(lane.sensor.tag)) lane.remove();
  lanes = lanes.filter((lane) => wanted.includes(lane.sensor.tag));
  const added = [];
  for (const tag of wanted) {
    if (lanes.some((lane) => lane.sensor.tag === tag)) continue;
    const used = lanes.map((lane) => lane.pen);
    const pen = Array.from({ length: PENS }, (_, at) => at + 1).find((one) => !used.includes(one)) ?? 1;
    const sensor = sensors.find((one) => one.tag === tag);
    const lane = new Lane(place, sensor, pen, view, { first: lanes.length === 0, last: true });
    lanes.push(lane);
    added.push(lane);
  }
  lanes.forEach((lane, at) => {
    const [first, last] = [at === 0, at === lanes.length - 1];
    if (lane.first !== first || lane.last !== last) lane.build({ first, last });
  });
  document.getElementById("trend-none").hidden = lanes.length > 0;
  explore();
  return Promise.all(added.map((lane) => lane.fetch())).then(drawTable);
}

/** The same in numbers; at most a hundred rows a sensor. */
function drawTable() {
  if (table.hidden) return;
  table.replaceChildren(
    ...lanes.map(({ sensor, times, values }) => {
      const rows = times.map((at, index) => [at, values[index]]).filter(([, value]) => value !== null);
      const step = Math.max(1, Math.ceil(rows.length / TABLE_ROWS));
      const cells = ([at, value]) =>
        make(
          "tr",
          {},
          make("td", { class: "num" }, `${day(at * 1000, now())} ${clock(at * 1000)}`),
          make("td", { class: "num" }, number(value, sensor.decimals)),
        );
      const head = make("tr", {}, make("th", { class: "num", scope: "col" }, gettext("Time")), make("th", { class: "num", scope: "col" }, sensor.unit || gettext("Value")));
      return make(
        "table",
        { class: "tbl" },
        make("caption", {}, sensor.name),
        make("thead", {}, head),
        make("tbody", {}, ...rows.filter((_, at) => at % step === 0).reverse().map(cells)),
      );
    }),
  );
}

/** Moves by readings; gaps are stepped over. */
function moveCursor(step) {
  const lane = lanes[0];
  if (!lane) return;
  const known = lane.values.flatMap((value, at) => (value === null ? [] : [at]));
  if (!known.length) return;
  const here = lane.plot.cursor.idx;
  const from = here == null ? known.length : known.findLastIndex((at) => at <= here);
  const at = known[Math.max(0, Math.min(known.length - 1, from + step))];
  lane.plot.setCursor({ left: lane.plot.valToPos(lane.times[at], "x"), top: 40 }, true, true);
}

export function startTrends() {
  onAct({
    "trend-range": (element) => {
      range = Number(element.dataset.span);
      const address = new URL(location.href);
      address.searchParams.set("t", element.dataset.key);
      history.replaceState(null, "", address);
      show(range, null);
    },
    "trend-live": () => show(range, null),
    "trend-in": () => show(span / 2, end === null ? null : end - span / 4),
    "trend-out": () => show(span * 2, end === null ? null : end + span / 2),
    "trend-earlier": () => show(span, until() - span / 2),
    "trend-later": () => show(span, end === null ? null : end + span / 2),
    "trend-table": () => {
      table.hidden = !table.hidden;
      document.querySelector("[data-act=trend-table]").setAttribute("aria-pressed", String(!table.hidden));
      drawTable();
    },
  });
  onKeys({
    v: "trend-table",
    0: "trend-live",
    "+": "trend-in",
    "-": "trend-out",
    "[": "trend-earlier",
    "]": "trend-later",
  });
  place.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moveCursor(step * (event.shiftKey ? 10 : 1));
  });
  document.addEventListener("change", (event) => event.target.matches("[data-trend]") && choose());
  new ResizeObserver(() => lanes.forEach((lane) => lane.resize())).observe(place);
  onTheme(() => lanes.forEach((lane) => (lane.build(), lane.draw())));
  // The page has just read its trends; after a loss they are read again.
  let fresh = true;
  on("snapshot", () => {
    if (!fresh) fetchAll();
    fresh = false;
    for (const lane of lanes) {
      const newest = plant.values.get(lane.sensor.tag);
      if (!newest) continue;
      if (end === null && lane.isRead && newest.time / 1000 >= view.from()) lane.push(newest);
      else lane.note(newest);
    }
  });
  on("alarm", ({ alarm, before }) => {
    if (before || marks.some((mark) => mark.id === alarm.id) || !sensors.some((one) => one.tag === alarm.sensor)) return;
    marks.push({ id: alarm.id, time: Date.parse(alarm.raised) / 1000, priority: alarm.priority });
  });
  on("values", (tags) => {
    for (const lane of lanes) {
      if (!tags.includes(lane.sensor.tag)) continue;
      const newest = plant.values.get(lane.sensor.tag);
      if (end === null) lane.push(newest);
      else lane.note(newest);
    }
  });
  // A live trend moves on once a second; what is drawn then has come within it.
  setInterval(() => {
    if (document.hidden || isLost()) return;
    // Beside a range of the past the newest value stands as well, and grows old.
    for (const lane of lanes) end === null ? lane.draw() : lane.drawRead();
  }, 1000);
  choose();
}
