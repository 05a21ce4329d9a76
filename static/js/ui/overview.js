// The overview: honeycombs, counts and figures follow the live picture; what needs attention is listed worst first.

import { make, pageData, setAttribute, setText } from "../lib/dom.js";
import { held } from "../lib/held.js";
import { fill, gettext } from "../lib/words.js";
import { group, tally, worst } from "../state/alarms.js";
import { countFresh } from "../state/counting.js";
import { NOT_COUNTED_AFTER } from "../state/freshness.js";
import { age, clock, NO_VALUE, number } from "../state/writing.js";
import { drawCell, readCell, start as startHoneycomb } from "./honeycomb.js";
import { howMany, knowsAlarms } from "./known.js";
import { drawLasting } from "./lasting.js";
import { asOf, isLost, now, on, plant } from "./live.js";
import { countKinds, follow, KIND_WORDS, KINDS } from "./machines.js";
import { load, placeOf, reading } from "./places.js";
import { alarmSymbol, drawCounts, inPhase } from "./symbols.js";

const LISTED = 6;
const ASK_EVERY = 5000; // ms
const OLD_AFTER = 120; // seconds without a reading from a source
const wordLists = pageData("state-words", []);
// Only in playback: of the present the server counts what is fresh.
const intervals = pageData("sensor-intervals", null);
const sources = pageData("source-assets", {});
const cells = [...document.querySelectorAll(".honey a.hexg")].map(readCell);
const { cellOf, alarmsOf, start: followMachines } = follow(cells, (cell) => drawCell(cell, alarmsOf(cell), wordLists));
const kpi = (name) => document.querySelector(`[data-kpi="${name}"]`);

// --- Alarms ----------------------------------------------------------------------------------------------------------

function drawAlarms() {
  const all = [...plant.alarms.values()];
  const byArea = group(all, (alarm) => placeOf(alarm.asset).area);
  for (const place of document.querySelectorAll(".area > header [data-tally]")) {
    drawCounts(place, tally(byArea.get(place.dataset.tally) ?? []));
  }
  const lineOf = new Map();
  for (const line of document.querySelectorAll(".ln")) {
    for (const link of line.querySelectorAll("a.hexg")) lineOf.set(cellOf.get(link.dataset.asset), line);
  }
  const byLine = group(
    all,
    (alarm) => lineOf.get(cellOf.get(alarm.asset)) ?? document.getElementById(`line-${alarm.asset}`),
  );
  for (const line of document.querySelectorAll(".ln")) {
    const place = line.querySelector(".ac");
    if (place) drawCounts(place, tally(byLine.get(line) ?? []), { size: "sm", most: 3 });
  }
  const whole = tally(all);
  setText(kpi("open"), howMany(whole.total));
  setText(kpi("unacked"), howMany(whole.unacked));
  setText(kpi("suppressed"), howMany(whole.suppressed));
  if (knowsAlarms()) drawCounts(kpi("counts"), whole, { zeros: true, size: "sm" });
  drawAttention(whole);
  inPhase();
}

const attention = document.getElementById("attention");
let cleared = null; // ms: the last alarm that has cleared since the page is open

on("alarm", ({ alarm }) => {
  if (alarm.cleared) cleared = Math.max(cleared, Date.parse(alarm.cleared));
});

let isAsMade = true; // as the server drew it
let pictures = 0;
on("snapshot", () => {
  pictures += 1;
  if (pictures === 1) return;
  // What happened between two pictures is not known.
  cleared = null;
  isAsMade = false;
  delete attention.dataset.drawn;
});

/** Since when none is open; a page that has heard of none that cleared says no more than that. */
const calm = () => (cleared === null ? "" : fill(gettext("The last one cleared at %(time)s."), { time: clock(cleared) }));

const isHeld = held(attention, () => plant.complete && drawAlarms());

/** Nothing moves under the pointer or the focus: the list waits until it is left. */
function drawAttention(whole) {
  const all = attention.querySelector(".all");
  setText(all.querySelector(".num"), String(whole.total));
  all.hidden = !knowsAlarms();
  if (isHeld()) return;
  const listed = worst(plant.alarms.values(), LISTED);
  const want = knowsAlarms() ? listed.map((alarm) => `${alarm.id}${alarm.state}`).join(" ") : "unknown";
  if (attention.dataset.drawn === want) return;
  attention.dataset.drawn = want;
  // What the server drew of a calm plant says more than the page knows.
  if (isAsMade && want === "" && attention.querySelector(".empty")) return;
  isAsMade = false;
  if (!listed.length) {
    attention
      .querySelector(".body, .empty")
      .replaceWith(
        make(
          "div",
          { class: "empty" },
          make("h2", {}, knowsAlarms() ? gettext("No open alarms") : gettext("Not known")),
          make("p", {}, knowsAlarms() ? calm() : gettext("No alarm had been recorded by then.")),
        ),
      );
    return;
  }
  attention.querySelector(".body, .empty").replaceWith(make("ul", { class: "body" }, ...listed.map(attentionRow)));
}

const rows = new Map([...attention.querySelectorAll("li[data-alarm]")].map((row) => [Number(row.dataset.alarm), row]));

function attentionRow(alarm) {
  const known = rows.get(alarm.id);
  if (known) {
    known.querySelector("svg.pr").replaceWith(alarmSymbol(alarm));
    drawLasting(known.querySelector(".num"), alarm);
    return known;
  }
  const { place, url } = placeOf(alarm.asset);
  const lasting = make("span", { class: "num muted live" });
  drawLasting(lasting, alarm);
  const row = make(
    "li",
    { "data-alarm": alarm.id },
    make(
      "a",
      { href: url || attention.querySelector(".all").href },
      alarmSymbol(alarm),
      make("span", { class: "trunc" }, make("b", {}, alarm.asset), " ", make("span", { class: "muted" }, place)),
      lasting,
      make("p", { class: "why" }, [alarm.message, reading(alarm)].filter(Boolean).join(", ")),
    ),
  );
  rows.set(alarm.id, row);
  return row;
}

// --- Figures -----------------------------------------------------------------------------------------------------------

function drawFigures() {
  const counts = countKinds(cells);
  setText(kpi("running"), String(counts.running));
  const others = KINDS.slice(1).filter((kind) => counts[kind]);
  const detail = others.map((kind) => `${counts[kind]} ${KIND_WORDS[kind]}`).join(", ");
  setText(document.querySelector("#kpi-machines .detail"), detail);
  drawShares(
    document.querySelector("#kpi-machines .shares"),
    KINDS.map((kind) => [kind, counts[kind]]),
  );
  for (const line of document.querySelectorAll(".ln")) {
    const place = line.querySelector("[data-running]");
    if (place) setText(place, String(line.querySelectorAll("a.hexg.running").length));
  }
  const time = now();
  drawFresh(intervals ? countFresh(plant, time, intervals, sources) : plant.fresh, time);
}

function drawFresh(counted, time) {
  const isKnown = counted !== null && time - counted.time <= NOT_COUNTED_AFTER;
  const { fresh, all } = isKnown ? counted.sensors : { fresh: 0, all: 0 };
  setText(kpi("fresh"), isKnown ? number(fresh, 0) : NO_VALUE);
  setText(kpi("stale"), isKnown ? number(all - fresh, 0) : NO_VALUE);
  drawShares(document.querySelector("#kpi-sensors .shares"), [
    ["running", fresh],
    ["offline", all - fresh],
  ]);
  if (counted === null) return;
  for (const row of document.querySelectorAll("[data-source]")) {
    const source = counted.sources.get(row.dataset.source);
    if (source?.all) drawConnection(row, source, time, isKnown);
  }
}

/** A source's share of fresh sensors, and the age of its newest reading. */
function drawConnection(row, { fresh, all, newest }, time, isKnown) {
  setAttribute(row.querySelector(".fl"), "width", isKnown ? `${((fresh / all) * 100).toFixed(1)}%` : "0%");
  const place = row.querySelector(".num");
  const old = newest === null ? null : (time - newest) / 1000;
  setText(place, old === null ? gettext("no data yet") : age(old));
  place.classList.toggle("stalev", old === null || old > OLD_AFTER);
}

/** What no event carries is asked for; while the server does not answer, the page says that it is not live. */
async function askFigures() {
  const place = document.querySelector("[data-figures]");
  if (document.hidden || isLost()) return;
  let figures;
  try {
    const answer = await fetch(asOf(place.dataset.figures), { credentials: "same-origin" });
    if (!answer.ok) return;
    figures = await answer.json();
  } catch {
    return;
  }
  setText(kpi("rate"), howMany(figures.rate.at(-1)));
  drawColumns(document.querySelector("#kpi-rate .cols"), figures.rate);
  const { readings, seconds, share, reason } = figures.pipeline;
  setText(kpi("lag"), reason ? gettext("ill") : age(seconds));
  setText(kpi("waiting"), number(readings, 0));
  setAttribute(document.querySelector("#kpi-pipeline .fl"), "width", `${(share * 100).toFixed(1)}%`);
  document.getElementById("kpi-pipeline").classList.toggle("ill", reason !== "");
  const ill = document.getElementById("pipeline-ill");
  setText(ill.querySelector(".reason"), reason);
  ill.hidden = reason === "";
}

/** As plant/drawing/charts.py: the height is a square root, so that 1 and 30 can both be read. */
function drawColumns(chart, values) {
  const height = Number(chart.getAttribute("height"));
  const top = Math.sqrt(Math.max(10, ...values));
  [...chart.children].forEach((column, place) => {
    const tall = Math.max(1, (Math.sqrt(values[place]) / top) * height);
    setAttribute(column, "y", (height - tall).toFixed(1));
    setAttribute(column, "height", tall.toFixed(1));
  });
}

function drawShares(bar, parts) {
  if (!bar) return;
  const total = parts.reduce((sum, [, count]) => sum + count, 0) || 1;
  let x = 0;
  for (const [name, count] of parts) {
    let piece = bar.querySelector(`.${name}`);
    if (!piece) {
      piece = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      piece.setAttribute("class", name);
      piece.setAttribute("height", "8");
      bar.append(piece);
    }
    const wide = (count / total) * 1000;
    setAttribute(piece, "x", x.toFixed(1));
    setAttribute(piece, "width", count ? Math.max(1, wide - 3).toFixed(1) : "0");
    x += wide;
  }
}

export function start() {
  startHoneycomb(new Map(cells.map((cell) => [cell.link, cell])), alarmsOf);
  followMachines({ anew: drawFigures, alarms: () => load().then(drawAlarms), second: drawFigures });
  setInterval(askFigures, ASK_EVERY);
}
