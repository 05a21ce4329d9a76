import assert from "node:assert/strict";
import { test } from "node:test";
import { goOn, lasted, lasting, SPAN } from "../../static/js/state/day.js";

const NOW = 1_000_000;

test("a state goes on, and another begins when it was first read", () => {
  const day = [["running", NOW - 100, NOW - 10]];
  assert.deepEqual(goOn(day, "running", NOW), [["running", NOW - 100, NOW]]);
  assert.deepEqual(goOn(day, "idle", NOW, NOW - 4), [
    ["running", NOW - 100, NOW - 4],
    ["idle", NOW - 4, NOW],
  ]);
  assert.deepEqual(day, [["running", NOW - 100, NOW - 10]], "what was given stays as it is");
});

test("what is older than a day falls out", () => {
  const day = [
    ["stopped", NOW - SPAN - 50, NOW - SPAN - 10],
    ["running", NOW - SPAN - 10, NOW - 1],
  ];
  assert.deepEqual(goOn(day, "running", NOW), [["running", NOW - SPAN, NOW]]);
});

test("what is later than now falls out, as after a leap back", () => {
  const day = [
    ["running", NOW - 100, NOW - 40],
    ["fault", NOW - 40, NOW + 20],
    ["stopped", NOW + 20, NOW + 90],
  ];
  assert.deepEqual(goOn(day, "fault", NOW), [["running", NOW - 100, NOW - 40], ["fault", NOW - 40, NOW]]);
});

test("words tell the longest first", () => {
  const day = [
    ["idle", 0, 2880],
    ["running", 2880, 77640],
    ["idle", 77640, 77645],
  ];
  assert.deepEqual(lasted(day), [
    ["running", 74760],
    ["idle", 2885],
  ]);
  assert.deepEqual([lasting(74760, "-"), lasting(2885, "-"), lasting(59, "under 1 min")], ["20 h 46", "48 min", "under 1 min"]);
});
