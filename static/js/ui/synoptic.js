// A synoptic: the elements of a drawing follow the page's one picture of the plant.

import { onKeys, onAct } from "../lib/dispatch.js";
import { pageData, setAttribute, setText, svg } from "../lib/dom.js";
import { painter } from "../lib/painter.js";
import { fill, gettext } from "../lib/words.js";
import { group, isPresented, lookOf, PRIORITY_WORDS, tally, worst } from "../state/alarms.js";
import { condition, isStale, labelKey } from "../state/freshness.js";
import { silenceOf } from "../state/silence.js";
import { angleOf, filledBox, holds, inside, pieces, samples, shareOf, wordOf, zoomed } from "../state/synoptic.js";
import { isLost, now, on, plant } from "./live.js";
import { drawCounts, prioritySymbol } from "./symbols.js";

const BOUND =
  "[data-sensor], [data-alarm], [data-asset], [data-bind], [data-format], [data-range], [data-angle], [data-pivot], " +
  "[data-from], [data-when], [data-at]";
const SHAPES = new Set(["circle", "ellipse", "path", "polygon", "rect"]);
const BADGE = { least: 14, most: 24, share: 1 / 60 }; // px, and of the drawing's width
const CORNERS = { "top-right": [1, 0], "top-left": [0, 0], "bottom-right": [1, 1], "bottom-left": [0, 1], center: [0.5, 0.5] };

const facts = pageData("synoptic-facts", { bindings: [], sensors: {}, assets: {} });
const stage = document.getElementById("synoptic-stage");
const root = stage.querySelector("svg");
const top = svg("g", { class: "sy-top" });

let parts = [];
let byTag = new Map(); // tag → parts
let byAsset = new Map(); // code → parts
let showing = []; // parts that are told whose alarms they show
let ofSensor = new Map(); // tag → alarms
let ofAsset = new Map(); // code → alarms
let newest = new Map(); // code → ms
const assetOfPart = new Map(); // code of an asset or a part of it → codes of the assets that it counts to

// --- Building -----------------------------------------------------------------------------------------------------------

/** Puts an element into a group that has its place, so that what is drawn for it stands in the same coordinates. */
function hold(element) {
  const holder = svg("g", { class: "sy-part" });
  const transform = element.getAttribute("transform");
  element.before(holder);
  holder.append(element);
  if (transform) {
    holder.setAttribute("transform", transform);
    element.removeAttribute("transform");
  }
  return holder;
}

/** Makes a link of an element; gives the link, or the one that it stands in already. */
function linked(holder, href) {
  const around = holder.closest("a");
  if (around || !href) return around;
  const title = svg("title");
  const link = svg("a", { href, class: "sy-link" }, title);
  holder.before(link);
  link.append(holder);
  return link;
}

function build() {
  const elements = [...root.querySelectorAll(BOUND)];
  parts = facts.bindings.map((binding, place) => ({ place, binding, element: elements[place] })).filter(
    ({ element }) => element,
  );
  for (const part of parts) {
    const { binding, element } = part;
    part.sensor = facts.sensors[binding.sensor] ?? null;
    part.asset = facts.assets[binding.asset] ?? null;
    part.ways = new Set(binding.ways ?? []);
    // A part of a text has no place of its own: what is drawn for it stands around the whole text.
    part.target = element.localName === "tspan" ? element.closest("text") : element;
    part.holder = part.target.parentNode.classList.contains("sy-part") ? part.target.parentNode : hold(part.target);
    if (part.asset && !element.querySelector("[data-asset]")) part.link = linked(part.holder, part.asset.url);
  }
  for (const part of parts) {
    const { binding, holder } = part;
    if (part.sensor && part.ways.size && !(part.ways.size === 1 && part.ways.has("visible"))) {
      const address = `${facts.trends}${encodeURIComponent(binding.sensor)}`;
      if (!holder.closest("a")) part.own = linked(holder, address);
    }
    if (binding.unknown) {
      holder.classList.add("unknown");
      holder.append(svg("title", {}, fill(gettext("The plant has no %(name)s"), { name: binding.unknown })));
    }
  }
  root.append(top);
  root.classList.add("ready");
  for (const part of parts) decorate(part);
  index();
}

function decorate(part) {
  const { binding, sensor, ways, holder, element } = part;
  part.box = boxOf(part);
  if (binding.unknown) {
    if (ways.has("text") || element.localName === "text") wordsOf(part).replaceChildren("?");
    holder.append(svg("rect", { class: "sy-unknown", ...around(part.box, part) }));
    return;
  }
  if (ways.has("text") && sensor) layText(part);
  if (ways.has("level") && sensor && rangeOf(part)) layLevel(part);
  if (ways.has("fill")) {
    const { x, y, width, height } = part.box;
    const size = Math.min(width, height, 64) / 16;
    const place = `translate(${x + width / 2} ${y + height / 2}) scale(${size})`;
    part.mark = svg("use", { class: "sy-mark", transform: place });
    holder.append(part.mark);
  }
  if (binding.alarm || (ways.has("text") && sensor)) {
    part.badge = svg("g", { class: "sy-badge" });
    top.append(part.badge);
  }
}

const rangeOf = ({ binding, sensor }) => binding.range ?? sensor?.range ?? null;

function boxOf({ target, element }) {
  try {
    const { x, y, width, height } = (element.getBBox ? element : target).getBBox();
    return { x, y, width, height };
  } catch {
    return { x: 0, y: 0, width: 0, height: 0 }; // it is not drawn
  }
}

/** A box with a margin of a quarter of a text's size, or a small one around a shape. */
function around(box, { element }) {
  const size = Number.parseFloat(getComputedStyle(element).fontSize) || 12;
  const gap = element.localName === "text" || element.localName === "tspan" ? size / 4 : 0;
  return { x: box.x - gap, y: box.y - gap / 3, width: box.width + 2 * gap, height: box.height + gap / 1.5 };
}

/** The element that holds the text: editors put it into a tspan. */
function wordsOf({ element }) {
  if (element.localName !== "text") return element;
  const [first, ...others] = element.querySelectorAll("tspan");
  for (const other of others) other.textContent = "";
  return first ?? element;
}

/** Gives a text its box, as wide as its widest value: nothing moves when the digits change. */
function layText(part) {
  const { binding, sensor, holder } = part;
  const words = wordsOf(part);
  part.words = words;
  let widest = null;
  for (const sample of samples(sensor)) {
    words.replaceChildren(...pieces(binding.format, sensor, sample).map(([, text]) => text));
    const box = boxOf(part);
    if (widest === null || box.width > widest.width) widest = box;
  }
  part.pieces = pieces(binding.format, sensor, "–").map(([kind, text]) => [kind, svg("tspan", { class: kind || null }, text)]);
  words.replaceChildren(...part.pieces.map(([, piece]) => piece));
  part.box = widest;
  part.ground ??= svg("rect", { class: "sy-box", rx: 3 });
  for (const [name, value] of Object.entries(around(widest, part))) setAttribute(part.ground, name, value.toFixed(2));
  holder.prepend(part.ground);
}

/** Draws a vessel's level inside its outline. */
function layLevel(part) {
  const { element, holder, place } = part;
  const filling = svg("g", { class: "sy-filling" });
  part.level = svg("rect", { class: "sy-level" });
  part.surface = svg("line", { class: "sy-surface" });
  filling.append(part.level, part.surface);
  if (SHAPES.has(element.localName)) {
    const id = `sy-level-${place}`;
    const [shape, outline] = [bare(element), bare(element)];
    outline.setAttribute("class", "sy-outline");
    holder.append(svg("clipPath", { id }, shape), filling, outline);
    filling.setAttribute("clip-path", `url(#${id})`);
  } else holder.append(filling);
}

function bare(element) {
  const copy = element.cloneNode(false);
  for (const { name } of [...copy.attributes]) if (name === "id" || name.startsWith("data-")) copy.removeAttribute(name);
  return copy;
}

/** Remembers which parts follow what. */
function index() {
  showing = parts.filter(({ binding }) => binding.alarm);
  byTag = group(parts, ({ binding }) => binding.sensor || null);
  byAsset = group(parts, ({ binding }) => [...new Set([binding.follows, binding.asset])].filter(Boolean));
  for (const [code, { parts: below }] of Object.entries(facts.assets)) {
    for (const part of below) {
      if (!assetOfPart.has(part)) assetOfPart.set(part, []);
      assetOfPart.get(part).push(code);
    }
  }
}

// --- Badges: upright, over everything, never too small to read ------------------------------------------------------------

function placeBadges() {
  const screen = root.getScreenCTM();
  if (!screen) return;
  const back = screen.inverse();
  const pixels = Math.hypot(screen.a, screen.b);
  const size = Math.max(BADGE.least, Math.min(BADGE.most, view.width * pixels * BADGE.share));
  for (const { badge, holder, box, binding } of parts) {
    const own = badge && holder.getScreenCTM();
    if (!own) continue;
    const matrix = back.multiply(own);
    const corners = [[0, 0], [1, 0], [0, 1], [1, 1]].map(([x, y]) =>
      new DOMPoint(box.x + x * box.width, box.y + y * box.height).matrixTransform(matrix),
    );
    const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
    const [right, down] = CORNERS[binding.corner || "top-right"];
    const x = Math.min(...xs) + right * (Math.max(...xs) - Math.min(...xs));
    const y = Math.min(...ys) + down * (Math.max(...ys) - Math.min(...ys));
    const scale = size / 16 / pixels;
    setAttribute(badge, "transform", `translate(${(x - 8 * scale).toFixed(2)} ${(y - 8 * scale).toFixed(2)}) scale(${scale.toFixed(4)})`);
  }
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

// --- Drawing ------------------------------------------------------------------------------------------------------------

const ms = (seconds) => (seconds == null ? null : seconds * 1000);

function stateOf(code) {
  const asset = facts.assets[code];
  if (!asset?.machine) return null;
  const reading = asset.tag ? plant.values.get(asset.tag) : null;
  const after = { stale: ms(asset.stale), offline: ms(asset.offline) };
  return condition(now(), newest.get(code) ?? null, after, reading, asset.words, plant.silent.has(code));
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

function drawPart(part) {
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
  holder.classList.toggle("al", priority !== null);
  for (const name of ["p1", "p2", "p3", "p4"]) holder.classList.toggle(name, name === `p${priority}`);
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
function drawList() {
  for (const place of document.querySelectorAll("[data-counts-of]")) {
    drawCounts(place, tally(ofAsset.get(place.dataset.countsOf) ?? []), { size: place.dataset.size ?? "" });
  }
  for (const place of document.querySelectorAll("[data-state-of]")) {
    const state = stateOf(place.dataset.stateOf);
    const want = state && `${state.kind} ${state.word}`;
    if (!state || place.dataset.drawn === want) continue;
    place.dataset.drawn = want;
    setAttribute(place.querySelector("svg"), "class", `hexg ${state.kind}`);
    setAttribute(place.querySelector("use"), "href", `#m-${state.kind}`);
    setText(place.querySelector(".st > span"), state.word[0].toUpperCase() + state.word.slice(1));
  }
}

// --- What changes ---------------------------------------------------------------------------------------------------------

const paint = painter(drawPart);
const paintList = painter(drawList);
const all = () => {
  for (const part of parts) paint(part);
};

function sortAlarms() {
  ofSensor = group(plant.alarms.values(), (alarm) => alarm.sensor);
  ofAsset = group(plant.alarms.values(), (alarm) => assetOfPart.get(alarm.asset) ?? []);
}

function hearOf(tag) {
  const at = plant.values.get(tag)?.time ?? 0;
  for (const code of assetOfPart.get(tag.slice(0, tag.indexOf("/"))) ?? []) {
    if (at > (newest.get(code) ?? 0)) newest.set(code, at);
  }
}

function onSnapshot() {
  newest = new Map();
  for (const tag of plant.values.keys()) hearOf(tag);
  sortAlarms();
  all();
  drawList();
}

function onValues(tags) {
  for (const tag of tags) {
    hearOf(tag);
    for (const part of byTag.get(tag) ?? []) paint(part);
  }
  for (const code of new Set(tags.flatMap((tag) => assetOfPart.get(tag.slice(0, tag.indexOf("/"))) ?? []))) {
    for (const part of byAsset.get(code) ?? []) paint(part);
  }
}

/** An alarm waits for no paint clock, but only what shows it is drawn. */
function onAlarm({ alarm, before }) {
  sortAlarms();
  paintList("list");
  if (alarm.silent || before?.silent) all();
  const codes = assetOfPart.get(alarm.asset) ?? [];
  const shown = new Set(byTag.get(alarm.sensor));
  for (const code of codes) for (const part of byAsset.get(code) ?? []) shown.add(part);
  for (const part of showing) {
    const { asset, sensor } = part.binding.alarm;
    if (sensor ? sensor === alarm.sensor : codes.includes(asset)) shown.add(part);
  }
  for (const part of shown) drawPart(part);
}

// --- Zoom and pan ---------------------------------------------------------------------------------------------------------

const { x, y, width, height } = root.viewBox.baseVal;
const whole = { x, y, width, height };
let view = whole;

function look(next) {
  view = next;
  setAttribute(root, "viewBox", [view.x, view.y, view.width, view.height].map((part) => part.toFixed(2)).join(" "));
  const near = view.width < whole.width * 0.999;
  stage.classList.toggle("near", near);
  for (const button of document.querySelectorAll("[data-act=synoptic-fit], [data-act=synoptic-out]")) {
    setAttribute(button, "aria-disabled", String(!near));
  }
  placeBadges();
}

const middle = () => ({ x: view.x + view.width / 2, y: view.y + view.height / 2 });
const zoom = (factor, point = middle()) => look(zoomed(view, whole, factor, point));
const move = (right, down) => look(inside({ ...view, x: view.x + right * view.width, y: view.y + down * view.height }, whole));

function pointAt({ clientX, clientY }) {
  return new DOMPoint(clientX, clientY).matrixTransform(root.getScreenCTM().inverse());
}

/** One finger or the mouse moves what is near, two fingers zoom; a click stays a click. */
function startPointers() {
  const down = new Map();
  let moved = 0;
  stage.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, event);
    moved = 0;
  });
  const up = (event) => down.delete(event.pointerId);
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) stage.addEventListener(name, up);
  stage.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const [from, to] = [pointAt(before), pointAt(event)];
    const others = [...down.values()].filter((one) => one.pointerId !== event.pointerId);
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (others.length === 1) {
      const fixed = pointAt(others[0]);
      zoom(Math.hypot(to.x - fixed.x, to.y - fixed.y) / Math.max(1e-6, Math.hypot(from.x - fixed.x, from.y - fixed.y)), fixed);
    } else if (moved > 4) look(inside({ ...view, x: view.x + from.x - to.x, y: view.y + from.y - to.y }, whole));
    down.set(event.pointerId, event);
  });
  stage.addEventListener("click", (event) => event.detail && moved > 4 && event.preventDefault(), true);
  stage.addEventListener("dragstart", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), pointAt(event));
  }, { passive: false });
}

function startKeys() {
  onAct({ "synoptic-in": () => zoom(1.5), "synoptic-out": () => zoom(1 / 1.5), "synoptic-fit": () => look(whole) });
  onKeys({ "+": "synoptic-in", "-": "synoptic-out", "0": "synoptic-fit" });
  const steps = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] };
  stage.addEventListener("keydown", (event) => {
    if (!steps[event.key] || view.width >= whole.width * 0.999) return;
    event.preventDefault();
    move(...steps[event.key]);
  });
  // What has the focus is in sight.
  stage.addEventListener("focusin", ({ target }) => {
    if (target === stage || view.width >= whole.width * 0.999) return;
    const [seen, box] = [stage.getBoundingClientRect(), target.getBoundingClientRect()];
    if (box.left < seen.left || box.right > seen.right || box.top < seen.top || box.bottom > seen.bottom) {
      const at = pointAt({ clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 });
      look(inside({ ...view, x: at.x - view.width / 2, y: at.y - view.height / 2 }, whole));
    }
  });
}

export function start() {
  build();
  look(whole);
  startPointers();
  startKeys();
  on("snapshot", onSnapshot);
  on("values", onValues);
  on("alarm", onAlarm);
  if (plant.complete) onSnapshot();
  new ResizeObserver(placeBadges).observe(stage);
  document.fonts?.ready.then(() => {
    for (const part of parts) if (part.words) layText(part);
    placeBadges();
    if (plant.complete) all();
  });
  setInterval(() => {
    if (isLost() || !plant.complete) return;
    all();
    drawList();
  }, 1000);
}
