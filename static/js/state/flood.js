// How many alarms came within the last ten minutes, on every page. Pure.

const WINDOW = 600_000; // ms

/** Gives when alarms were raised, in ms, from how many there were in each part of the window before `end`, the newest last. */
export function spread(counts, end) {
  const part = WINDOW / counts.length;
  return counts.flatMap((count, place) => new Array(count).fill(end - (counts.length - 1 - place) * part));
}

/** Gives those that are still in the window. */
export const within = (raised, time) => raised.filter((at) => time - at < WINDOW && at <= time);
