import assert from "node:assert/strict";
import { test } from "node:test";
import { group, lookIn, lookOf, mostImportant, tally, worst } from "../../static/js/state/alarms.js";

const alarm = (id, priority, state, raised = "2026-03-01T06:00:00.000000Z", suppressed = []) => ({
  id,
  priority,
  state,
  raised,
  suppressed,
});

test("the banner shows the highest priority, then the oldest", () => {
  const alarms = [
    alarm(1, 2, "B", "06:00"),
    alarm(2, 1, "B", "06:09"),
    alarm(3, 1, "D", "06:05"),
    alarm(4, 1, "C", "06:01"),
  ];
  assert.equal(mostImportant(alarms).id, 3);
});

test("an acknowledged or suppressed alarm does not wait in the banner", () => {
  assert.equal(mostImportant([alarm(1, 1, "C"), alarm(2, 1, "B", "06:00", ["shelved"])]), null);
});

test("attention goes by priority, then to what nobody acknowledged, then to the oldest", () => {
  const alarms = [
    alarm(1, 2, "C", "06:00"),
    alarm(2, 2, "B", "06:05"),
    alarm(3, 2, "B", "06:01"),
    alarm(4, 1, "C", "06:09"),
  ];
  assert.deepEqual(
    worst(alarms, 3).map((row) => row.id),
    [4, 3, 2],
  );
});

test("a tally counts suppressed alarms apart", () => {
  const counted = tally([alarm(1, 1, "B"), alarm(2, 3, "C"), alarm(3, 3, "B", "06:00", ["by_design"])]);
  assert.deepEqual([counted.total, counted.unacked, counted.suppressed, counted.worst], [2, 1, 1, 1]);
});

test("a symbol is hollow when only cleared alarms wait behind it", () => {
  assert.equal(lookIn(tally([alarm(1, 3, "D")]), 3), "returned");
  assert.equal(lookIn(tally([alarm(1, 3, "D"), alarm(2, 3, "B")]), 3), "unack");
  assert.equal(lookIn(tally([alarm(1, 3, "C")]), 3), "ack");
  assert.equal(lookIn(tally([]), 3), "zero");
  assert.equal(lookOf(alarm(1, 1, "E", "06:00", ["shelved"])), "shelved");
});

test("alarms without a key are left out of groups", () => {
  assert.deepEqual(
    [...group([alarm(1, 1, "B"), alarm(2, 1, "B")], (row) => (row.id === 1 ? "a" : null)).keys()],
    ["a"],
  );
});
