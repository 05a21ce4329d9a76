// The same vectors hold plant/writing.py to account.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { age, clock, duration, figure, number, per, writeWith } from "../../static/js/state/writing.js";

const vectors = JSON.parse(readFileSync(new URL("writing.json", import.meta.url), "utf8"));

test("numbers are written as the server writes them", () => {
  for (const [value, decimals, text] of vectors.number) assert.equal(number(value, decimals), text);
});

test("durations and ages are written as the server writes them", () => {
  for (const [seconds, text] of vectors.duration) assert.equal(duration(seconds), text);
  for (const [seconds, text] of vectors.age) assert.equal(age(seconds), text);
});

test("what a rate is per is written as the server writes it", () => {
  for (const [seconds, text] of vectors.per) assert.equal(per(seconds), text);
});

test("what is no number is a dash", () => {
  for (const value of [null, undefined, NaN, Infinity]) assert.equal(number(value, 1), "–");
});

test("the clock is the plant's", () => {
  assert.equal(clock(Date.UTC(2026, 2, 17, 17, 36, 42), 60), "18:36:42");
});

test("an alarm's figure keeps four digits that mean something", () => {
  assert.deepEqual(
    [97.44, 90, 101.257, 1234.5, 0.0012].map((value) => figure(value)),
    ["97.44", "90", "101.3", "1\u2009235", "0.0012"],
  );
});

test("the decimal sign is the page's", () => {
  writeWith(",");
  assert.deepEqual([number(1234.5, 1), age(0.44)], ["1\u2009234,5", "0,4 s"]);
  writeWith(".");
});
