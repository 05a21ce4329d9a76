// The map's geometry: degrees to metres around the map's middle, what is in view, what stands too close together,
// how long the scale's bar is. Pure.

const EARTH = 6378137; // m, the equatorial radius of WGS 84
const RADIAN = Math.PI / 180;
export const CLUSTER = 36; // px within which symbols stand for each other
export const CLOSEST = 20; // px a metre
const WIDEST = 1e-5;
const MARGIN = 48; // px around what is to fit

const mercator = (latitude) => Math.log(Math.tan(Math.PI / 4 + (latitude * RADIAN) / 2));

/** Where a point of the site plan lies. Takes the plan's zero point and bearing as [latitude, longitude, degrees]. */
export function onEarth([latitude, longitude, bearing], x, y) {
  const turn = bearing * RADIAN;
  const east = x * Math.cos(turn) + y * Math.sin(turn);
  const north = y * Math.cos(turn) - x * Math.sin(turn);
  return [
    latitude + north / EARTH / RADIAN,
    longitude + east / (EARTH * Math.cos(latitude * RADIAN)) / RADIAN,
  ];
}

/**
 * A flat ground around the middle of some [latitude, longitude]: a Mercator map in metres as they are there, so that
 * numbers stay small enough to be drawn exactly. Gives a function (latitude, longitude) → [x, y], y downwards, whose
 * `back` is the way from [x, y] to [latitude, longitude].
 */
export function ground(points) {
  let [south, west, north, east] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [latitude, longitude] of points) {
    south = Math.min(south, latitude);
    north = Math.max(north, latitude);
    west = Math.min(west, longitude);
    east = Math.max(east, longitude);
  }
  const middle = Number.isFinite(south) ? (south + north) / 2 : 0;
  const meridian = Number.isFinite(west) ? (west + east) / 2 : 0;
  const metres = EARTH * Math.cos(middle * RADIAN);
  const zero = mercator(middle);
  const project = (latitude, longitude) => [
    (longitude - meridian) * RADIAN * metres,
    (zero - mercator(latitude)) * metres,
  ];
  project.back = (x, y) => [
    (2 * Math.atan(Math.exp(zero - y / metres)) - Math.PI / 2) / RADIAN,
    meridian + x / metres / RADIAN,
  ];
  return project;
}

/** The smallest rectangle { left, top, right, bottom } around some [x, y]; null around none. */
export function around(points) {
  let box = null;
  for (const [x, y] of points) {
    if (!box) box = { left: x, top: y, right: x, bottom: y };
    else {
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y);
    }
  }
  return box;
}

const within = (scale) => Math.min(CLOSEST, Math.max(WIDEST, scale));

/**
 * A view { x, y, scale } that shows a rectangle in `width` by `height` px: the point in the middle, and px a metre, at
 * most `closest`.
 */
export function fit(box, width, height, closest = 4) {
  if (!box) return { x: 0, y: 0, scale: 1 };
  const wide = Math.max(box.right - box.left, 0.1);
  const high = Math.max(box.bottom - box.top, 0.1);
  const scale = Math.min(Math.max(width - 2 * MARGIN, 40) / wide, Math.max(height - 2 * MARGIN, 40) / high, closest);
  return { x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2, scale: within(scale) };
}

/** The view after `factor` times nearer, with what lies `right` and `down` px of the middle kept where it is. */
export function nearer(view, factor, right = 0, down = 0) {
  const scale = within(view.scale * factor);
  return {
    x: view.x + right / view.scale - right / scale,
    y: view.y + down / view.scale - down / scale,
    scale,
  };
}

/** The view after the ground was pulled so many px. */
export const pulled = (view, right, down) => ({
  ...view,
  x: view.x - right / view.scale,
  y: view.y - down / view.scale,
});

/** A view as an address keeps it: where its middle is, and px a metre. */
export function written(view, back) {
  const [latitude, longitude] = back(view.x, view.y);
  return `${latitude.toFixed(6)},${longitude.toFixed(6)},${Number(view.scale.toPrecision(4))}`;
}

/** The view that an address keeps; null where it keeps none. */
export function readView(text, project) {
  const numbers = text.split(",").map(Number);
  if (numbers.length !== 3 || !numbers.every(Number.isFinite) || Math.abs(numbers[0]) > 85) return null;
  const [x, y] = project(numbers[0], numbers[1]);
  return { x, y, scale: within(numbers[2]) };
}

/** The step of nearness that decides which symbols stand together: half as fine as a doubling. */
export const stepOf = (scale) => Math.round(Math.log2(scale) * 2) / 2;

/**
 * Symbols that stand too close at a step, together. Takes items with x and y in metres. Gives { x, y, items } in the
 * order of the first item of each; the same items and step give the same groups, wherever the view is.
 */
export function clusters(items, step) {
  const reach = CLUSTER / 2 ** step;
  const cells = new Map();
  const cell = (x, y) => `${Math.floor(x / reach)} ${Math.floor(y / reach)}`;
  items.forEach((item, place) => {
    const key = cell(item.x, item.y);
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(place);
  });
  const taken = new Array(items.length).fill(false);
  const found = [];
  items.forEach((item, place) => {
    if (taken[place]) return;
    const members = [];
    for (let right = -1; right <= 1; right += 1) {
      for (let down = -1; down <= 1; down += 1) {
        for (const other of cells.get(cell(item.x + right * reach, item.y + down * reach)) ?? []) {
          if (!taken[other] && Math.hypot(items[other].x - item.x, items[other].y - item.y) < reach) members.push(other);
        }
      }
    }
    members.sort((a, b) => a - b);
    for (const member of members) taken[member] = true;
    const held = members.map((member) => items[member]);
    const mean = (axis) => held.reduce((sum, one) => sum + one[axis], 0) / held.length;
    found.push({ x: mean("x"), y: mean("y"), items: held });
  });
  return found;
}

/** The scale's bar: the largest of 1, 2 or 5 times a power of ten that is no wider than `most` px. */
export function scaleBar(scale, most = 120) {
  const longest = most / scale;
  const ten = 10 ** Math.floor(Math.log10(longest));
  const metres = [5, 2, 1].map((times) => times * ten).find((one) => one <= longest) ?? ten;
  return { metres, pixels: metres * scale };
}

/** The parts of a track as SVG paths in metres. Takes parts of [time, latitude, longitude]. */
export function trackPath(parts, project) {
  return parts
    .filter((part) => part.length > 1)
    .map((part) =>
      part
        .map(([, latitude, longitude], place) => {
          const [x, y] = project(latitude, longitude);
          return `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
        })
        .join(""),
    )
    .join("");
}

/** Adds a position to a track, in a new part after a gap; forgets what is older than `span`. All times in ms. */
export function extend(parts, position, span, gap) {
  const last = parts.at(-1)?.at(-1);
  if (last && position[0] <= last[0]) return parts;
  const grown = last && position[0] - last[0] <= gap ? [...parts.slice(0, -1), [...parts.at(-1), position]] : [...parts, [position]];
  const from = position[0] - span;
  return grown.map((part) => part.filter(([time]) => time >= from)).filter((part) => part.length);
}

/** A distance as a person says it: 50 m, 2 km. */
export const distance = (metres) => (metres >= 1000 ? `${metres / 1000} km` : `${metres} m`);
