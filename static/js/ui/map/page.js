// The map: what stands and moves where, with its state and its alarms; all of it from the page's one picture.

import { lastAsked } from "../../lib/asked.js";
import { onAct } from "../../lib/dispatch.js";
import { pageData, setAttribute, setText, svg } from "../../lib/dom.js";
import { painter } from "../../lib/painter.js";
import { group } from "../../state/alarms.js";
import { condition, staleAfter } from "../../state/freshness.js";
import { CLOSEST, distance, extend, ground, onEarth, readView, scaleBar, trackPath, written } from "../../state/map.js";
import { age } from "../../state/writing.js";
import { isLost, now, on, plant } from "../live.js";
import { corners, startBase } from "./base.js";
import { startList } from "./list.js";
import { startSpots } from "./spots.js";
import { startView } from "./view.js";

const GAP_INTERVALS = 3;
const GAP_AT_LEAST = 30_000; // ms
const SPANS = { "1h": 3_600_000, "8h": 8 * 3_600_000 };

const data = pageData("map-data", { plan: null, layers: [], spots: [], words: [], below: {} });
const frame = document.getElementById("map");
const part = (name) => frame.querySelector(`.${name}`);

/** Where a spot is by its own fields, as [latitude, longitude]; null where only its sensors know. */
const standing = ({ at, plan }) => at ?? (plan && data.plan ? onEarth(data.plan, ...plan) : null);

// --- What is known of each spot --------------------------------------------------------------------------------------

const home = new Map(data.spots.map((one) => [one.code, standing(one)]));
const project = ground([...corners(data.layers, data.plan), ...[...home.values()].filter(Boolean)]);

const spots = data.spots.map((one) => {
  const [x, y] = home.get(one.code) ? project(...home.get(one.code)) : [null, null];
  const { kind = "", word = "", newest = null } = one.cell ?? {};
  return { codes: [one.code], ...one, x, y, kind, word, newest, stale: false, lost: "", track: [] };
});
const spotOf = new Map(spots.flatMap((spot) => spot.codes.map((code) => [code, spot])));
const cellOf = new Map(spots.filter(({ cell }) => cell).flatMap((spot) => (spot.cell.codes ?? [spot.code]).map((code) => [code, spot])));
const moverOf = new Map(spots.filter(({ moves }) => moves).flatMap((spot) => spot.moves.slice(0, 2).map((tag) => [tag, spot])));
const movers = [...new Set(moverOf.values())];

let alarmsOfSpot = new Map();
let alarmsOfCode = new Map();
const alarmsOf = (spot) => alarmsOfSpot.get(spot) ?? [];

function sortAlarms() {
  alarmsOfSpot = group(plant.alarms.values(), (alarm) => spotOf.get(alarm.asset));
  alarmsOfCode = group(plant.alarms.values(), (alarm) => alarm.asset);
}

function judge(spot) {
  if (!spot.cell) return;
  const { state, words, after } = spot.cell;
  const list = words === null ? null : data.words[words];
  const judged = condition(now(), spot.newest, after, state ? plant.values.get(state) : null, list, plant.silent.has(spot.code));
  Object.assign(spot, judged);
  if (spot.moves) judgePosition(spot);
}

/** Says how old a mover's position is once it is older than it should be. */
function judgePosition(spot) {
  const [latitude, longitude, interval] = spot.moves;
  const times = [latitude, longitude].map((tag) => plant.values.get(tag)?.time).filter(Boolean);
  const old = times.length ? now() - Math.min(...times) : null;
  const limit = staleAfter(interval);
  spot.lost = old !== null && limit !== null && old > limit ? age(old / 1000) : "";
}

/** Moves a mover to where its two sensors say it is. Tells whether it moved. */
function move(spot) {
  const [latitude, longitude, interval] = spot.moves;
  const [north, east] = [plant.values.get(latitude), plant.values.get(longitude)];
  if (!north || !east || north.quality === "bad" || east.quality === "bad") return false;
  if (Math.abs(north.value) > 85 || Math.abs(east.value) > 180) return false;
  const [x, y] = project(north.value, east.value);
  const gap = Math.max(GAP_INTERVALS * (interval ?? 0) * 1000, GAP_AT_LEAST);
  // One of the two comes first: the position is known when both have the same time.
  if (north.time === east.time) spot.track = extend(spot.track, [north.time, north.value, east.value], span(), gap);
  const moved = x !== spot.x || y !== spot.y;
  Object.assign(spot, { x, y });
  return moved;
}

// --- Drawing ---------------------------------------------------------------------------------------------------------

const base = startBase(part("base"), part("names"), data.layers, data.plan, project, data.below, () => {
  base.paint(alarmsOfCode);
  view.redraw();
});
const drawn = startSpots(part("spots"), frame, spots, alarmsOf, open);
const list = startList(document.getElementById("map-list"), spots, alarmsOf);
const bar = frame.querySelector(".scalebar");

let nearest = 0; // px a metre, as it is seen
const everything = () => drawn.around(spots) ?? null;
// The address keeps the view: a link leads to what its sender saw, and #press-1 to that machine.
const kept = decodeURIComponent(location.hash.slice(1));
let keeping = null;
function keep(seen) {
  clearTimeout(keeping);
  keeping = setTimeout(() => {
    const address = seen ? `#${written(seen, project.back)}` : location.pathname + location.search;
    history.replaceState(null, "", address);
  }, 300);
}

const draw = (seen, width, height) => {
  base.draw(seen, width, height);
  setAttribute(part("tracks"), "transform", part("base").getAttribute("transform"));
  base.name(seen, width, height, drawn.draw(seen, width, height));
  const { metres, pixels } = scaleBar(seen.scale);
  setText(bar.querySelector("text"), distance(metres));
  setAttribute(bar.querySelector("path"), "d", `M1 14v5h${pixels.toFixed(1)}v-5`);
  nearest = seen.scale;
};
const view = startView(frame, everything, draw, readView(kept, project), keep);

/** Opens a group: as near as its members stand apart, else their list. */
function open(items) {
  const box = drawn.around(items);
  const wide = Math.max(box.right - box.left, box.bottom - box.top);
  if (nearest >= CLOSEST || wide < 0.5) list.only(items);
  else view.show(box);
}

const paint = painter((spot) => {
  judge(spot);
  drawn.paint(spot);
  list.paint(spot);
});

const lines = new Map(
  movers.map((spot) => {
    const line = svg("path", { class: "track", "data-code": spot.code });
    part("tracks").append(line);
    return [spot, line];
  }),
);

function drawTrack(spot) {
  setAttribute(lines.get(spot), "d", trackPath(spot.track, project));
}

// --- What happens ----------------------------------------------------------------------------------------------------

function takeValues(tags) {
  let moved = false;
  for (const tag of tags) {
    const spot = cellOf.get(tag.slice(0, tag.indexOf("/")));
    if (!spot) continue;
    const { time } = plant.values.get(tag);
    const first = spot.newest === null;
    if (first || time > spot.newest) spot.newest = time;
    const mover = moverOf.get(tag);
    if (mover) {
      moved = move(mover) || moved;
      drawTrack(mover);
      paint(mover);
    } else if (first || tag === spot.cell.state || spot.kind === "offline" || spot.stale) paint(spot);
  }
  if (moved) view.redraw();
}

function paintAlarms() {
  sortAlarms();
  base.paint(alarmsOfCode);
}

function everythingAnew() {
  for (const spot of spots) {
    if (spot.cell) spot.newest = null;
    spot.track = [];
  }
  takeValues([...plant.values.keys()]);
  paintAlarms();
  for (const spot of spots) judge(spot);
  drawn.paintAll();
  list.paintAll();
  view.refit();
  askTracks();
}

const chosen = () => document.querySelector("[data-span][aria-pressed=true]")?.dataset.span ?? "1h";
const span = () => SPANS[chosen()];

const reading = lastAsked();

/**
 * Asks for the way that movers have come until now; what they went meanwhile comes after it. Without a connection the
 * page says that it is not live; the snapshot that follows asks again.
 */
async function askTracks() {
  if (!movers.length) return;
  const answer = await reading.read(`${frame.dataset.tracks}?span=${chosen()}&at=${Math.round(now())}`);
  if (!answer?.text) return;
  const { tracks } = JSON.parse(answer.text);
  for (const spot of movers) {
    const past = tracks[spot.code] ?? [];
    const until = past.at(-1)?.at(-1)?.[0] ?? 0;
    const [, , interval] = spot.moves;
    const gap = Math.max(GAP_INTERVALS * (interval ?? 0) * 1000, GAP_AT_LEAST);
    const since = spot.track.flat().filter(([time]) => time > until);
    spot.track = since.reduce((parts, position) => extend(parts, position, span(), gap), past);
    drawTrack(spot);
  }
}

let picked = null;

/** Brings a spot into the middle and marks it. */
function show(spot) {
  if (spot.x === null) return;
  picked = spot;
  view.goTo(spot.x, spot.y, drawn.alone(spot));
  drawn.light(spot);
}

export function start() {
  onAct({
    "map-show": (button) => {
      frame.focus({ preventScroll: true });
      show(spotOf.get(button.closest("li").dataset.code));
    },
    "map-span": (button) => {
      for (const other of document.querySelectorAll("[data-span]"))
        other.setAttribute("aria-pressed", String(other === button));
      for (const spot of movers) spot.track = [];
      askTracks();
    },
  });
  const rows = document.querySelector("#map-list ul");
  for (const event of ["pointerover", "focusin"]) {
    rows.addEventListener(event, ({ target }) => {
      const row = target.closest("li[data-code]");
      drawn.light(row ? spotOf.get(row.dataset.code) : picked);
    });
  }
  for (const event of ["pointerleave", "focusout"]) rows.addEventListener(event, () => drawn.light(picked));
  for (const spot of spots) judge(spot);
  list.find();
  view.redraw();
  if (spotOf.has(kept)) show(spotOf.get(kept));
  on("snapshot", everythingAnew);
  on("values", takeValues);
  on("alarm", ({ alarm, before, gone }) => {
    paintAlarms();
    // What is not heard any more, or heard again, may be any machine.
    if (alarm.silent || before?.silent) {
      for (const spot of spots) judge(spot);
      drawn.paintAll();
      list.paintAll();
      return;
    }
    for (const code of new Set([alarm.asset, ...gone.map((other) => other.asset)])) {
      const spot = spotOf.get(code);
      if (!spot) continue;
      drawn.paint(spot);
      list.paint(spot);
    }
  });
  setInterval(() => {
    if (!plant.complete || isLost()) return;
    for (const spot of spots) paint(spot);
  }, 1000);
}
