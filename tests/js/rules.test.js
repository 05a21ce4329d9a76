// The editor's pure parts: the sentence, lines of JSON, work that follows the last change.

import assert from "node:assert/strict";
import test from "node:test";
import { lineReader } from "../../static/js/state/lines.js";
import { fieldText, readNumber, sentence } from "../../static/js/state/sentence.js";
import { settled } from "../../static/js/lib/settled.js";

const words = {
  high: "When %(sensor_key)s is at or over %(limit)s%(delay)s%(unless)s, raise a %(priority)s alarm.",
  delay: " for %(on_delay)s",
  unless: ", unless %(suppress_when)s",
};

test("the sentence has the fields as its parts, and leaves out what is not set", () => {
  const shown = { sensor_key: "Flow", limit: "14 bar", priority: "high" };
  assert.deepEqual(sentence(words, "high", shown), [
    ["When ", ""],
    ["Flow", "sensor_key"],
    [" is at or over ", ""],
    ["14 bar", "limit"],
    [", raise a ", ""],
    ["high", "priority"],
    [" alarm.", ""],
  ]);
  const whole = sentence(words, "high", { ...shown, limit: "", on_delay: "10 s", suppress_when: "state = 0" });
  assert.equal(whole.map(([text]) => text).join(""), "When Flow is at or over … for 10 s, unless state = 0, raise a high alarm.");
  assert.deepEqual(sentence(words, "magic", shown), []);
});

test("numbers are read with a point or a comma and written with the page's sign", () => {
  const read = ["14.5", "14,5", "\u22123", " 1 200 ", "1e3", "1,000.5", "soon", "", "1.2.3"].map(readNumber);
  assert.deepEqual(read, [14.5, 14.5, -3, 1200, 1000, null, null, null, null]);
  assert.deepEqual([fieldText(14.04, 1), fieldText(14.26, 1, ","), fieldText(-0.5, 3)], ["14", "14,3", "-0.5"]);
});

test("lines of JSON are told whole, however they are cut", () => {
  const told = [];
  const take = lineReader((value) => told.push(value));
  for (const piece of ['{"a"', ":1}\n", '\n{"b":2}\n{"c"', ":3}", "\n"]) take(piece);
  assert.deepEqual(told, [{ a: 1 }, { b: 2 }, { c: 3 }]);
});

function clockwork() {
  let time = 0;
  let timers = [];
  return {
    later: (act, ms) => {
      const timer = { at: time + ms, act };
      timers.push(timer);
      return timer;
    },
    never: (timer) => {
      timers = timers.filter((one) => one !== timer);
    },
    pass(ms) {
      time += ms;
      for (const timer of timers.filter((one) => one.at <= time)) {
        timers = timers.filter((one) => one !== timer);
        timer.act();
      }
    },
  };
}

test("work begins after the last change, ends the one before, and says when it is slow", async () => {
  const clock = clockwork();
  const begun = [];
  const said = [];
  const backtest = settled({
    wait: 400,
    slow: 1000,
    work: (signal) => new Promise((done) => begun.push({ signal, done })),
    onSlow: () => said.push("slow"),
    onEnd: () => said.push("end"),
    ...clock,
  });
  backtest.changed();
  clock.pass(399);
  backtest.changed();
  clock.pass(399);
  assert.equal(begun.length, 0);
  clock.pass(1);
  assert.equal(begun.length, 1);
  clock.pass(999);
  assert.deepEqual(said, []);
  clock.pass(1);
  assert.deepEqual(said, ["slow"]);
  backtest.changed();
  assert.equal(begun[0].signal.aborted, true);
  begun[0].done();
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(said, ["slow"]);
  clock.pass(400);
  assert.equal(begun.length, 2);
  begun[1].done();
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(said, ["slow", "end"]);
  clock.pass(5000);
  assert.deepEqual(said, ["slow", "end"]);
});
