// Many reasons to do something, and one doing at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAfterAnother, readWhenAsked } from "../../static/js/lib/once.js";

const moment = () => new Promise((done) => setImmediate(done));

test("many calls are one doing, and another begins only when the last has ended", async () => {
  const timers = [];
  const ends = [];
  const soon = oneAfterAnother(() => new Promise((done) => ends.push(done)), 1000, {
    later: (run, ms) => timers.push([run, ms]),
  });
  soon();
  soon();
  assert.deepEqual(timers.map(([, ms]) => ms), [1000]);
  timers.pop()[0]();
  soon();
  soon();
  assert.deepEqual([timers.length, ends.length], [0, 1], "it is still at it");
  ends.pop()();
  await moment();
  assert.equal(timers.length, 1, "what was asked for in between is done after it");
  timers.pop()[0]();
  ends.pop()();
  await moment();
  assert.equal(timers.length, 0);
});

test("what is read when asked for is read once, and again if it could not be", async () => {
  let reads = 0;
  const read = readWhenAsked(async () => {
    reads += 1;
    if (reads === 1) throw new Error("no connection");
    return reads;
  });
  await assert.rejects(read());
  assert.deepEqual([await read(), await read(), reads], [2, 2, 2]);
});
