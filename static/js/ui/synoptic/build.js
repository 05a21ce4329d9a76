// A drawing made ready: each element that follows something has its place, its box, its level and its badge.

import { pageData, setAttribute, svg } from "../../lib/dom.js";
import { fill, gettext } from "../../lib/words.js";
import { group } from "../../state/alarms.js";
import { pieces, samples } from "../../state/synoptic.js";

const BOUND =
  "[data-sensor], [data-alarm], [data-asset], [data-bind], [data-format], [data-range], [data-angle], [data-pivot], " +
  "[data-from], [data-when], [data-at]";
const SHAPES = new Set(["circle", "ellipse", "path", "polygon", "rect"]);

export const facts = pageData("synoptic-facts", { bindings: [], sensors: {}, assets: {} });
export const stage = document.getElementById("synoptic-stage");
export const root = stage.querySelector("svg");
const top = svg("g", { class: "sy-top" });

export let parts = [];
export let byTag = new Map(); // tag → parts
export let byAsset = new Map(); // code → parts
export let showing = []; // parts that are told whose alarms they show
export const assetOfPart = new Map(); // code of an asset or a part of it → codes of the assets that it counts to

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

/** Makes a link of an element; gives the link, or the one that it stands in already. It has a name from the first. */
function linked(holder, href, name) {
  const around = holder.closest("a");
  if (around || !href) return around;
  const title = svg("title", {}, name);
  const link = svg("a", { href, class: "sy-link" }, title);
  holder.before(link);
  link.append(holder);
  return link;
}

export function build() {
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
    if (part.asset && !element.querySelector("[data-asset]")) part.link = linked(part.holder, part.asset.url, part.asset.name);
  }
  for (const part of parts) {
    const { binding, holder } = part;
    if (part.sensor && part.ways.size && !(part.ways.size === 1 && part.ways.has("visible"))) {
      const address = `${facts.trends}${encodeURIComponent(binding.sensor)}`;
      if (!holder.closest("a")) part.own = linked(holder, address, part.sensor.name);
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

export const rangeOf = ({ binding, sensor }) => binding.range ?? sensor?.range ?? null;

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
export function layText(part) {
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
