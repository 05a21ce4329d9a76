// What the elements of a synoptic show of a value. Pure; the bindings come from plant/synoptic/bindings.py.

import { labelKey } from "./freshness.js";
import { NO_VALUE, number } from "./writing.js";

const COMPARED = {
  "=": (value, limit) => value === limit,
  "!=": (value, limit) => value !== limit,
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
  "..": (value, low, high) => value >= low && value <= high,
};

/** Whether any of the tests holds for a value; `words` are what the value is called. */
export function holds(tests, value, words = []) {
  const called = words.filter(Boolean).map((word) => word.toLowerCase());
  return tests.some(([how, limit, upto]) =>
    how === "is" ? called.includes(limit.toLowerCase()) : value != null && COMPARED[how](value, limit, upto),
  );
}

/** Where a value lies in a range: 0 to 1, at the ends beyond them. */
export function shareOf(value, [low, high]) {
  return Math.max(0, Math.min(1, (value - low) / (high - low)));
}

/** The degrees of a pointer, clockwise. */
export const angleOf = (value, range, [from, to]) => from + shareOf(value, range) * (to - from);

/** A value in words or digits, without its unit. */
export function wordOf(sensor, value) {
  if (value == null) return NO_VALUE;
  if (sensor.labels) return sensor.labels[labelKey(value)] ?? labelKey(value);
  return number(value, sensor.decimals);
}

/** The pieces of a text that shows a value: [kind, text], kind "v" for the value, "u" for the unit, "" for the rest. */
export function pieces(format, sensor, word) {
  const filled = { value: ["v", word], unit: ["u", sensor.unit], name: ["", sensor.name] };
  const found = (format || "{value} {unit}")
    .split(/\{(value|unit|name)\}/)
    .map((text, place) => (place % 2 ? filled[text] : ["", text]))
    .filter(([, text]) => text);
  while (found.length && !found.at(-1)[1].trim()) found.pop(); // what stood before a unit that the sensor does not have
  return found;
}

/** The texts among which the widest is that a sensor can show. */
export function samples(sensor) {
  if (sensor.labels) return Object.values(sensor.labels);
  return (sensor.range ?? [0]).map((end) => number(end, sensor.decimals));
}

/** The part of a box, from one of its sides, that a level fills. */
export function filledBox({ x, y, width, height }, share, side) {
  switch (side) {
    case "top":
      return { x, y, width, height: height * share };
    case "left":
      return { x, y, width: width * share, height };
    case "right":
      return { x: x + width * (1 - share), y, width: width * share, height };
    default:
      return { x, y: y + height * (1 - share), width, height: height * share };
  }
}

/** A view zoomed by `factor` about a point that stays where it is, inside the whole; no further in than `most` times. */
export function zoomed(view, whole, factor, point, most = 12) {
  const width = Math.max(whole.width / most, Math.min(whole.width, view.width / factor));
  const scale = width / view.width;
  return inside(
    {
      x: point.x - (point.x - view.x) * scale,
      y: point.y - (point.y - view.y) * scale,
      width,
      height: view.height * scale,
    },
    whole,
  );
}

/** A view moved so far that it lies inside the whole. */
export function inside(view, whole) {
  return {
    ...view,
    x: Math.max(whole.x, Math.min(whole.x + whole.width - view.width, view.x)),
    y: Math.max(whole.y, Math.min(whole.y + whole.height - view.height, view.y)),
  };
}
