// Sparklines of the page go on: each minute the newest value of their sensor comes in at the right; each minute of the
// time that the page tells of, so in playback at its speed.

import { setAttribute } from "../lib/dom.js";
import { painter } from "../lib/painter.js";
import { isPresented } from "../state/alarms.js";
import { draw, next, SLOT, slotsSince } from "../state/spark.js";
import { onLeap } from "./leap.js";
import { isLost, now, on, past, plant } from "./live.js";

const LOOK_EVERY = 1000; // ms

let lines = [];
let last = 0; // when the last point came in

function read(element) {
  const { spark, points, normal, limit, below } = element.dataset;
  return {
    element,
    tag: spark,
    points: JSON.parse(points),
    normal: normal ? normal.split(" ").map(Number) : null,
    limit: limit === "" ? null : Number(limit),
    below: below !== undefined,
  };
}

function show(line) {
  const { path, hot, band } = draw(line.points, line);
  const { element } = line;
  setAttribute(element.querySelector("path:not(.hot)"), "d", path);
  // The part past a limit is drawn while its alarm stands, and no longer.
  const stands = [...plant.alarms.values()].some((alarm) => alarm.sensor === line.tag && isPresented(alarm));
  setAttribute(element.querySelector(".hot"), "d", stands ? hot : "");
  const rect = element.querySelector(".bandr");
  if (!rect || !band) return;
  setAttribute(rect, "y", band.y.toFixed(1));
  setAttribute(rect, "height", band.height.toFixed(1));
}

const paint = painter(show);

function step() {
  if (!plant.complete || isLost()) return;
  const time = now();
  const slots = slotsSince(last, time);
  if (!slots) return;
  last = time - ((time - last) % SLOT);
  for (const line of lines) {
    const reading = plant.values.get(line.tag);
    const fresh = reading && reading.quality !== "bad" && time - reading.time < SLOT;
    for (let slot = 0; slot < slots; slot += 1) line.points = next(line.points, fresh ? reading.value : null);
    paint(line);
  }
}

/** The lines as another reading of the page has them; one that it does not have begins anew, live it goes on. */
function takeAll(page) {
  const drawn = [...page.querySelectorAll("svg[data-spark]")];
  const read = new Map(drawn.map(({ dataset }) => [dataset.spark, dataset.points]));
  last = now();
  for (const line of lines) {
    const points = read.get(line.tag);
    if (points === undefined && past === null) continue;
    line.points = JSON.parse(points ?? "[]");
    show(line);
  }
}

/** Finds the page's sparklines; call it again when some were added. */
export function refreshSparks() {
  const known = new Map(lines.map((line) => [line.element, line]));
  lines = [...document.querySelectorAll("svg[data-spark]")].map((element) => known.get(element) ?? read(element));
}

export function startSparks() {
  refreshSparks();
  last = now();
  onLeap(takeAll);
  setInterval(step, LOOK_EVERY);
  on("alarm", ({ alarm }) => lines.filter((line) => line.tag === alarm.sensor).forEach(show));
}
