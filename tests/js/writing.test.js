// The same vectors hold plant/writing.py to account.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { age, clock, date, day, duration, number, per, writeIn, writeWith } from "../../static/js/state/writing.js";

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

test("clocks and days are the page's, in summer time and out of it", () => {
  for (const [zone, instant, time, words] of vectors.instant) {
    writeIn(zone);
    assert.deepEqual([clock(Date.parse(instant)), day(Date.parse(instant), Date.UTC(2026, 6, 1))], [time, words], `${instant} ${zone}`);
  }
  writeIn("UTC");
});

test("a table's day is the page's", () => {
  writeIn("Europe/Berlin");
  assert.equal(date(Date.UTC(2026, 2, 16, 23, 30)), "2026-03-17");
  writeIn("UTC");
});

test("the decimal sign is the page's", () => {
  writeWith(",");
  for (const [value, decimals, text] of vectors.german) assert.equal(number(value, decimals), text);
  assert.deepEqual([number(1234.5, 1), age(0.44)], ["1\u2009234,5", "0,4 s"]);
  writeWith(".");
});
