// What a list says of an alarm's value: the one that it was raised with, never as if it were the present one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { reading, wasOf } from "../../static/js/ui/places.js";

const alarm = { value: 6.7712, limit: 7, unit: "bar", decimals: 2, limit_decimals: 1 };

test("the value of the raise is told as what was", () => {
  assert.equal(reading(alarm), "was 6.77 bar, limit 7.0");
  assert.equal(reading({ ...alarm, limit: null }), "was 6.77 bar");
  assert.equal(reading({ ...alarm, value: null }), "limit 7.0");
  assert.equal(reading({ ...alarm, value: null, limit: null }), "");
});

test("of a rate it is the reading at which it was met", () => {
  assert.equal(wasOf({ ...alarm, per: 60 }), "was at 6.77 bar");
});

test("a word has no unit and leaves no gap", () => {
  const word = { ...alarm, unit: "", value_label: "stopped", limit_label: "running" };
  assert.equal(reading(word), "was stopped, limit running");
});

test("what is fault, and alarms because it is fault, says neither", () => {
  assert.equal(reading({ ...alarm, unit: "", value_label: "fault", limit_label: "fault" }), "");
});
