// Which alarms sound, how they are told apart, and what the button beside the banner says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { heard, pattern, sounding, stance } from "../../static/js/state/horn.js";

const alarm = (id, changes = {}) => ({ id, state: "B", suppressed: [], priority: 2, silenced: null, ...changes });

test("only what is presented, unacknowledged, active or latched, and not silenced sounds", () => {
  const alarms = [
    alarm(1),
    alarm(2, { state: "E" }),
    alarm(3, { state: "C" }),
    alarm(4, { state: "D" }),
    alarm(5, { state: "F" }),
    alarm(6, { suppressed: ["shelved"] }),
    alarm(7, { silenced: "2026-03-01T06:00:00Z" }),
  ];
  assert.deepEqual(sounding(alarms).map(({ id }) => id), [1, 2]);
});

test("the highest priority is heard", () => {
  assert.equal(heard([alarm(1, { priority: 3 }), alarm(2, { priority: 1 })]), 1);
  assert.equal(heard([]), null);
});

test("a new alarm ends the silence that was meant for the others", () => {
  const old = alarm(1, { silenced: "2026-03-01T06:00:00Z", priority: 1 });
  assert.equal(heard([old]), null);
  assert.equal(heard([old, alarm(2, { priority: 4 })]), 4);
  assert.equal(heard([alarm(1), alarm(2, { priority: 4 })], new Set([1])), 4);
});

test("each priority has a pattern of its own, and the more urgent comes more often", () => {
  const patterns = [1, 2, 3, 4].map(pattern);
  assert.equal(new Set(patterns.map((one) => JSON.stringify(one.notes))).size, 4);
  for (const [one, next] of [[0, 1], [1, 2], [2, 3]]) assert.ok(patterns[one].every < patterns[next].every);
  for (const { every, notes } of patterns) assert.ok(notes.at(-1).at + notes.at(-1).length < every);
});

test("the button says what is heard, and why nothing is", () => {
  const now = { wanted: true, allowed: true, priority: 1, lost: false };
  assert.equal(stance(now), "sounding");
  assert.equal(stance({ ...now, priority: null }), "quiet");
  assert.equal(stance({ ...now, allowed: false }), "blocked");
  assert.equal(stance({ ...now, wanted: false, allowed: false }), "off");
  // What was true when it was last seen is nothing to sound for.
  assert.equal(stance({ ...now, lost: true }), "quiet");
});
