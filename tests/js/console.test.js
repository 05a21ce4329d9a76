// What the console shows of an alarm that comes, and what waits behind its bar.
import assert from "node:assert/strict";
import { test } from "node:test";
import { oncePerFrame } from "../../static/js/lib/once.js";
import { types } from "../../static/js/state/keys.js";
import { belongs, belongsRule, countHidden, whoAcked, wordOf } from "../../static/js/state/console.js";

const alarm = (changes = {}) => ({
  id: 1,
  state: "B",
  suppressed: [],
  priority: 2,
  class: "safety",
  position: "east",
  asset: "press-1",
  sensor: "press-1/temp",
  message: "Temperature high",
  acked: null,
  ...changes,
});
const areaOf = (code) => (code === "press-1" ? "hall" : null);
const shown = (filters, changes = {}, show = "active") => belongs(alarm(changes), show, filters, areaOf);

test("a new alarm belongs where every filter lets it in", () => {
  assert.ok(shown({}));
  assert.ok(shown({ priority: "1,2", state: "standing", class: "safety", position: "east", area: "hall", q: "PRESS temp" }));
  for (const filter of [{ priority: "1" }, { state: "cleared" }, { class: "x" }, { position: "west" }, { area: "yard" }]) {
    assert.ok(!shown(filter), JSON.stringify(filter));
  }
  assert.ok(!shown({ q: "press oil" }));
});

test("what has just come is never old, and no list of another kind shows it", () => {
  assert.ok(!shown({ older: "10" }));
  assert.ok(!shown({}, { suppressed: ["shelved"] }));
  assert.ok(!shown({}, { state: "C" }, "unacked"));
  for (const show of ["shelved", "suppressed", "out_of_service", "history"]) assert.ok(!shown({}, {}, show));
});

const rule = (changes = {}) => ({
  rule: "Oil low", asset: "press-1", priority: 3, class: "", suppressed: ["shelved"], shelve_reason: "filter change",
  out_reason: "", designed: [], ...changes,
});

test("a hidden rule belongs to the list of its reason", () => {
  assert.ok(belongsRule(rule(), "shelved", {}, areaOf));
  assert.ok(belongsRule(rule(), "shelved", { q: "filter", area: "hall", priority: "3" }, areaOf));
  assert.ok(!belongsRule(rule(), "suppressed", {}, areaOf));
  assert.ok(!belongsRule(rule({ suppressed: [] }), "shelved", {}, areaOf));
  assert.ok(!belongsRule(rule(), "shelved", { q: "oil press leak" }, areaOf));
});

test("a rule that is hidden for two reasons counts in two lists", () => {
  const rows = [rule(), rule({ suppressed: ["by_design", "out_of_service"] }), rule({ suppressed: [] })];
  assert.deepEqual(countHidden(rows), { shelved: 1, suppressed: 1, out_of_service: 1 });
});

test("each state has a word of its own", () => {
  const words = [["B", "unack"], ["C", "ack"], ["D", "returned"], ["E", "unack"], ["F", "ack"]].map(([state, look]) =>
    wordOf(alarm({ state, acked: state === "C" ? "x" : null }), look),
  );
  assert.equal(new Set(words).size, 5);
  assert.equal(wordOf(alarm({ state: "C" }), "ack"), "Active"); // its rule asks for nobody
  assert.equal(whoAcked(alarm({ acked_by: "max" })), "by max");
  assert.equal(whoAcked(alarm({ acked_by: null })), "");
});

test("a burst of calls is one drawing, also where there are no frames", () => {
  let drawn = 0;
  const frames = [];
  const timers = [];
  const draw = oncePerFrame(() => (drawn += 1), { frame: (run) => frames.push(run), later: (run) => timers.push(run) });
  for (let call = 0; call < 300; call += 1) draw();
  assert.deepEqual([frames.length, timers.length, drawn], [1, 1, 0]);
  timers[0]();
  frames[0]();
  assert.equal(drawn, 1);
  draw();
  frames[1]();
  assert.equal(drawn, 2);
});

test("keys that type something are told from those that do not", () => {
  assert.ok(["a", "/", "?", "ä", "1"].every(types));
  assert.ok(!["Escape", "Enter", "ArrowLeft"].some(types));
});
