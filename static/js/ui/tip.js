// The tip of a machine: what the page knows of it at once; its key values, and since when its state has lasted, are
// asked of the server for as long as the tip is open. plant/pages/tip.py answers.

import { askedAgain } from "../lib/again.js";
import { parsed } from "../lib/asked.js";
import { make, svg } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { worst } from "../state/alarms.js";
import { age, duration, NO_VALUE } from "../state/writing.js";
import { drawLasting } from "./lasting.js";
import { asOf, isLost, knownUntil, now, on, plant } from "./live.js";
import { load, placeOf } from "./places.js";
import { alarmSymbol } from "./symbols.js";

const EVERY = 2_000; // ms from an answer to the next question
const WITHIN = 3_000; // ms: a later answer is none, so that no value is older than both together
const VALUES = 3; // as KEY_VALUES in plant/pages/key_values.py: their place is kept from the beginning

const ask = (address) => fetch(address, { credentials: "same-origin", signal: AbortSignal.timeout(WITHIN) });
const reading = askedAgain({ every: EVERY, take, ask });
let open = null; // { cell, alarmsOf, element, below, figures: rows, state: what was told of it, waits: for an answer }

const row = (...parts) => make("div", { class: "r" }, ...parts);
const figure = (...parts) => make("div", { class: "r fig" }, ...parts);
const unknown = () => Array.from({ length: VALUES }, () => figure(make("span", { class: "end dim" }, NO_VALUE)));

/** Opens the tip of a cell, as readCell in honeycomb.js gives it, in place of the one before. */
export function show(cell, alarmsOf) {
  hide();
  const element = make("div", { class: "tip of-machine" });
  open = { cell, alarmsOf, element, below: null, figures: unknown(), state: null, waits: !isLost() };
  cell.link.closest("main").append(element); // a part of what the page is about, for whoever walks it by its landmarks
  draw();
  load().then(() => open?.element === element && draw());
  if (open.waits) read();
}

export function hide() {
  reading.stop();
  open?.element.remove();
  open = null;
}

function read() {
  const address = new URL(open.cell.link.getAttribute("href"), location.href);
  address.searchParams.set("tip", "");
  reading.start(() => asOf(address));
}

/** Takes the server's answer; one without values, as that of the door, tells nothing. */
function take(text) {
  const told = text === null ? null : parsed(text).querySelector("[data-tip]");
  open.waits = false;
  open.state = told?.dataset ?? null;
  open.figures = told ? [...told.children] : unknown();
  while (open.figures.length < VALUES) open.figures.push(figure());
  draw();
}

// --- Drawing -----------------------------------------------------------------------------------------------------------

function draw() {
  const { cell, alarmsOf, element, figures } = open;
  const icon = svg("svg", { class: `hexg ${cell.kind}`, width: 14, height: 14, viewBox: "0 0 16 16" });
  icon.append(
    svg("polygon", { class: "hex", points: "8,1 14.1,4.5 14.1,11.5 8,15 1.9,11.5 1.9,4.5" }),
    svg("use", { class: "mk", href: `#m-${cell.kind}`, x: 8, y: 8 }),
  );
  const rows = [row(icon, make("b", {}, cell.code), make("span", { class: "muted" }, placeOf(cell.code).name)), stateOf(cell)];
  for (const alarm of worst(alarmsOf(cell), 1)) {
    const lasting = make("span", { class: "end muted" });
    drawLasting(lasting, alarm);
    rows.push(row(alarmSymbol(alarm), make("span", {}, alarm.message), lasting));
  }
  element.replaceChildren(...rows, ...figures);
  place();
}

function stateOf(cell) {
  const line = make("div", { class: "r muted" });
  if (cell.kind === "offline") {
    const last = cell.newest && fill(gettext("offline, last reading %(age)s ago"), { age: age((now() - cell.newest) / 1000) });
    line.append(last || gettext("offline, no reading yet"));
  } else line.append(cell.word, make("span", { class: "end" }, ...lastingOf(cell)));
  return line;
}

/** Since when the state has lasted; where that is not known, or the state itself is old, when it was read. */
function lastingOf(cell) {
  if (open.state?.kind === cell.kind && !cell.stale) {
    const { since, longer } = open.state;
    if (since === undefined) return [gettext("for over 24 h")];
    const lasting = make("span", { class: "num", "data-since": since }, duration(now() / 1000 - Number(since)));
    const word = longer === undefined ? gettext("for") : gettext("for at least");
    return [word, " ", lasting];
  }
  const time = cell.stateTag && !open.waits ? plant.values.get(cell.stateTag)?.time : null;
  return time ? [fill(gettext("read %(age)s ago"), { age: age((now() - time) / 1000) })] : [];
}

/** Beside its hexagon, on the side where there was room for it when it opened. */
function place() {
  const { cell, element } = open;
  const at = cell.link.getBoundingClientRect();
  open.below ??= at.bottom + element.offsetHeight + 8 <= innerHeight;
  element.style.left = `${Math.max(8, Math.min(innerWidth - element.offsetWidth - 8, at.left + at.width / 2 + 6))}px`;
  element.style.top = `${open.below ? at.bottom + 6 : at.top - element.offsetHeight - 6}px`;
}

// --- Connection --------------------------------------------------------------------------------------------------------

on("lost", () => {
  reading.stop();
  if (!open) return;
  Object.assign(open, { figures: unknown(), state: null, waits: false });
  draw();
});
// After a loss, and of another moment in playback.
on("snapshot", () => open && read());
