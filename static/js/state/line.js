// A sensor's readings as they are drawn: columns of times (s) and values, NaN where the line breaks. Pure.

import { isStale } from "./freshness.js";

/** Takes an item of /api/v1/history. */
export function lineOf({ times, values, bad, thinned }, from, until) {
  return {
    from,
    until,
    thinned,
    times: times.map((ms) => ms / 1000),
    values: values.map((value) => (value === null ? NaN : value)),
    bad: bad.map(([begin, end]) => [begin / 1000, end / 1000]),
  };
}

/** @returns the place of the last time at or before `at`, -1 where all come after it. */
export function placeOf(times, at) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Whether anything of a line is seen in [from, until]: a reading, bad ones, or the line between two that lie outside. */
export function shows(line, from, until) {
  if (!line) return false;
  if (line.bad.some(([begin, end]) => end >= from && begin <= until)) return true;
  const before = placeOf(line.times, from);
  const last = placeOf(line.times, until);
  const isValue = (at) => at >= 0 && at < line.times.length && !Number.isNaN(line.values[at]);
  for (let at = before + 1; at <= last; at += 1) if (isValue(at)) return true;
  return before === last && isValue(before) && isValue(last + 1);
}

/** @returns two lines of which the second begins where the first ends, as one; they may share points there. */
export function joined(first, second) {
  const begins = second.times[0] ?? Infinity;
  let count = first.times.length;
  while (count && first.times[count - 1] >= begins) count -= 1;
  const bad = [...first.bad];
  for (const [begin, end] of second.bad) {
    const last = bad.at(-1);
    if (last && begin <= last[1]) last[1] = Math.max(last[1], end);
    else bad.push([begin, end]);
  }
  return {
    from: first.from,
    until: second.until,
    thinned: first.thinned || second.thinned,
    times: first.times.slice(0, count).concat(second.times),
    values: first.values.slice(0, count).concat(second.values),
    bad,
  };
}

/** @returns a line without what lies outside [from, until], but for one point on each side. */
export function cut(line, from, until) {
  const first = Math.max(0, placeOf(line.times, from));
  const last = Math.min(line.times.length, placeOf(line.times, until) + 2);
  return {
    ...line,
    from: Math.max(line.from, from),
    until: Math.min(line.until, until),
    times: line.times.slice(first, last),
    values: line.values.slice(first, last),
    bad: line.bad.filter(([begin, end]) => end >= from && begin <= until),
  };
}

/** Adds a reading at the end; after a silence of three intervals the line breaks. Gives whether it was new. */
export function append(line, at, value, interval) {
  const last = line.times.at(-1);
  if (last !== undefined && at <= last) return false;
  if (value === null) {
    const open = line.bad.at(-1);
    if (open && open[1] >= (last ?? -Infinity)) open[1] = Math.max(open[1], at);
    else line.bad.push([at, at]);
    if (last !== undefined && !Number.isNaN(line.values.at(-1))) {
      line.times.push((last + at) / 2);
      line.values.push(NaN);
    }
    return true;
  }
  if (last !== undefined && interval && at - last > 3 * interval && !Number.isNaN(line.values.at(-1))) {
    line.times.push((last + at) / 2);
    line.values.push(NaN);
  }
  line.times.push(at);
  line.values.push(value);
  return true;
}

/** @returns the lowest and highest value of [from, until], or null where there is none. */
export function extremes(line, from, until) {
  const { times, values } = line;
  let [low, high] = [Infinity, -Infinity];
  const last = Math.min(times.length - 1, placeOf(times, until) + 1);
  for (let place = Math.max(0, placeOf(times, from)); place <= last; place += 1) {
    const value = values[place];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** @returns the reading that holds at an instant: [time, value], or null in a gap. */
export function readingAt(line, at) {
  const place = placeOf(line.times, at);
  if (place < 0 || Number.isNaN(line.values[place])) return null;
  if (line.bad.some(([begin, end]) => begin <= at && at < end && begin > line.times[place])) return null;
  return [line.times[place], line.values[place]];
}

/** @returns the newest value up to an instant: [time, value], or null where there is none. */
export function newestOf(line, until) {
  let place = placeOf(line.times, until);
  while (place >= 0 && Number.isNaN(line.values[place])) place -= 1;
  return place < 0 ? null : [line.times[place], line.values[place]];
}

/**
 * Whether a line's newest value, of `time`, is not what its sensor reads now: bad readings came after it, or none for
 * too long. Takes what is known of the sensor beside the line: its newest `reading`, of which the line may hold no
 * point where readings were thinned, and its interval in s.
 */
export function isOver(line, time, now, reading, interval) {
  if (line.bad.some(([, end]) => end > time)) return true;
  const newer = reading !== undefined && reading.time / 1000 > time;
  if (newer && reading.quality === "bad") return true;
  return isStale(now * 1000, newer ? reading.time : time * 1000, interval);
}

/** @returns the time of the reading `step` readings after an instant; gaps are stepped over. */
export function stepped(line, at, step) {
  const { times, values } = line;
  let place = placeOf(times, at + (step > 0 ? 1e-6 : -1e-6));
  if (step > 0) place += 1;
  for (let left = Math.abs(step); place >= 0 && place < times.length; place += Math.sign(step)) {
    if (Number.isNaN(values[place])) continue;
    left -= 1;
    if (left === 0) return times[place];
  }
  return null;
}
