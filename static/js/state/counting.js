// How fresh the plant was at a moment of playback, by its values. Pure; plant/counting.py is its twin for the present.

import { isStale } from "./freshness.js";
import { silenceOf } from "./silence.js";

/**
 * Counts how fresh it was. Takes the picture, the time in ms, which interval (s) each sensor has
 * ({ lists: [{ key: interval }], assets: { code: list } })
 * and which assets each source sends for. Gives { time, sensors: { fresh, all }, sources: name → { fresh, all, newest } }.
 */
export function countFresh(plant, time, intervals, sources) {
  const none = () => ({ fresh: 0, all: 0, newest: null });
  const parts = new Map();
  for (const [asset, list] of Object.entries(intervals.assets)) {
    const part = none();
    parts.set(asset, part);
    for (const [key, interval] of Object.entries(intervals.lists[list])) {
      part.all += 1;
      const reading = plant.values.get(`${asset}/${key}`);
      if (!reading) continue;
      if (part.newest === null || reading.time > part.newest) part.newest = reading.time;
      if (!isStale(time, reading.time, interval) && !silenceOf(plant.silent, `${asset}/${key}`)) part.fresh += 1;
    }
  }
  const together = (codes) => {
    const whole = none();
    for (const { fresh, all, newest } of [...codes].map((code) => parts.get(code)).filter(Boolean)) {
      whole.fresh += fresh;
      whole.all += all;
      if (newest !== null && (whole.newest === null || newest > whole.newest)) whole.newest = newest;
    }
    return whole;
  };
  return {
    time,
    sensors: together(parts.keys()),
    sources: new Map(Object.entries(sources).map(([name, codes]) => [name, together(codes)])),
  };
}
