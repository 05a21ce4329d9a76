// Keys, the pointer of an indicator, the voice, the painter, the flood's window.
import assert from "node:assert/strict";
import { test } from "node:test";
import { painter, paintAlong, takeBack } from "../../static/js/lib/painter.js";
import { spread, within } from "../../static/js/state/flood.js";
import { at, beyond, off } from "../../static/js/state/indicator.js";
import { reader } from "../../static/js/state/keys.js";
import { voice } from "../../static/js/state/voice.js";

test("a sequence is two keys in a row, soon after each other", () => {
  const read = reader({ "g a": "alarms", a: "ack", "/": "find" });
  assert.deepEqual([read("g", 0), read("a", 500)], [null, "alarms"]);
  assert.deepEqual([read("g", 1000), read("a", 2500)], [null, "ack"]);
  assert.deepEqual([read("G", 3000), read("/", 3100), read("a", 3200)], [null, "find", "ack"]);
});

test("the pointer rests at the ends of its scale", () => {
  assert.deepEqual([at(5, 5, 9), at(7, 5, 9), at(4, 5, 9), at(20, 5, 9)], [0, 50, 0, 100]);
  assert.deepEqual([off(4, 5, 9), off(7, 5, 9), off(10, 5, 9)], ["under", "", "over"]);
});

test("beyond a limit the piece begins at that limit", () => {
  assert.deepEqual(
    [beyond(8, 6, 7.8), beyond(7, 6, 7.8), beyond(5.5, 6, null), beyond(5, null, null)],
    [7.8, null, 6, null],
  );
});

test("one message every three seconds, critical ones first, a flood in few words", () => {
  const say = voice();
  say.add("one", false);
  say.add("critical", true);
  assert.deepEqual(say.next(0), { text: "critical", urgent: true });
  assert.equal(say.next(2999), null);
  assert.deepEqual(say.next(3000), { text: "one", urgent: false });
  for (let number = 0; number < 6; number += 1) say.add(`n${number}`, false);
  assert.equal(say.next(6000).text, "n0. And 5 more.");
  assert.equal(say.next(9000), null);
});

test("a part is painted once however often it is marked, at most four times a second", () => {
  const frames = [];
  const painted = [];
  const mark = painter((part) => painted.push(part), { frame: (step) => frames.push(step), later: (act) => act() });
  mark("a");
  mark("a");
  frames.shift()(0);
  assert.deepEqual(painted, ["a"]);
  mark("a");
  frames.shift()(100);
  assert.deepEqual(painted, ["a"]);
  frames.shift()(251);
  assert.deepEqual(painted, ["a", "a"]);
});

test("no frame is asked for between two paints, however much is marked", () => {
  const frames = [];
  const rests = [];
  const painted = [];
  const mark = painter((part) => painted.push(part), {
    frame: (step) => frames.push(step),
    later: (act, ms) => rests.push([act, ms]),
  });
  mark("a");
  frames.shift()(0);
  mark("b");
  mark("c");
  assert.deepEqual([frames.length, rests.length], [0, 1]);
  const [[wake, ms]] = rests.splice(0);
  assert.ok(ms > 200 && ms < 250, "it is ready for the first frame that may paint");
  wake();
  assert.equal(frames.length, 1);
  frames.shift()(249);
  assert.deepEqual(painted, ["a"]);
  frames.shift()(266);
  assert.deepEqual([painted, frames.length], [["a", "b", "c"], 0]);
  rests[0][0]();
  assert.equal(frames.length, 0, "nor when nothing was marked");
});

test("what is due is drawn in the next frame that paints, once, unless it is taken back", () => {
  const frames = [];
  const done = [];
  const mark = painter((part) => done.push(part), { frame: (step) => frames.push(step), later: () => {} });
  const clocks = () => done.push("clocks");
  paintAlong(clocks);
  assert.deepEqual([takeBack(clocks), takeBack(clocks)], [true, false]);
  paintAlong(clocks);
  assert.deepEqual(frames, [], "it asks for none");
  for (let part = 0; part < 61; part += 1) mark(part);
  frames.shift()(0);
  assert.deepEqual([done.at(-1), takeBack(clocks)], ["clocks", false]);
  frames.shift()(16);
  assert.equal(done.filter((one) => one === "clocks").length, 1);
});

test("a large paint is spread over fifteen frames", () => {
  const frames = [];
  let painted = 0;
  const mark = painter(() => (painted += 1), { frame: (step) => frames.push(step), later: (act) => act() });
  for (let part = 0; part < 1500; part += 1) mark(part);
  let most = 0;
  for (let time = 0; frames.length; time += 16) {
    const before = painted;
    frames.shift()(time);
    most = Math.max(most, painted - before);
  }
  assert.deepEqual([painted, most], [1500, 100]);
});

test("no frame paints more than sixty parts while fifteen are enough", () => {
  for (const [parts, want] of [[60, 60], [61, 31], [110, 55], [900, 60]]) {
    const frames = [];
    const painted = [];
    const mark = painter((part) => painted.push(part), { frame: (step) => frames.push(step), later: (act) => act() });
    for (let part = 0; part < parts; part += 1) mark(part);
    frames.shift()(0);
    assert.equal(painted.length, want);
    for (let time = 16; frames.length; time += 16) frames.shift()(time);
    assert.equal(painted.length, parts);
  }
});

test("what a page was made with leaves the flood's window ten minutes after it came, not after the page did", () => {
  const minute = 60_000;
  const raised = spread([3, 0, 0, 0, 2, 0, 0, 0, 0, 1], 100 * minute); // ten parts of a minute each
  assert.deepEqual(raised.map((at) => at / minute), [91, 91, 91, 95, 95, 100]);
  const left = (time) => within(raised, time * minute).length;
  assert.deepEqual([left(100), left(101), left(104.9), left(105), left(110)], [6, 3, 3, 1, 0]);
  assert.equal(within([...raised, 200 * minute], 100 * minute).length, 6, "played back, what is to come is not there yet");
});
