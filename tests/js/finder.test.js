// What is shown and opened belongs to the words that stand there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { finder } from "../../static/js/lib/finder.js";
import { findPlaces } from "../../static/js/state/finding.js";

const moment = () => new Promise((done) => setImmediate(done));
const item = (title) => ({ title });
const titles = (items) => items.map(({ title }) => title);

/** A person who types, and a server that answers when the test says so. */
function desk(assets = []) {
  const desk = { asked: [], opened: [], drawn: null, timers: [] };
  const words = finder({
    ask: (text, signal) => new Promise((done, fail) => {
      const answer = (...found) => done({ items: found.map(item), counts: {} });
      desk.asked.push({ text, signal, answer, nobody: () => done(null), fail });
    }),
    near: (text) => assets.filter((code) => code.includes(text)).map(item),
    isNamed: ({ title }, text) => title === text,
    draw: (state) => (desk.drawn = { ...state, items: titles(state.items) }),
    open: ({ title }) => desk.opened.push(title),
    later: (act, ms) => desk.timers.push({ act, ms }) && desk.timers.at(-1),
    never: (timer) => timer && (desk.timers = desk.timers.filter((one) => one !== timer)),
  });
  const pass = (ms) => desk.timers.filter((one) => one.ms === ms).forEach((one) => one.act());
  return Object.assign(desk, { words, rests: () => pass(80), waits: () => pass(300) });
}

test("Enter before the answer opens what these words lead to, not what the words before them did", async () => {
  const one = desk();
  one.words.typed("18");
  one.rests();
  one.asked[0].answer("#18");
  await moment();
  assert.deepEqual(one.drawn.items, ["#18"]);
  one.words.typed("cw-tank-1");
  assert.deepEqual(one.drawn.items, [], "nothing of the older words stands there");
  one.words.enter();
  assert.deepEqual(one.opened, []);
  assert.equal(one.asked.length, 2, "whoever presses Enter has typed all of it");
  one.asked[1].answer("cw-tank-1", "cw-tank-10");
  await moment();
  assert.deepEqual(one.opened, ["cw-tank-1"]);
});

test("an answer to older words is neither shown nor opened, however late it comes", async () => {
  const one = desk();
  one.words.typed("pu");
  one.rests();
  one.words.enter();
  one.words.typed("pump");
  assert.equal(one.asked[0].signal.aborted, true);
  one.asked[0].answer("puller");
  await moment();
  assert.deepEqual([one.drawn.items, one.opened], [[], []]);
  one.rests();
  one.asked[1].answer("pump-1");
  await moment();
  assert.deepEqual([one.drawn.items, one.opened], [["pump-1"], []], "the Enter was of other words");
});

test("a word that is typed in one go is asked for once", () => {
  const one = desk();
  for (const text of ["p", "pu", "pum", "pump"]) one.words.typed(text);
  one.rests();
  assert.deepEqual(one.asked.map(({ text }) => text), ["pump"]);
  one.words.typed("pump ");
  one.rests();
  assert.equal(one.asked.length, 1, "the same words");
  assert.equal(one.asked[0].signal.aborted, false);
});

test("Enter does not ask once more for what is under way", () => {
  const one = desk();
  one.words.typed("pump");
  one.rests();
  one.words.enter();
  assert.equal(one.asked.length, 1);
  assert.equal(one.drawn.entered, true);
});

test("Enter opens nothing where nothing was found, and it says so", async () => {
  const one = desk();
  one.words.typed("zz");
  one.words.enter();
  one.asked[0].answer();
  await moment();
  assert.deepEqual(one.opened, []);
  assert.deepEqual([one.drawn.items, one.drawn.answered, one.drawn.words], [[], true, "zz"]);
  one.words.enter();
  assert.deepEqual([one.opened, one.asked.length], [[], 1]);
});

test("assets are there at once; one that is called just so is opened at once, another waits for the answer", async () => {
  const one = desk(["press-1", "press-10"]);
  one.words.typed("press-1");
  assert.deepEqual([one.drawn.items, one.drawn.answered], [["press-1", "press-10"], false]);
  one.words.enter();
  assert.deepEqual(one.opened, ["press-1"]);
  const two = desk(["press-1", "press-10"]);
  two.words.typed("press");
  two.words.enter();
  assert.deepEqual(two.opened, []);
  two.words.enter({ title: "press-10" });
  assert.deepEqual(two.opened, ["press-10"], "what was chosen with the arrows is what is meant");
});

test("assets that become known later are shown, unless the answer is there", async () => {
  const assets = [];
  const one = desk(assets);
  one.words.typed("press");
  assets.push("press-1");
  one.words.look();
  assert.deepEqual(one.drawn.items, ["press-1"]);
  one.rests();
  one.asked[0].answer("alarm of a press");
  await moment();
  one.words.look();
  assert.deepEqual(one.drawn.items, ["alarm of a press"]);
});

test("without the server the assets that are known remain, and it is told that it did not answer", async () => {
  for (const how of ["nobody", "fail"]) {
    const one = desk(["press-1"]);
    one.words.typed("press");
    one.words.enter();
    one.asked[0][how](new TypeError("no connection"));
    await moment();
    assert.deepEqual([one.drawn.items, one.drawn.answered, one.opened], [["press-1"], null, []]);
    one.words.enter();
    assert.deepEqual(one.opened, ["press-1"]);
  }
});

test("what takes long says so; what was closed opens nothing any more", async () => {
  const one = desk();
  one.words.typed("pump");
  one.rests();
  one.waits();
  assert.equal(one.drawn.slow, true);
  one.words.enter();
  one.words.stop();
  one.asked[0].answer("pump-1");
  await moment();
  assert.deepEqual([one.opened, one.drawn.words], [[], ""]);
  one.words.typed("pump");
  one.rests();
  assert.equal(one.asked.length, 2, "opened again, it is asked for again: alarms come and go");
});

test("places are found by all words, the one that is called just so first, then those whose code begins so", () => {
  const places = [
    ["old-press-1", ["Old press", "Hall", "/o/", "hall"]],
    ["press-10", ["Press 10", "Hall", "/p10/", "hall"]],
    ["press-1", ["Press 1", "Hall", "/p1/", "hall"]],
    ["fan-1", ["Fan", "Yard", "/f/", "yard"]],
  ];
  const codes = (text, most = 9) => findPlaces(places, text, most).map(({ code }) => code);
  assert.deepEqual(codes("Press-1"), ["press-1", "press-10", "old-press-1"]);
  assert.equal(codes("hall press", 2).length, 2);
  assert.deepEqual(codes("yard"), ["fan-1"]);
  assert.equal(findPlaces(places, "fan", 1)[0].url, "/f/");
});
