// When data is old, and what state a machine is in. Pure; plant/machines.py is its twin.

import { gettext } from "../lib/words.js";

export const NOT_LIVE_AFTER = 3_000; // ms without a frame
export const NOT_COUNTED_AFTER = 5_000; // ms without a count of what is fresh, that comes once a second

/** The ms after which a reading is old; null for a sensor that reports when it likes. */
export function staleAfter(interval) {
  return interval == null ? null : Math.max(3 * interval, 5) * 1000;
}

export function isStale(now, time, interval) {
  const limit = staleAfter(interval);
  return limit !== null && now - time > limit;
}

const ms = (seconds) => (seconds == null ? null : seconds * 1000);

/** After how many ms a machine's data is old, and the machine offline. Takes both in s; null for never. */
export const afterOf = ({ stale, offline }) => ({ stale: ms(stale), offline: ms(offline) });

/** A value as labels name it: 1.0 is "1". */
export const labelKey = (value) => String(value);

/**
 * A machine's state. Takes times in ms; `after` is { stale, offline } in ms or null for never; `state` the reading of
 * its state sensor; `words` what that sensor's values mean; `silent` whether it lies below a part of the plant that is
 * not heard. Gives { kind, word, stale }.
 */
export function condition(now, newest, after, state, words, silent = false) {
  if (silent) return { kind: "offline", word: gettext("no data"), stale: false };
  if (newest == null || (after.offline !== null && now - newest > after.offline)) {
    return { kind: "offline", word: gettext("offline"), stale: false };
  }
  const stale = after.stale !== null && now - newest > after.stale;
  if (!state) return { kind: "reporting", word: gettext("reporting"), stale };
  const [kind, word] = words?.[labelKey(state.value)] ?? ["reporting", labelKey(state.value)];
  return { kind, word, stale };
}

/**
 * Lets each cell's `newest` be what the picture has, where that is a new one: after a leap back in playback it is
 * older. Takes the cells, what gives the cell of an asset's code, the picture's values, and its machines' newest times.
 */
export function readAnew(cells, cellOf, values, machines = new Map()) {
  for (const cell of cells) cell.newest = null;
  const take = (cell, time) => {
    if (cell && (cell.newest === null || time > cell.newest)) cell.newest = time;
  };
  for (const [tag, { time }] of values) take(cellOf(tag.slice(0, tag.indexOf("/"))), time);
  for (const [code, time] of machines) take(cellOf(code), time);
}
