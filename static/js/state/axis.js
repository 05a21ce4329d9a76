// Where an axis has its marks, and how far a value's axis reaches. Pure.

import { ahead, instant } from "./zone.js";

const DAY = 86_400; // s
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  10_800, 21_600, 43_200,
];
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 3, 6, 12, 24, 60, 120];
const WIDER = 8; // px by which an axis of values grows
const two = (value) => String(value).padStart(2, "0");

/**
 * The marks of a time axis by a zone's clock, at most about `most`.
 * @returns [[instant, label]...]; `date(ms)` writes a day, `month(ms)` a month, both of UTC.
 */
export function timeMarks(from, until, most, zone, { date, month }) {
  const least = (until - from) / Math.max(1, most);
  const step = STEPS.find((one) => one >= least);
  if (step) return clockMarks(from, until, step, zone, date);
  const days = DAYS.find((one) => one * DAY >= least);
  const marks = [];
  const first = new Date((from + ahead(from, zone)) * 1000);
  if (days) {
    // Counted from 1970, so that every second day stays the same days as one pans.
    for (let day = Math.ceil((from + ahead(from, zone)) / DAY / days) * days; ; day += days) {
      const at = instant(day * DAY, zone);
      if (at > until) return marks;
      if (at >= from) marks.push([at, date(day * DAY * 1000)]);
    }
  }
  const months = MONTHS.find((one) => one * 30 * DAY >= least) ?? MONTHS.at(-1);
  const begun = first.getUTCFullYear() * 12 + first.getUTCMonth();
  for (let count = Math.ceil(begun / months) * months; ; count += months) {
    const wall = Date.UTC(Math.floor(count / 12), count % 12, 1);
    const at = instant(wall / 1000, zone);
    if (at > until) return marks;
    if (at >= from) marks.push([at, months >= 12 ? String(Math.floor(count / 12)) : month(wall)]);
  }
}

function clockMarks(from, until, step, zone, date) {
  const marks = [];
  const shift = ahead(from, zone);
  for (let count = Math.ceil((from + shift) / step - 1e-9); ; count += 1) {
    const at = count * step - shift;
    if (at > until) return marks;
    const wall = count * step - shift + ahead(at, zone);
    const clock = new Date(Math.round(wall * 1000));
    const [hour, minute, second] = [clock.getUTCHours(), clock.getUTCMinutes(), clock.getUTCSeconds()];
    let label = `${two(hour)}:${two(minute)}`;
    if (step < 60) label += `:${two(second)}`;
    if (step < 1) label += `.${String(clock.getUTCMilliseconds()).padStart(3, "0")}`;
    marks.push([at, label === "00:00" ? date(clock.getTime()) : label]);
  }
}

/** The marks of an axis of numbers, at most about `most`, and their decimals: of values with `finest` no more than those. */
export function numberMarks(low, high, most, finest = Infinity) {
  const least = Math.max((high - low) / Math.max(1, most), 10 ** -finest);
  const power = 10 ** Math.floor(Math.log10(least) + 1e-9);
  const steps = [1, 2, 2.5, 5, 10].map((factor) => [factor * power, decimalsOf(factor * power)]);
  const [step, decimals] = steps.find(([one, needs]) => one >= least * 0.999 && needs <= finest);
  const marks = [];
  for (let count = Math.ceil(low / step) + 0; count * step <= high; count += 1) marks.push(count * step); // no -0
  return { marks, decimals };
}

/** The steps that an axis of values with so many decimals may have, the smallest first. */
export function stepsFrom(decimals) {
  const powers = Array.from({ length: 16 + decimals }, (_, place) => place - decimals);
  const steps = powers.flatMap((power) => [1, 2, 2.5, 5].map((factor) => Number(`${factor}e${power}`)));
  return steps.filter((step) => decimalsOf(step) <= decimals);
}

function decimalsOf(step) {
  const power = Math.floor(Math.log10(step) + 1e-9);
  return Math.max(0, -power + (Math.abs(step / 10 ** power - 2.5) < 1e-9 ? 1 : 0));
}

/** How wide an axis is for its widest label, in steps, so that it seldom moves. */
export function axisWidth(labels, measure, least, gap) {
  const widest = Math.max(0, ...labels.map(measure)) + gap;
  return widest <= least ? least : least + Math.ceil((widest - least) / WIDER) * WIDER;
}

/** How far a sensor's axis reaches: its data, the ends of the normal band (null: open), and limits that are near. */
export function reach(low, high, { normal, limits, decimals }) {
  const ends = (normal ?? []).filter((end) => end !== null);
  if (low === null || high === null) [low, high] = ends.length ? [Infinity, -Infinity] : [0, 1];
  [low, high] = [Math.min(low, ...ends), Math.max(high, ...ends)];
  const reached = Math.max(high - low, 1e-9);
  let named = false; // a limit is the uppermost: its name stands over it
  for (const { value } of limits) {
    if (value > high && value - high < 2 * reached + Math.abs(high) * 0.25) [high, named] = [value, true];
    if (value < low && low - value < 2 * reached + Math.abs(low) * 0.25) low = value;
  }
  const margin = Math.max((high - low) * 0.08, 10 ** -decimals);
  return [low - margin, high + Math.max(margin, named ? (high - low) * 0.2 : 0)];
}
