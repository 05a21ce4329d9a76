// Playback: the bar, the speeds, the frames that are due.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  barAround, besideOf, holds, momentAt, reel, rightAfter, shareOf, SPANS, speedBeside, stepOf, windowOf,
} from "../../static/js/state/playback.js";

const HOUR = SPANS["1h"];

test("the bar has the moment in its middle, and ends at the present", () => {
  assert.deepEqual(barAround(10 * HOUR, HOUR, 100 * HOUR), { from: 9.5 * HOUR, to: 10.5 * HOUR });
  const near = barAround(99.9 * HOUR, HOUR, 100 * HOUR);
  assert.deepEqual(near, { from: 99 * HOUR, to: 100 * HOUR });
  assert.ok(holds(near, 99 * HOUR) && !holds(near, 98.9 * HOUR));
});

test("a place on the bar is a moment, and the other way round", () => {
  const bar = { from: 1000, to: 3000 };
  assert.deepEqual([shareOf(bar, 1500), shareOf(bar, 0), shareOf(bar, 9000)], [0.25, 0, 1]);
  assert.deepEqual([momentAt(bar, 0.25), momentAt(bar, -1), momentAt(bar, 2)], [1500, 1000, 3000]);
});

test("from an alarm one goes on to those before and after it, and not to itself", () => {
  // As the server finds them: strictly before or after, by its exact time in µs.
  const raised = [1_000_000_000_250, 1_000_000_005_999, 1_000_000_009_000];
  const beside = (at, name) => {
    const from = besideOf(at, name) * 1000;
    const us = name === "before" ? raised.findLast((one) => one < from) : raised.find((one) => one > from);
    return us === undefined ? undefined : rightAfter(`${new Date(us / 1000).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, "0")}Z`);
  };
  const walk = [];
  let at = 1_000_000_100;
  for (const name of ["before", "before", "before", "before", "after", "after", "after"]) walk.push((at = beside(at, name) ?? at));
  assert.deepEqual(walk, [10, 6, 1, 1, 6, 10, 10].map((ms) => 1_000_000_000 + ms));
});

test("speeds go up and down and end at their ends; values are drawn four times a second at each", () => {
  assert.deepEqual([speedBeside(60, 1), speedBeside(600, 1), speedBeside(10, -1), speedBeside(1, -1)], [600, 600, 1, 1]);
  assert.equal(stepOf(60), 15_000);
});

test("frames are given once, in order, when they are due; what is not read yet waits", () => {
  const tape = reel(1000);
  tape.add({ until: 2000, frames: [{ time: 1000, type: "snapshot" }, { time: 1500 }, { time: 1900 }] });
  assert.deepEqual(tape.play(1000).map((frame) => frame.time), [1000]);
  assert.deepEqual(tape.play(1600).map((frame) => frame.time), [1500]);
  assert.deepEqual(tape.play(5000).map((frame) => frame.time), [1900]);
  assert.equal(tape.at, 2000);
  tape.add({ until: 3000, frames: [{ time: 2500 }] });
  assert.deepEqual(tape.play(2400), []);
  assert.deepEqual(tape.play(2500).map((frame) => frame.time), [2500]);
});

test("more is asked for before the tape runs out, the earlier the faster it plays", () => {
  const tape = reel(0);
  tape.add({ until: windowOf(60), frames: [] });
  assert.equal(tape.wants(60), false);
  assert.equal(tape.wants(600), true);
  tape.play(windowOf(60) * 0.6);
  assert.equal(tape.wants(60), true);
});
