// What the elements of a synoptic show of a value.
import assert from "node:assert/strict";
import { test } from "node:test";
import { angleOf, filledBox, holds, inside, pieces, samples, shareOf, wordOf, zoomed } from "../../static/js/state/synoptic.js";

const valve = { name: "Valve", unit: "%", decimals: 0, range: [0, 100], labels: null };
const state = { name: "State", unit: "", decimals: 0, range: null, labels: { 0: "stopped", 1: "running" } };

test("one test that holds is enough, and what is not known holds nowhere", () => {
  const tests = [[">=", 80, null], ["..", 10, 20], ["=", 0, null]];
  assert.deepEqual([80, 79, 10, 20, 21, 0].map((value) => holds(tests, value)), [true, false, true, true, false, true]);
  assert.equal(holds([["!=", 3, null]], 2), true);
  assert.equal(holds([["!=", 3, null]], null), false);
});

test("a word is met by what the value is called, in any case", () => {
  assert.equal(holds([["is", "Running", null]], 1, ["running"]), true);
  assert.equal(holds([["is", "running", null]], 1, ["stopped"]), false);
});

test("a level and a pointer rest at the ends of their range, which may fall", () => {
  assert.deepEqual([-5, 0, 25, 100, 130].map((value) => shareOf(value, [0, 100])), [0, 0, 0.25, 1, 1]);
  assert.equal(shareOf(25, [100, 0]), 0.75);
  assert.deepEqual([0, 50, 200].map((value) => angleOf(value, [0, 100], [-120, 120])), [-120, 0, 120]);
});

test("a value is written in the sensor's digits or words; none is a dash", () => {
  assert.deepEqual([wordOf(valve, 41.6), wordOf(state, 1), wordOf(state, 7), wordOf(valve, null)], ["42", "running", "7", "–"]);
});

test("a text is cut at the value and its unit, and ends on no empty unit", () => {
  assert.deepEqual(pieces("", valve, "42"), [["v", "42"], ["", " "], ["u", "%"]]);
  assert.deepEqual(pieces("", state, "running"), [["v", "running"]]);
  assert.deepEqual(pieces("SP {value}°", valve, "42"), [["", "SP "], ["v", "42"], ["", "°"]]);
  assert.deepEqual(pieces("{name}: {value}", valve, "42"), [["", "Valve"], ["", ": "], ["v", "42"]]);
});

test("the widest text is among the ends of the range, or the words", () => {
  assert.deepEqual([samples(valve), samples(state)], [["0", "100"], ["stopped", "running"]]);
});

test("a level rises from the side that it is told", () => {
  const box = { x: 10, y: 20, width: 40, height: 80 };
  assert.deepEqual(filledBox(box, 0.25, "bottom"), { x: 10, y: 80, width: 40, height: 20 });
  assert.deepEqual(filledBox(box, 0.25, "top"), { x: 10, y: 20, width: 40, height: 20 });
  assert.deepEqual(filledBox(box, 0.25, "left"), { x: 10, y: 20, width: 10, height: 80 });
  assert.deepEqual(filledBox(box, 0.25, "right"), { x: 40, y: 20, width: 10, height: 80 });
});

test("zooming keeps the point under the pointer, ends at the whole and at twelve times", () => {
  const whole = { x: 0, y: 0, width: 1600, height: 800 };
  const near = zoomed(whole, whole, 2, { x: 400, y: 200 });
  assert.deepEqual(near, { x: 200, y: 100, width: 800, height: 400 });
  assert.deepEqual(zoomed(near, whole, 0.1, { x: 400, y: 200 }), whole);
  assert.equal(zoomed(whole, whole, 1000, { x: 0, y: 0 }).width, 1600 / 12);
});

test("a view cannot be moved out of the drawing", () => {
  const whole = { x: 0, y: 0, width: 1600, height: 800 };
  const moved = inside({ x: -50, y: 700, width: 800, height: 400 }, whole);
  assert.deepEqual([moved.x, moved.y], [0, 400]);
});
