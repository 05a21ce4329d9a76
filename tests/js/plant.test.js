// A fresh snapshot and an old one with the events after it show the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, nothing } from "../../static/js/state/plant.js";

const alarm = (id, changes = {}) => ({
  id,
  rule: "Temperature high",
  sensor: "press-01/temp",
  asset: "press-01",
  priority: 2,
  state: "B",
  state_name: "unacknowledged",
  suppressed: [],
  raised: "2026-03-01T06:00:00.000000Z",
  cleared: null,
  acked: null,
  acked_by: null,
  value: 91.5,
  limit: 90,
  unit: "degC",
  message: "Temperature high",
  ...changes,
});
const snapshot = (journal, alarms = [], values = []) => ({ type: "snapshot", journal, alarms, values });
const event = (journal, changed) => ({ type: "alarm", journal, alarm: changed });

function shown(...frames) {
  const plant = nothing();
  for (const frame of frames) apply(plant, frame);
  const alarms = [...plant.alarms.values()].map(({ journal, ...rest }) => rest).sort((a, b) => a.id - b.id);
  return { alarms, values: Object.fromEntries(plant.values) };
}

test("a raise after the snapshot stands", () => {
  assert.deepEqual(shown(snapshot(4), event(5, alarm(1))), shown(snapshot(5, [alarm(1)])));
});

test("an acknowledgement replaces what stood", () => {
  const acked = alarm(1, { state: "C", acked_by: "olga" });
  assert.deepEqual(shown(snapshot(4, [alarm(1)]), event(5, acked)), shown(snapshot(5, [acked])));
});

test("back to normal takes the alarm away", () => {
  assert.deepEqual(shown(snapshot(4, [alarm(1)]), event(5, alarm(1, { state: "A" }))), shown(snapshot(5)));
});

test("a new occurrence ends the one before it", () => {
  const before = alarm(1, { state: "D" });
  assert.deepEqual(shown(snapshot(4, [before]), event(5, alarm(2))), shown(snapshot(5, [alarm(2)])));
});

test("another rule of the same machine stands beside it", () => {
  const other = alarm(2, { rule: "Temperature far too high", priority: 1 });
  assert.deepEqual(shown(snapshot(4, [alarm(1)]), event(5, other)), shown(snapshot(5, [alarm(1), other])));
});

test("what the snapshot knows already is ignored", () => {
  const normal = snapshot(9);
  assert.deepEqual(shown(normal, event(8, alarm(1)), event(9, alarm(1))), shown(normal));
});

test("frames that crossed on their way do not turn an alarm back", () => {
  const acked = event(6, alarm(1, { state: "C" }));
  assert.deepEqual(shown(snapshot(4), acked, event(5, alarm(1))), shown(snapshot(6, [acked.alarm])));
});

test("an old occurrence that comes late does not come back", () => {
  assert.deepEqual(
    shown(snapshot(4), event(6, alarm(2)), event(5, alarm(1, { state: "D" }))),
    shown(snapshot(6, [alarm(2)])),
  );
});

test("a comment on an occurrence that was superseded does not bring it back", () => {
  const superseded = alarm(1, { state: "D", closed: "2026-03-01T06:05:00.000000Z" });
  assert.deepEqual(shown(snapshot(4), event(5, superseded)), shown(snapshot(5)));
  assert.deepEqual(shown(snapshot(4, [alarm(1)]), event(5, superseded)), shown(snapshot(5)));
  assert.deepEqual(apply(nothing(), event(5, superseded)), {}); // nobody is told of a new alarm
});

test("alarms of no rule stand beside each other", () => {
  const one = alarm(1, { rule: "", asset: "", sensor: "", state: "D", message: "Stream replaced" });
  const other = { ...one, id: 2 };
  assert.deepEqual(shown(snapshot(4, [one]), event(5, other)), shown(snapshot(5, [one, other])));
  assert.deepEqual(shown(snapshot(4, [other]), event(5, one)), shown(snapshot(5, [one, other])));
});

test("a frame told twice changes nothing", () => {
  assert.deepEqual(shown(snapshot(4), event(5, alarm(1)), event(5, alarm(1))), shown(snapshot(5, [alarm(1)])));
});

test("a reading older than the one that stands is left out", () => {
  const late = { type: "values", values: [["press-01/temp", 1000, 20, "good"]] };
  assert.deepEqual(shown(snapshot(1, [], [["press-01/temp", 2000, 21, "good"]]), late).values, {
    "press-01/temp": { time: 2000, value: 21, quality: "good" },
  });
});

test("a snapshot after a loss forgets what went in between", () => {
  assert.deepEqual(shown(snapshot(4, [alarm(1)]), snapshot(30, [alarm(7)])), shown(snapshot(30, [alarm(7)])));
});

const hidden = (changes = {}) => ({ rule: "Oil low", asset: "press-1", suppressed: ["shelved"], alarm: null, ...changes });
const turn = (journal, suppression) => ({ type: "suppression", journal, suppression });

function hiddenAfter(...frames) {
  const plant = nothing();
  for (const frame of frames) apply(plant, frame);
  return [...plant.suppressions.values()].filter((row) => row.suppressed.length).map(({ journal, ...rest }) => rest);
}

test("what is hidden after the snapshot is the same as in a fresh one", () => {
  const fresh = hiddenAfter({ ...snapshot(5), suppressions: [hidden()] });
  assert.deepEqual(hiddenAfter({ ...snapshot(4), suppressions: [] }, turn(5, hidden())), fresh);
  assert.deepEqual(fresh, [hidden()]);
  const again = hiddenAfter({ ...snapshot(4), suppressions: [hidden()] }, turn(6, hidden({ suppressed: [] })));
  assert.deepEqual(again, []);
});

test("a frame of a suppression that comes late changes nothing", () => {
  const early = hidden();
  const late = hidden({ suppressed: [] });
  assert.deepEqual(hiddenAfter(snapshot(4), turn(6, late), turn(5, early)), []);
  assert.deepEqual(hiddenAfter(snapshot(6), turn(6, early)), []);
});

test("a comment about an asset changes nothing that is kept, and names the asset", () => {
  const plant = nothing();
  assert.deepEqual(apply(plant, { type: "comment", journal: 7, asset: "press-01" }), { comment: "press-01" });
  assert.deepEqual(plant, nothing());
});

const counts = (time, changes = {}) => ({ time, sensors: [9, 12], machines: [["press-01", time - 400]], sources: [["gateway", 4, 6, time - 400]], ...changes });

test("what is fresh after the snapshot is the same as in a fresh one", () => {
  const later = { press: counts(9000), both: counts(9000, { machines: [["press-01", 8600], ["pump-01", 2000]] }) };
  const kept = (...frames) => {
    const plant = nothing();
    const changed = frames.map((frame) => apply(plant, frame)).at(-1);
    const { machines, fresh, newest } = plant;
    return { machines: Object.fromEntries(machines), fresh, newest, changed };
  };
  const first = { ...snapshot(4), freshness: counts(5000, { machines: [["press-01", 4600], ["pump-01", 2000]] }) };
  const after = kept(first, { type: "freshness", ...later.press });
  const { changed, ...fresh } = kept({ ...snapshot(4), freshness: later.both });
  assert.deepEqual(after, { ...fresh, changed: { machines: ["press-01"] } });
  assert.deepEqual(fresh.fresh.sensors, { fresh: 9, all: 12 });
  assert.deepEqual(fresh.fresh.sources.get("gateway"), { fresh: 4, all: 6, newest: 8600 });
  assert.equal(fresh.newest, 8600);
  assert.equal(changed.everything, true);
});

test("a snapshot without counts forgets those before it", () => {
  const plant = nothing();
  apply(plant, { ...snapshot(4), freshness: counts(5000) });
  apply(plant, snapshot(5));
  assert.deepEqual([plant.fresh, plant.machines.size, plant.newest], [null, 0, 0]);
});
