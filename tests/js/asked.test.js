// Of several answers only the last asked for counts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { askedAgain } from "../../static/js/lib/again.js";
import { lastAsked } from "../../static/js/lib/asked.js";

/** A server that answers when the test says so: head and body each on their own. */
function server() {
  const asked = {};
  const ask = (address) =>
    new Promise((head, fail) => {
      const text = () => new Promise((body) => (asked[address].body = () => body(`text of ${address}`)));
      asked[address] = { head: (ok = true) => head({ ok, text }), fail };
    });
  return { asked, ask, reading: lastAsked(ask) };
}

const moment = () => new Promise((done) => setImmediate(done));

test("an answer that comes after a newer one was asked for no longer counts", async () => {
  const { asked, reading } = server();
  const first = reading.read("a");
  const second = reading.read("b");
  asked.b.head();
  await moment();
  asked.b.body();
  assert.deepEqual(await second, { text: "text of b" });
  asked.a.head();
  await moment();
  asked.a.body();
  assert.equal(await first, null);
});

test("something else may be asked for while the text still comes", async () => {
  const { asked, reading } = server();
  const first = reading.read("a");
  asked.a.head();
  await moment();
  const second = reading.read("b");
  asked.a.body();
  assert.equal(await first, null);
  asked.b.fail(new TypeError("no connection"));
  assert.deepEqual(await second, { text: null });
});

test("no answer and a refusal give no text; what was dropped counts no more", async () => {
  const { asked, reading } = server();
  const refused = reading.read("a");
  asked.a.head(false);
  assert.deepEqual(await refused, { text: null });
  const dropped = reading.read("b");
  reading.drop();
  asked.b.fail(new TypeError("no connection"));
  assert.equal(await dropped, null);
});

/** What is read again and again, with timers that run when the test says so. */
function again() {
  const { asked, ask } = server();
  const timers = new Set();
  const taken = [];
  const found = askedAgain({
    every: 2000,
    take: (text) => taken.push(text),
    ask,
    later: (act, ms) => {
      const timer = { act, ms };
      timers.add(timer);
      return timer;
    },
    never: (timer) => timers.delete(timer),
  });
  const answer = async (address) => {
    asked[address].head();
    await moment();
    asked[address].body();
    await moment();
  };
  const run = () => {
    for (const timer of timers) {
      timers.delete(timer);
      timer.act();
    }
  };
  return { ...found, asked, timers, taken, answer, run };
}

test("what is read again is asked for anew some time after each answer, as of then", async () => {
  const { start, asked, timers, taken, answer, run } = again();
  let moments = 0;
  start(() => `at ${(moments += 1)}`);
  assert.equal(timers.size, 0, "nothing is asked for while an answer is under way");
  await answer("at 1");
  assert.deepEqual([taken, [...timers].map(({ ms }) => ms)], [["text of at 1"], [2000]]);
  run();
  asked["at 2"].fail(new TypeError("no connection"));
  await moment();
  assert.deepEqual([taken.at(-1), timers.size], [null, 1], "without an answer it is asked for as well");
});

test("what was stopped asks no more, and an answer that comes after it does not count", async () => {
  const { start, stop, timers, taken, answer } = again();
  start(() => "a");
  stop();
  await answer("a");
  assert.deepEqual([taken, timers.size], [[], 0]);
  start(() => "b");
  await answer("b");
  stop();
  assert.deepEqual([taken, timers.size], [["text of b"], 0]);
});

test("what begins anew is asked for once", async () => {
  const { start, timers, taken, answer } = again();
  start(() => "a");
  start(() => "b");
  await answer("b");
  await answer("a");
  assert.deepEqual([taken, timers.size], [["text of b"], 1]);
  start(() => "c");
  await answer("c");
  assert.deepEqual([taken.at(-1), timers.size], ["text of c", 1]);
});
