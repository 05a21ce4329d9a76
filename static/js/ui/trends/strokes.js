// The parts of a trend's picture: each draws into a box { left, top, width, height } of a canvas, in CSS pixels.

import { placeOf } from "../../state/line.js";
import { namePlaces } from "../../state/names.js";
import { token } from "../plotting.js";

const NAMES = [
  "bg-1", "grid", "line-1", "ink-1", "ink-2", "ink-3", "track", "hatch", "p1-line", "p2-line", "p3-line", "p4-line",
  "pen-1", "pen-2", "pen-3", "pen-4", "pen-5", "pen-6",
]; // prettier-ignore
const DENSE = 4; // points a pixel: more than that happens for moments only, until the server has thinned them
const COLUMNS = 0.9; // px a point: nearer ones are drawn as a column a pixel, in a tenth of the time of a stroke
const CLOSE = 5; // px a point: nearer ones are drawn by two hairlines side by side, a wide stroke round them costs a hundredfold
const DOTS = 12; // px between readings from which each has its dot

/** The tokens' colours and the font, read once for many drawings. */
export function style() {
  const colours = Object.fromEntries(NAMES.map((name) => [name, token(`--${name}`)]));
  return { ...colours, font: token("--font"), hatching: hatching(colours.hatch) };
}

function hatching(colour) {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [6, 6];
  const ctx = tile.getContext("2d");
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  for (const shift of [-6, 0, 6]) {
    ctx.moveTo(shift - 1, 7);
    ctx.lineTo(shift + 7, -1);
  }
  ctx.stroke();
  return ctx.createPattern(tile, "repeat");
}

export const penColour = (look, number) => look[`pen-${((number - 1) % 6) + 1}`];
const dashOf = (number) => (number > 6 ? [7, 4] : []);

/** Writes into the picture; `halo` keeps what was drawn before it off the letters. Gives the words' width. */
export function text(ctx, look, words, x, y, { align = "left", weight = 400, size = 11, colour = "ink-3", halo = false } = {}) {
  ctx.font = `${weight} ${size}px ${look.font}`;
  ctx.textAlign = align;
  ctx.textBaseline = "alphabetic";
  if (halo) {
    ctx.strokeStyle = look["bg-1"];
    ctx.lineWidth = 4;
    ctx.lineJoin = "round";
    ctx.strokeText(words, x, y);
  }
  ctx.fillStyle = look[colour] ?? colour;
  ctx.fillText(words, x, y);
  return ctx.measureText(words).width;
}

export function grid(ctx, look, box, xs, ys) {
  ctx.strokeStyle = look.grid;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const x of xs) {
    ctx.moveTo(Math.round(x) + 0.5, box.top);
    ctx.lineTo(Math.round(x) + 0.5, box.top + box.height);
  }
  for (const y of ys) {
    ctx.moveTo(box.left, Math.round(y) + 0.5);
    ctx.lineTo(box.left + box.width, Math.round(y) + 0.5);
  }
  ctx.stroke();
  ctx.strokeStyle = look["line-1"];
  ctx.beginPath();
  ctx.moveTo(box.left, box.top + box.height + 0.5);
  ctx.lineTo(box.left + box.width, box.top + box.height + 0.5);
  ctx.stroke();
}

export function band(ctx, look, box, low, high) {
  ctx.fillStyle = look.track;
  ctx.fillRect(box.left, high, box.width, low - high);
}

/** Stretches in which readings were bad: hatched over the lane's height, with their word where there is room. */
export function bad(ctx, look, box, stretches, xOf, word) {
  for (const [begin, end] of stretches) {
    const x = xOf(begin);
    const width = Math.max(2, xOf(end) - x);
    if (x > box.left + box.width || x + width < box.left) continue;
    ctx.fillStyle = look.hatching;
    ctx.fillRect(x, box.top, width, box.height);
    if (width > 60) text(ctx, look, word, Math.max(x, box.left) + 5, box.top + box.height - 5, { colour: "ink-2" });
  }
}

/** Lines across the box, each with its name over it, under it, or farther to the right: where nothing else is written. */
export function limits(ctx, look, box, lines, yOf) {
  const bottom = box.top + box.height;
  const seen = lines.map((line) => ({ ...line, y: Math.round(yOf(line.value)) + 0.5 }));
  const drawn = seen.filter(({ y }) => y >= box.top && y <= bottom);
  for (const { y, priority } of drawn) {
    ctx.strokeStyle = look[`p${priority}-line`];
    ctx.lineWidth = 1.3;
    ctx.setLineDash([7, 3]);
    ctx.beginPath();
    ctx.moveTo(box.left, y);
    ctx.lineTo(box.left + box.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  if (box.height < 40) return; // a low lane has no room for names
  ctx.font = `400 11px ${look.font}`;
  const names = drawn.map(({ y, words }) => ({ y, width: ctx.measureText(words).width }));
  for (const [place, spot] of namePlaces(names, { top: box.top, bottom, width: box.width - 6 }).entries()) {
    if (spot) text(ctx, look, drawn[place].words, box.left + 6 + spot.x, spot.base, { colour: "ink-2", halo: true });
  }
}

/**
 * One pen's line. `back` seconds are added to its times: the line of a compared period. `steps` holds each value until
 * the next one.
 */
export function line(ctx, look, box, { times, values, bad: stretches }, { xOf, yOf, from, until, pen, steps, back = 0 }) {
  const past = back !== 0;
  const first = Math.max(0, placeOf(times, from - back));
  const last = Math.min(times.length - 1, placeOf(times, until - back) + 1);
  if (last < first) return;
  const stride = Math.max(1, Math.floor((last - first) / (DENSE * box.width)));
  const spread = (xOf(times[last]) - xOf(times[first])) / Math.max(1, last - first);
  if (spread < COLUMNS && !steps) return columns(ctx, look, { times, values }, { first, last, stride, xOf, yOf, pen, back });
  const dots = [];
  ctx.strokeStyle = penColour(look, pen);
  ctx.fillStyle = penColour(look, pen);
  const close = spread < CLOSE;
  ctx.lineWidth = past || close ? 1 : 1.7;
  ctx.lineJoin = "bevel";
  ctx.globalAlpha = past ? 0.75 : 1;
  ctx.setLineDash(past ? [3, 3] : dashOf(pen));
  ctx.beginPath();
  let up = true;
  let height = 0;
  for (let place = first; place <= last; place += stride) {
    const value = values[place];
    if (value !== value) {
      up = true;
      continue;
    }
    const x = xOf(times[place] + back);
    const y = yOf(value);
    if (up) {
      const next = values[place + 1];
      if (next === undefined || next !== next) dots.push(x, y);
      ctx.moveTo(x, y);
    } else {
      if (steps) ctx.lineTo(x, height);
      ctx.lineTo(x, y);
    }
    if (spread >= DOTS && !past) dots.push(x, y);
    up = false;
    height = y;
  }
  // A value that holds is drawn to the end of what is known of it.
  if (steps && !up && !past && stretches.every(([begin]) => begin < times[last])) {
    const reaches = Math.min(until, xOf.now);
    if (reaches > times[last]) ctx.lineTo(xOf(reaches), height);
  }
  ctx.stroke();
  if (close && !past) {
    ctx.translate(0, 0.7);
    ctx.stroke();
    ctx.translate(0, -0.7);
  }
  ctx.setLineDash([]);
  for (let place = 0; place < dots.length; place += 2) {
    ctx.beginPath();
    ctx.arc(dots[place], dots[place + 1], past ? 1.4 : 2.2, 0, 7);
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  return undefined;
}

/** Points that stand closer than pixels: in each column of pixels from the lowest to the highest, joined to the one before. */
function columns(ctx, look, { times, values }, { first, last, stride, xOf, yOf, pen, back }) {
  const thick = back ? 1 : 1.6;
  ctx.fillStyle = penColour(look, pen);
  ctx.globalAlpha = back ? 0.55 : 1;
  let column = null;
  let [low, high, height] = [0, 0, null];
  const flush = () => column !== null && ctx.fillRect(column, high - thick / 2, 1, low - high + thick);
  for (let place = first; place <= last; place += stride) {
    const value = values[place];
    if (value !== value) {
      flush();
      [column, height] = [null, null];
      continue;
    }
    const y = yOf(value);
    const x = Math.floor(xOf(times[place] + back));
    if (x !== column) {
      flush();
      // Columns between two points, where the readings stand a little wider, belong to the line as well.
      if (column !== null && x > column + 1) bridge(ctx, column, height, x, y, thick);
      column = x;
      [low, high] = height === null ? [y, y] : [Math.max(y, height), Math.min(y, height)];
    } else {
      if (y > low) low = y;
      if (y < high) high = y;
    }
    height = y;
  }
  flush();
  ctx.globalAlpha = 1;
}

function bridge(ctx, from, fromY, to, toY, thick) {
  for (let x = from + 1; x < to; x += 1) {
    const y = fromY + ((toY - fromY) * (x - from)) / (to - from);
    ctx.fillRect(x, y - thick / 2, 1, thick);
  }
}

/** A dot at a line's end, and the value beside the plot; an old one is hatched. */
export function end(ctx, look, box, { x, y, labelY, pen, words, unit, old }) {
  if (x !== null) {
    ctx.fillStyle = penColour(look, pen);
    ctx.strokeStyle = look["bg-1"];
    ctx.lineWidth = 1.5;
    ctx.globalAlpha = old ? 0.5 : 1;
    ctx.beginPath();
    ctx.arc(x, y, 3.2, 0, 7);
    ctx.fill();
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  const [left, base] = [box.left + box.width + 9, labelY + 4];
  const shown = { weight: 620, colour: old ? "ink-3" : "ink-1" };
  if (old) {
    ctx.font = `${shown.weight} 11px ${look.font}`;
    const wide = ctx.measureText(words).width;
    ctx.font = `400 11px ${look.font}`;
    ctx.fillStyle = look.hatching;
    ctx.fillRect(left - 3, base - 11, wide + (unit ? 3 + ctx.measureText(unit).width : 0) + 6, 15);
  }
  const width = text(ctx, look, words, left, base, shown);
  if (unit) text(ctx, look, unit, left + 3 + width, base);
}

export function upright(ctx, x, top, bottom, colour, dash = []) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(Math.round(x) + 0.5, top);
  ctx.lineTo(Math.round(x) + 0.5, bottom);
  ctx.stroke();
  ctx.setLineDash([]);
}
