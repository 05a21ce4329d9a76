import { silentParts } from "./silence.js";

// What a page knows of the plant: a snapshot, and the events after it. Pure: an old snapshot plus events gives the same
// as a fresh snapshot.

/** @returns what is known before the first snapshot. */
export function nothing() {
  return {
    values: new Map(),
    machines: new Map(), // a machine's newest reading in ms, where the server sends that instead of values
    fresh: null, // and how many sensors are fresh
    alarms: new Map(),
    silent: new Map(),
    suppressions: new Map(),
    journal: 0,
    newest: 0,
    complete: false,
  };
}

const NORMAL = "A";

/** Takes one frame in. Changes `plant`; gives what changed: tags, alarms (new and old), or everything. */
export function apply(plant, frame) {
  switch (frame.type) {
    case "snapshot":
      return applySnapshot(plant, frame);
    case "values":
      return { tags: applyValues(plant, frame.values) };
    case "freshness":
      return { machines: applyFreshness(plant, frame) };
    case "alarm":
      return applyAlarm(plant, frame);
    case "suppression":
      return applySuppression(plant, frame);
    case "comment":
      return { comment: frame.asset };
    default:
      return {};
  }
}

function applySnapshot(plant, frame) {
  plant.values = new Map();
  plant.machines = new Map();
  plant.fresh = null;
  plant.newest = 0;
  applyValues(plant, frame.values);
  if (frame.freshness) applyFreshness(plant, frame.freshness);
  plant.alarms = new Map(frame.alarms.map((alarm) => [alarm.id, alarm]));
  plant.silent = silentParts(plant.alarms.values());
  plant.suppressions = new Map((frame.suppressions ?? []).map((row) => [ruleOf(row), row]));
  plant.journal = frame.journal;
  plant.complete = true;
  return { everything: true };
}

function applyValues(plant, rows) {
  const changed = [];
  for (const [tag, time, value, quality] of rows) {
    const before = plant.values.get(tag);
    if (before && before.time > time) continue;
    plant.values.set(tag, { time, value, quality });
    if (time > plant.newest) plant.newest = time;
    changed.push(tag);
  }
  return changed;
}

function applyFreshness(plant, { time, sensors: [fresh, all], machines, sources }) {
  plant.fresh = {
    time,
    sensors: { fresh, all },
    sources: new Map(sources.map(([name, some, whole, newest]) => [name, { fresh: some, all: whole, newest }])),
  };
  for (const [code, newest] of machines) {
    plant.machines.set(code, newest);
    if (newest > plant.newest) plant.newest = newest;
  }
  return machines.map(([code]) => code);
}

/** What names a rule: its asset and its name. */
export const ruleOf = (row) => `${row.asset}/${row.rule}`;

// Each row says how a rule stands, so of two that cross the later one counts.
function applySuppression(plant, frame) {
  if (frame.journal <= plant.journal) return {};
  const row = frame.suppression;
  const name = ruleOf(row);
  const before = plant.suppressions.get(name);
  if (before && before.journal > frame.journal) return {};
  // A rule that is presented again keeps its number, so that a frame which comes late does not hide it once more.
  plant.suppressions.set(name, { ...row, journal: frame.journal });
  return { suppression: row, name };
}

// Frames of one alarm may cross on their way, so each alarm remembers the number that it stands for.
function applyAlarm(plant, frame) {
  if (frame.journal <= plant.journal) return {};
  const { alarm } = frame;
  const before = plant.alarms.get(alarm.id);
  if (before && before.journal > frame.journal) return {};
  // An occurrence that was superseded is over though it never returned to normal: somebody may still comment on it.
  const superseded = alarm.closed && alarm.state !== NORMAL;
  if (superseded && !before) return {};
  const gone = [];
  // A rule has one open alarm: a new occurrence ends the one before it without a row of its own. Alarms of no
  // rule, Andon's own, stand beside each other.
  for (const other of plant.alarms.values()) {
    if (!alarm.rule || other.asset !== alarm.asset || other.rule !== alarm.rule) continue;
    if (other.id < alarm.id) gone.push(other);
    if (other.id > alarm.id) return {};
  }
  for (const other of gone) plant.alarms.delete(other.id);
  if (alarm.state === NORMAL || superseded) plant.alarms.delete(alarm.id);
  else plant.alarms.set(alarm.id, { ...alarm, journal: frame.journal });
  if (alarm.silent || before?.silent) plant.silent = silentParts(plant.alarms.values());
  return { alarm, before: before ?? null, gone };
}
