import assert from "node:assert/strict";
import { test } from "node:test";
import { countFresh } from "../../static/js/state/counting.js";
import { condition, isStale, readAnew, staleAfter } from "../../static/js/state/freshness.js";

const WORDS = { 0: ["stopped", "stopped"], 1: ["running", "execute"] };
const AFTER = { stale: 5000, offline: 120_000 };

test("a reading is old after three intervals, but not before five seconds", () => {
  assert.deepEqual([staleAfter(1), staleAfter(10), staleAfter(null)], [5000, 30_000, null]);
  assert.deepEqual([isStale(5000, 0, 1), isStale(5001, 0, 1), isStale(1e12, 0, null)], [false, true, false]);
});

test("a machine is what its state sensor says", () => {
  assert.deepEqual(condition(1000, 900, AFTER, { value: 1 }, WORDS), {
    kind: "running",
    word: "execute",
    stale: false,
  });
});

test("a value without a word only tells that the machine reports", () => {
  assert.equal(condition(1000, 900, AFTER, { value: 7 }, WORDS).kind, "reporting");
});

test("old data looks old first, then the machine is offline", () => {
  assert.equal(condition(6000, 900, AFTER, { value: 1 }, WORDS).stale, true);
  assert.equal(condition(200_000, 900, AFTER, { value: 1 }, WORDS).kind, "offline");
  assert.equal(condition(200_000, null, AFTER, null, WORDS).kind, "offline");
});

test("a machine that reports when it likes never goes offline by waiting", () => {
  assert.equal(condition(1e12, 900, { stale: null, offline: null }, { value: 0 }, WORDS).kind, "stopped");
});

test("after a leap back a machine's newest reading is an older one, or none", () => {
  const press = { newest: null };
  const pump = { newest: null };
  const cells = new Map([["press", press], ["press-oil", press], ["pump", pump]]);
  const read = (values) => readAnew([press, pump], (code) => cells.get(code), new Map(Object.entries(values)));
  read({ "press/temp": { time: 900 }, "press-oil/level": { time: 950 }, "pump/flow": { time: 940 }, "hall/air": { time: 999 } });
  assert.deepEqual([press.newest, pump.newest], [950, 940]);
  read({ "press/temp": { time: 300 } });
  assert.deepEqual([press.newest, pump.newest], [300, null]);
});

test("a machine's newest reading may be told without its values", () => {
  const press = { newest: null };
  readAnew([press], (code) => ({ press })[code], new Map([["press/state", { time: 900 }]]), new Map([["press", 950], ["hall", 999]]));
  assert.equal(press.newest, 950);
});

test("what was fresh at a moment is counted from the values of it", () => {
  const intervals = { lists: [{ temp: 1, door: null }, { flow: 60 }], assets: { press: 0, pump: 1, fan: 1 } };
  const values = new Map([
    ["press/temp", { time: 4000 }],
    ["press/door", { time: 100 }],
    ["pump/flow", { time: 9000 }],
    ["fan/flow", { time: 9500 }],
    ["hall/air", { time: 9999 }],
  ]);
  const silent = new Map([["fan", {}]]);
  const found = countFresh({ values, silent }, 10_000, intervals, { line: ["press", "fan", "gone"], pumps: ["pump"], none: [] });
  assert.deepEqual(found.sensors, { fresh: 2, all: 4, newest: 9500 });
  assert.deepEqual(Object.fromEntries(found.sources), {
    line: { fresh: 1, all: 3, newest: 9500 },
    pumps: { fresh: 1, all: 1, newest: 9000 },
    none: { fresh: 0, all: 0, newest: null },
  });
});
