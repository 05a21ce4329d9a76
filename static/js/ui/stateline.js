// The state line goes on with the machine's state; plant/drawing/timeline.py is its twin.

import { setAttribute, setText, svg } from "../lib/dom.js";
import { gettext } from "../lib/words.js";
import { goOn, lasted, lasting, SPAN } from "../state/day.js";
import { SHAPES } from "./symbols.js";

const place = document.getElementById("day");
const WORDS = {
  running: gettext("running"),
  idle: gettext("idle"),
  stopped: gettext("stopped"),
  fault: gettext("fault"),
  reporting: gettext("reporting"),
  offline: gettext("no data"),
};

let stretches = [];
let marks = [];

function readFrom(day) {
  stretches = JSON.parse(day?.dataset.stretches ?? "[]");
  marks = JSON.parse(day?.dataset.marks ?? "[]");
}

readFrom(place);

/** The line as another reading of the page has it, where that could be read; `drawDay` draws it. */
export const takeDay = (page) => page.getElementById("day") && readFrom(page.getElementById("day"));

/** Lets the line go on to `now`, in seconds; `since` is when the state was first read. */
export function drawDay(kind, now, since) {
  if (!place) return;
  stretches = goOn(stretches, kind, now, since ?? now);
  const at = (time) => Math.max(0, Math.min(1, (time - (now - SPAN)) / SPAN)) * 100;
  const bars = place.querySelector(".bars");
  while (bars.children.length > stretches.length) bars.lastChild.remove();
  while (bars.children.length < stretches.length) bars.append(svg("rect", { y: 12, height: 16 }));
  stretches.forEach(([one, start, end], number) => {
    const bar = bars.children[number];
    setAttribute(bar, "class", one);
    setAttribute(bar, "x", `${at(start).toFixed(3)}%`);
    setAttribute(bar, "width", `${(at(end) - at(start)).toFixed(3)}%`);
  });
  const signs = place.querySelector(".signs");
  const shown = marks.filter(([time]) => time > now - SPAN && time <= now);
  while (signs.children.length > shown.length) signs.firstChild.remove();
  shown.forEach(([time, priority], number) => {
    if (!signs.children[number]) signs.append(sign(priority));
    setAttribute(signs.children[number], "class", `p${priority}`);
    setAttribute(signs.children[number], "x", `${at(time).toFixed(3)}%`);
  });
  const words = lasted(stretches).map(([one, took]) => `${WORDS[one]} ${lasting(took, gettext("under 1 min"))}`);
  setText(place.querySelector("[data-words]"), words.join(", "));
}

function sign(priority) {
  const [name, shape] = SHAPES[priority];
  const moved = svg("g", { transform: "translate(-8)" }, svg(name, { class: "sh", ...shape }));
  return svg("svg", { y: -1, width: 12, height: 12, viewBox: "0 0 16 16" }, moved);
}

/** An alarm that was raised now. */
export function markDay(alarm) {
  marks.push([Date.parse(alarm.raised) / 1000, alarm.priority]);
}
