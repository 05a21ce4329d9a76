// What each part of a drawing shows: its value, its level, its state, its alarms; and the list below it.

import { setAttribute, setText } from "../../lib/dom.js";
import { fill, gettext } from "../../lib/words.js";
import { group, isPresented, lookOf, PRIORITY_WORDS, tally, worst } from "../../state/alarms.js";
import { afterOf, condition, isStale, labelKey } from "../../state/freshness.js";
import { silenceOf } from "../../state/silence.js";
import { angleOf, filledBox, holds, shareOf, wordOf } from "../../state/synoptic.js";
import { now, plant } from "../live.js";
import { drawCounts, markPriority, prioritySymbol } from "../symbols.js";
import { assetOfPart, facts, rangeOf } from "./build.js";

let ofSensor = new Map(); // tag → alarms
let ofAsset = new Map(); // code → alarms
let newest = new Map(); // code → ms

export function sortAlarms() {
  ofSensor = group(plant.alarms.values(), (alarm) => alarm.sensor);
  ofAsset = group(plant.alarms.values(), (alarm) => assetOfPart.get(alarm.asset) ?? []);
}

export function hearOf(tag) {
  const at = plant.values.get(tag)?.time ?? 0;
  for (const code of assetOfPart.get(tag.slice(0, tag.indexOf("/"))) ?? []) {
    if (at > (newest.get(code) ?? 0)) newest.set(code, at);
  }
}

/** Forgets when each asset was heard, and reads it from the picture. */
export function hearAnew() {
  newest = new Map();
  for (const tag of plant.values.keys()) hearOf(tag);
}

function drawBadge(part, alarms) {
  const [first] = worst(alarms, 1);
  const want = first ? `${first.priority} ${lookOf(first)}` : "";
  if (part.badgeDrawn === want) return;
  part.badgeDrawn = want;
  const symbol = first ? prioritySymbol(first.priority, lookOf(first)) : null;
  // Inside a drawing a style gives no size.
  for (const side of ["width", "height"]) symbol?.setAttribute(side, 16);
  part.badge.replaceChildren(...(symbol ? [symbol] : []));
}

function stateOf(code) {
  const asset = facts.assets[code];
  if (!asset?.machine) return null;
  const reading = asset.tag ? plant.values.get(asset.tag) : null;
  return condition(now(), newest.get(code) ?? null, afterOf(asset), reading, asset.words, plant.silent.has(code));
}

function readingOf({ binding, sensor }) {
  const reading = plant.values.get(binding.sensor);
  const silent = silenceOf(plant.silent, binding.sensor) !== undefined;
  const stale = silent || (reading !== undefined && isStale(now(), reading.time, sensor.interval));
  const bad = silent || !reading || reading.quality === "bad" || reading.value == null;
  return { value: bad ? null : reading.value, stale, bad };
}

function alarmsOf({ binding }) {
  if (!binding.alarm) return ofSensor.get(binding.sensor) ?? [];
  const { asset, sensor, rule } = binding.alarm;
  if (sensor) return ofSensor.get(sensor) ?? [];
  const found = ofAsset.get(asset) ?? [];
  return rule ? found.filter((alarm) => alarm.rule === rule && alarm.asset === asset) : found;
}

export function drawPart(part) {
  const { binding, sensor, ways, holder } = part;
  if (binding.unknown) return;
  if (part.badge) drawBadge(part, alarmsOf(part));
  const said = sensor ? drawSensor(part) : null;
  if (!sensor && binding.follows) drawState(part, stateOf(binding.follows));
  if (part.own) say(part.own, [sensor.name, said, alarmWords(ofSensor.get(binding.sensor) ?? [])]);
  if (part.link && part.asset) {
    const state = stateOf(binding.asset);
    say(part.link, [part.asset.name, state?.word, state?.stale && gettext("stale"), alarmWords(ofAsset.get(binding.asset) ?? [])]);
  }
  if (ways.has("visible") && !sensor && !binding.follows) holder.classList.remove("gone");
}

function drawSensor(part) {
  const { binding, sensor, ways, holder, element } = part;
  const { value, stale, bad } = readingOf(part);
  const standing = (ofSensor.get(binding.sensor) ?? []).filter((alarm) => isPresented(alarm) && alarm.state !== "D");
  const priority = tally(standing).worst;
  holder.classList.toggle("stale", stale || bad);
  markPriority(holder, priority);
  const word = wordOf(sensor, value);
  for (const [kind, piece] of part.pieces ?? []) if (kind === "v") setText(piece, word);
  if (part.level) drawLevel(part, value);
  if (ways.has("rotate") && value != null && rangeOf(part)) {
    const [x, y] = binding.pivot ?? [part.box.x + part.box.width / 2, part.box.y + part.box.height / 2];
    const angle = angleOf(value, rangeOf(part), binding.angle ?? [0, 360]);
    setAttribute(element, "transform", `rotate(${angle.toFixed(2)} ${x.toFixed(2)} ${y.toFixed(2)})`);
  }
  const called = sensor.labels ? [word] : [];
  if (ways.has("visible") && binding.when) {
    // What is not known is drawn, hatched: gone means that it is not so.
    holder.classList.toggle("gone", !bad && !holds(binding.when, value, called));
  }
  if (ways.has("fill")) {
    if (binding.when) kindOf(part, bad ? "offline" : holds(binding.when, value, called) ? "on" : "off");
    else if (sensor.words) kindOf(part, bad ? "offline" : (sensor.words[labelKey(value)]?.[0] ?? "reporting"));
    else if (sensor.labels) kindOf(part, bad ? "offline" : value ? "on" : "off");
  }
  return [`${word} ${sensor.unit}`.trim(), stale || bad ? gettext("stale") : ""].filter(Boolean).join(", ");
}

function drawLevel({ box, binding, level, surface, ...part }, value) {
  const side = binding.side || "bottom";
  const share = value == null ? 1 : shareOf(value, rangeOf({ binding, ...part }));
  const filled = filledBox(box, share, side);
  for (const [name, number] of Object.entries(filled)) setAttribute(level, name, Math.max(0, number).toFixed(2));
  const upright = side === "bottom" || side === "top";
  const edge = { bottom: filled.y, top: filled.y + filled.height, left: filled.x + filled.width, right: filled.x }[side];
  const ends = upright
    ? { x1: box.x, x2: box.x + box.width, y1: edge, y2: edge }
    : { x1: edge, x2: edge, y1: box.y, y2: box.y + box.height };
  for (const [name, number] of Object.entries(ends)) setAttribute(surface, name, number.toFixed(2));
}

function drawState(part, state) {
  if (!state) return;
  const { binding, ways, holder } = part;
  holder.classList.toggle("stale", state.stale);
  if (ways.has("visible") && binding.when) {
    const known = state.kind !== "offline";
    holder.classList.toggle("gone", known && !holds(binding.when, null, [state.kind, state.word]));
  }
  if (!ways.has("fill")) return;
  const met = binding.when && holds(binding.when, null, [state.kind, state.word]);
  if (binding.when) kindOf(part, state.kind === "offline" ? "offline" : met ? "on" : "off");
  else kindOf(part, state.kind);
}

function kindOf(part, kind) {
  if (part.kind === kind) return;
  if (part.kind) part.holder.classList.remove(`is-${part.kind}`);
  part.kind = kind;
  part.holder.classList.add(`is-${kind}`);
  if (["idle", "stopped", "fault"].includes(kind)) setAttribute(part.mark, "href", `#m-${kind}`);
  else part.mark?.removeAttribute("href");
}

function alarmWords(alarms) {
  const counted = tally(alarms);
  if (counted.worst === null) return "";
  const words = { priority: gettext(PRIORITY_WORDS[counted.worst]).toLowerCase() };
  return fill(counted.unacked ? gettext("%(priority)s alarm, unacknowledged") : gettext("%(priority)s alarm"), words);
}

function say(link, words) {
  const text = words.filter(Boolean).join(", ");
  setAttribute(link, "aria-label", text);
  setText(link.querySelector(":scope > title"), text);
}

/** The list below the drawing: state and alarms of each asset; its values follow by themselves. */
export function drawList() {
  for (const place of document.querySelectorAll("[data-counts-of]")) {
    drawCounts(place, tally(ofAsset.get(place.dataset.countsOf) ?? []), { size: place.dataset.size ?? "" });
  }
  for (const place of document.querySelectorAll("[data-state-of]")) {
    const state = stateOf(place.dataset.stateOf);
    const want = state && `${state.kind} ${state.word} ${state.stale}`;
    if (!state || place.dataset.drawn === want) continue;
    place.dataset.drawn = want;
    setAttribute(place.querySelector("svg"), "class", `hexg ${state.kind}${state.stale ? " stale" : ""}`);
    place.querySelector(".st").classList.toggle("stale", state.stale);
    setAttribute(place.querySelector("use"), "href", `#m-${state.kind}`);
    setText(place.querySelector(".st > span"), state.word[0].toUpperCase() + state.word.slice(1));
  }
}
