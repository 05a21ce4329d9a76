// What a trend holds of its pens' readings: nothing that comes while readings are asked for is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Readings } from "../../static/js/ui/trends/readings.js";

/** Readings whose questions wait for an answer: `asked` has them in order. */
function bench(now = 1000) {
  const asked = [];
  globalThis.location ??= { href: "http://plant/" };
  globalThis.fetch = (address) =>
    new Promise((answer) => {
      const query = new URL(address, "http://plant").searchParams;
      const seconds = (name) => Date.parse(query.get(name)) / 1000;
      const give = (times, values) => {
        const items = [{ sensor: "press/temp", times: times.map((at) => at * 1000), values, bad: [] }];
        answer({ ok: true, json: async () => ({ items }) });
        return new Promise((done) => setTimeout(done, 0));
      };
      asked.push({ start: seconds("start"), end: seconds("end"), give });
    });
  const readings = new Readings({ url: "/history", points: () => 100, now: () => now, onRead: () => {}, onFailed: assert.fail });
  return { readings, asked, times: () => [...readings.lines.get("press/temp").times] };
}

const reading = (time, value) => ({ time: time * 1000, value, quality: "good" });

test("what comes while a view is read stands at its end", async () => {
  const { readings, asked, times } = bench();
  readings.look(["press/temp"], 900, 1000);
  readings.note("press/temp", reading(999.9, 7), null);
  await asked[0].give([950], [5]);
  assert.deepEqual(times(), [950, 999.9]);
});

test("what an answer has already is not taken twice, and what came last is last", async () => {
  const { readings, asked, times } = bench();
  readings.look(["press/temp"], 900, 1000);
  readings.note("press/temp", reading(998, 6), null);
  readings.note("press/temp", reading(999, 7), null);
  await asked[0].give([950, 998], [5, 6]);
  assert.deepEqual(times(), [950, 998, 999]);
});

test("a view of the past takes nothing of the present", async () => {
  const { readings, asked, times } = bench();
  readings.look(["press/temp"], 400, 500);
  readings.note("press/temp", reading(999, 7), null);
  await asked[0].give([450], [5]);
  assert.deepEqual(times(), [450]);
});

test("read anew, what is held stays until the answer is there, and what came meanwhile after it", async () => {
  const { readings, asked, times } = bench();
  readings.look(["press/temp"], 900, 1000);
  await asked[0].give([950], [5]);
  asked.length = 0;
  readings.renew();
  readings.note("press/temp", reading(999.5, 7), null);
  assert.deepEqual(times(), [950, 999.5]);
  await asked.at(-1).give([950, 990], [5, 6]);
  assert.deepEqual(times(), [950, 990, 999.5]);
});
