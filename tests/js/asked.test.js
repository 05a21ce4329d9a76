// Of several answers only the last asked for counts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lastAsked } from "../../static/js/lib/asked.js";

/** A server that answers when the test says so: head and body each on their own. */
function server() {
  const asked = {};
  const ask = (address) =>
    new Promise((head, fail) => {
      const text = () => new Promise((body) => (asked[address].body = () => body(`text of ${address}`)));
      asked[address] = { head: (ok = true) => head({ ok, text }), fail };
    });
  return { asked, reading: lastAsked(ask) };
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
