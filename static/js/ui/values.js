// Values and indicators of a page: every .val and .mai with a data-tag follows its sensor, and looks old when it is.

import { setAttribute, setText } from "../lib/dom.js";
import { painter } from "../lib/painter.js";
import { fill, gettext } from "../lib/words.js";
import { group, isPresented, tally } from "../state/alarms.js";
import { isStale, labelKey } from "../state/freshness.js";
import { silenceOf } from "../state/silence.js";
import { at, beyond, off } from "../state/indicator.js";
import { NO_VALUE, number } from "../state/writing.js";
import { isLost, now, on, plant } from "./live.js";
import { isAway, watch, whenComes } from "./sight.js";
import { markPriority } from "./symbols.js";

const MARKS = {
  uncertain: "M5.7 6.2a2.3 2.3 0 1 1 3.3 2c-.7.4-1 .7-1 1.5M8 11.9v.2",
  stale: "M8 1.9a6.1 6.1 0 1 1 0 12.2A6.1 6.1 0 0 1 8 1.9zM8 4.5V8l2.5 1.6",
  "no data": "M8 1.9a6.1 6.1 0 1 1 0 12.2A6.1 6.1 0 0 1 8 1.9zM8 4.5V8l2.5 1.6",
  bad: "M4 4l8 8M12 4l-8 8",
};

const FITS = 5; // characters of a number that the room kept for a value holds, whichever they are

const QUALITY_WORDS = {
  uncertain: gettext("uncertain"),
  stale: gettext("stale"),
  "no data": gettext("no data"),
  bad: gettext("bad"),
};

let parts = new Map(); // tag → { values: [...], indicators: [...], cards: the card that each stands on, or null }
let alarms = new Map(); // tag → alarms

function collect() {
  parts = new Map();
  for (const element of document.querySelectorAll(".val[data-tag], .mai[data-tag]")) {
    const { tag } = element.dataset;
    if (!parts.has(tag)) parts.set(tag, { values: [], indicators: [], cards: new Set(), interval: null });
    const part = parts.get(tag);
    const card = element.closest("[data-card]");
    part.cards.add(card);
    if (card) watch(card);
    if (element.classList.contains("mai")) part.indicators.push(element);
    else {
      part.values.push(element);
      if (element.dataset.interval) part.interval = Number(element.dataset.interval);
    }
  }
}

const optional = (text) => (text === "" ? null : Number(text));

function textOf(element, reading) {
  if (reading.value == null) return NO_VALUE;
  const { labels, decimals, low, high } = element.dataset;
  if (labels) {
    const key = labelKey(reading.value);
    return JSON.parse(labels)[key] ?? key;
  }
  const side = low === undefined ? "" : off(reading.value, Number(low), Number(high));
  if (side === "under") return fill(gettext("under %(value)s"), { value: number(Number(low), Number(decimals)) });
  if (side) return fill(gettext("over %(value)s"), { value: number(Number(high), Number(decimals)) });
  return number(reading.value, Number(decimals));
}

function draw(tag) {
  const part = parts.get(tag);
  const reading = plant.values.get(tag);
  if (!part || !reading) return;
  const unknown = silenceOf(plant.silent, tag) !== undefined;
  const stale = unknown || isStale(now(), reading.time, part.interval);
  const priority = tally((alarms.get(tag) ?? []).filter((alarm) => isPresented(alarm) && alarm.state !== "D")).worst;
  const bad = reading.quality === "bad" || unknown;
  const quality = unknown ? "no data" : bad ? "bad" : stale ? "stale" : reading.quality;
  for (const element of part.values) {
    const place = element.querySelector(".v");
    const text = bad ? NO_VALUE : textOf(element, reading);
    const fits = !element.dataset.labels && text.length <= FITS;
    setText(place, text);
    if (!differs(element, `${priority} ${quality} ${stale} ${fits}`)) continue;
    place.classList.toggle("fits", fits);
    markPriority(element, priority);
    element.classList.toggle("stale", stale);
    element.classList.toggle("bad", bad);
    const mark = element.querySelector(".q");
    if (mark) {
      setAttribute(mark.querySelector("path"), "d", MARKS[quality] ?? "");
      setText(mark.querySelector("title"), QUALITY_WORDS[quality] ?? "");
      setAttribute(mark, "aria-hidden", String(quality === "good"));
    }
  }
  for (const element of part.indicators) drawIndicator(element, reading, { stale, priority, bad });
}

const looks = new WeakMap(); // element → how it was drawn last: most values change, and how they stand does not
const scales = new WeakMap(); // indicator → what is looked up in it for each reading of a thousand, and stays

/** Tells whether an element is to look otherwise than it was drawn last, and keeps how. */
function differs(element, look) {
  if (looks.get(element) === look) return false;
  looks.set(element, look);
  return true;
}

function scaleOf(element) {
  const known = scales.get(element);
  if (known) return known;
  const { low, high, unit, decimals, edgeLow, edgeHigh } = element.dataset;
  const scale = {
    low: Number(low),
    high: Number(high),
    unit,
    decimals: Number(decimals),
    edgeLow: optional(edgeLow),
    edgeHigh: optional(edgeHigh),
    pointer: element.querySelector(".ptr"),
    over: element.querySelector(".over"),
  };
  scales.set(element, scale);
  return scale;
}

/** What an indicator says in words: its value, the limit that it is past, and that it is old. */
function meterText(element, reading, { unit, decimals, edgeHigh }, { edge, stale, bad }) {
  const value = bad ? NO_VALUE : textOf(element, reading);
  const said = [`${value} ${unit}`.trim()];
  if (edge !== null) {
    const high = reading.value >= (edgeHigh ?? Infinity);
    const limit = number(edge, decimals);
    said.push(high ? gettext("high") : gettext("low"), fill(gettext("limit %(value)s"), { value: limit }));
  }
  if (stale) said.push(gettext("stale"));
  return said.join(", ");
}

function drawIndicator(element, reading, { stale, priority, bad }) {
  const scale = scaleOf(element);
  if (differs(element, `${priority} ${stale} ${bad}`)) {
    markPriority(element, priority);
    element.classList.toggle("stale", stale);
    element.classList.toggle("none", bad);
  }
  const edge = bad || priority === null ? null : beyond(reading.value, scale.edgeLow, scale.edgeHigh);
  setAttribute(element, "aria-valuetext", meterText(element, reading, scale, { edge, stale, bad }));
  if (bad) return;
  const place = at(reading.value, scale.low, scale.high);
  setAttribute(scale.pointer, "x1", `${place}%`);
  setAttribute(scale.pointer, "x2", `${place}%`);
  setAttribute(element, "aria-valuenow", String(reading.value));
  const from = edge === null ? null : at(edge, scale.low, scale.high);
  setAttribute(scale.over, "x", `${from === null ? 0 : Math.min(from, place)}%`); // moved only where it is seen
  setAttribute(scale.over, "width", `${from === null ? 0 : Math.abs(place - from).toFixed(2)}%`);
}

const paint = painter(draw);

/** Draws a value soon, if it can be seen. */
function follow(tag) {
  const part = parts.get(tag);
  if (part && ![...part.cards].every(isAway)) paint(tag);
}

function sortAlarms() {
  alarms = group(plant.alarms.values(), (alarm) => alarm.sensor);
}

/** Finds the page's values and indicators; call it again when some were added. */
export function refresh() {
  start();
  collect();
  if (plant.complete) for (const tag of parts.keys()) paint(tag);
}

let started = false;

export function start() {
  if (started) return;
  started = true;
  collect();
  on("snapshot", () => {
    sortAlarms();
    for (const tag of parts.keys()) paint(tag);
  });
  on("values", (tags) => {
    tags.forEach(follow);
  });
  on("alarm", ({ alarm, before }) => {
    sortAlarms();
    if (alarm.silent || before?.silent) for (const tag of parts.keys()) paint(tag);
    draw(alarm.sensor);
  });
  setInterval(() => {
    if (!isLost()) for (const tag of parts.keys()) follow(tag);
  }, 1000);
  whenComes((card) => {
    if (isLost()) return;
    for (const element of card.querySelectorAll("[data-tag]")) draw(element.dataset.tag);
  });
}
