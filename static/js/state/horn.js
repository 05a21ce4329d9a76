// Which alarms sound, and what is heard of them: by priority another pattern, the more urgent the faster. Pure.

import { isPresented } from "./alarms.js";

const SOUNDING = new Set(["B", "E"]); // as alerts/queries.py: unacknowledged, active or latched

/** The alarms for which the horn is on. */
export const sounding = (alarms) =>
  [...alarms].filter((alarm) => SOUNDING.has(alarm.state) && isPresented(alarm) && !alarm.silenced);

/** The priority that is heard: the highest; null when nothing sounds. Takes ids that only this screen silenced. */
export function heard(alarms, hushed = new Set()) {
  const levels = sounding(alarms)
    .filter((alarm) => !hushed.has(alarm.id))
    .map((alarm) => alarm.priority);
  return levels.length ? Math.min(...levels) : null;
}

const note = (at, hz, length) => ({ at, hz, length });
// Seconds and hertz. Told apart with closed eyes: by how many tones, how high, how often.
const PATTERNS = {
  1: { every: 1.6, notes: [note(0, 988, 0.14), note(0.2, 740, 0.14), note(0.4, 988, 0.14), note(0.6, 740, 0.14)] },
  2: { every: 3, notes: [note(0, 784, 0.18), note(0.28, 784, 0.18)] },
  3: { every: 6, notes: [note(0, 587, 0.3)] },
  4: { every: 12, notes: [note(0, 440, 0.22)] },
};

/** What is played for a priority, over and over: { every, notes: [{ at, hz, length }] }. */
export const pattern = (priority) => PATTERNS[priority];

/** What is played once when the connection is lost: two tones down, like nothing else. */
export const LOST = [note(0, 392, 0.35), note(0.4, 262, 0.5)];

/** How the horn stands: off, blocked, sounding or quiet. Takes what the person wishes and what the browser lets. */
export function stance({ wanted, allowed, priority, lost }) {
  if (!wanted) return "off";
  if (!allowed) return "blocked";
  return priority !== null && !lost ? "sounding" : "quiet";
}
