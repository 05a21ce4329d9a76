// What alarms mean together: which comes first, how many there are, how a symbol stands. Pure.

import { gettext } from "../lib/words.js";

export const PRIORITIES = [1, 2, 3, 4];
export const PRIORITY_WORDS = {
  1: gettext("Critical"),
  2: gettext("High"),
  3: gettext("Medium"),
  4: gettext("Low"),
};
const UNACKED = new Set(["B", "D", "E"]);
const RETURNED = "D";
const LATCHED = new Set(["E", "F"]);

export const isUnacked = (alarm) => UNACKED.has(alarm.state);
export const isLatched = (alarm) => LATCHED.has(alarm?.state);
export const isPresented = (alarm) => alarm.suppressed.length === 0;

/** How one alarm's symbol stands: unack, ack, returned, shelved or suppressed. */
export function lookOf(alarm) {
  if (alarm.suppressed.includes("shelved")) return "shelved";
  if (alarm.suppressed.length) return "suppressed";
  if (alarm.state === RETURNED) return "returned";
  return isUnacked(alarm) ? "unack" : "ack";
}

/** The alarm to answer first: the highest priority, then the oldest; null when none waits. */
export function mostImportant(alarms) {
  let first = null;
  for (const alarm of alarms) {
    if (isUnacked(alarm) && isPresented(alarm) && (first === null || comesBefore(alarm, first))) first = alarm;
  }
  return first;
}

function comesBefore(one, other) {
  if (one.priority !== other.priority) return one.priority < other.priority;
  if (one.raised !== other.raised) return one.raised < other.raised;
  return one.id < other.id;
}

/** What needs attention: by priority, unacknowledged before acknowledged, then the oldest. */
export function worst(alarms, most) {
  return [...alarms]
    .filter(isPresented)
    .sort(
      (a, b) =>
        a.priority - b.priority ||
        isUnacked(b) - isUnacked(a) ||
        (a.raised < b.raised ? -1 : a.raised > b.raised ? 1 : 0) ||
        a.id - b.id,
    )
    .slice(0, most);
}

/** Counts alarms by priority: { 1: { active, unacked, standing }, ..., total, unacked, suppressed, worst }. */
export function tally(alarms) {
  const found = { total: 0, unacked: 0, suppressed: 0, worst: null };
  for (const priority of PRIORITIES) found[priority] = { active: 0, unacked: 0, standing: 0 };
  for (const alarm of alarms) {
    if (!isPresented(alarm)) {
      found.suppressed += 1;
      continue;
    }
    const row = found[alarm.priority];
    row.active += 1;
    found.total += 1;
    if (isUnacked(alarm)) {
      row.unacked += 1;
      found.unacked += 1;
    }
    if (alarm.state !== RETURNED) row.standing += 1;
  }
  found.worst = PRIORITIES.find((priority) => found[priority].active) ?? null;
  return found;
}

/** How a priority's symbol stands in a tally: zero, ack, unack or returned. */
export function lookIn(counted, priority) {
  const { active, unacked, standing } = counted[priority];
  if (!active) return "zero";
  if (!unacked) return "ack";
  return standing ? "unack" : "returned";
}

/** Groups alarms by what `key` gives for them; alarms without a key are left out. */
export function group(alarms, key) {
  const found = new Map();
  for (const alarm of alarms) {
    for (const name of [key(alarm)].flat()) {
      if (name == null) continue;
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(alarm);
    }
  }
  return found;
}
