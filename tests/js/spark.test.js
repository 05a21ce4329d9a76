import assert from "node:assert/strict";
import { test } from "node:test";
import { draw, next, POINTS, SLOT, slotsSince } from "../../static/js/state/spark.js";

test("gaps stay gaps, and what is past the limit is drawn apart", () => {
  const { path, hot } = draw([0, 1, null, 3, 4], { limit: 3 });
  assert.equal(path.match(/M/g).length, 2);
  assert.equal(hot.match(/[ML]/g).length, 2);
  assert.equal(draw([0, 1, 2, 3], { limit: 1, below: true }).hot.match(/[ML]/g).length, 2);
});

test("the normal band lies within the picture", () => {
  const { band } = draw([10, 11], { normal: [5, 20] });
  assert.ok(band.y >= 0 && band.y + band.height <= 24);
});

test("one point alone is no line", () => {
  assert.deepEqual(draw([1, null], {}), { path: "", hot: "", band: null });
});

test("the newest value comes in at the right and the oldest leaves", () => {
  const full = Array.from({ length: POINTS }, (_, at) => at);
  const after = next(full, null);
  assert.equal(after.length, POINTS);
  assert.equal(after[0], 1);
  assert.equal(after.at(-1), null);
  assert.deepEqual(next([1], 2), [1, 2]);
});

test("a point comes in for each minute that has passed, however fast, and none after a leap back", () => {
  assert.deepEqual([slotsSince(0, SLOT - 1), slotsSince(0, SLOT), slotsSince(0, 10 * SLOT + 5)], [0, 1, 10]);
  assert.deepEqual([slotsSince(0, 9000 * SLOT), slotsSince(50 * SLOT, SLOT)], [POINTS, 0]);
});
