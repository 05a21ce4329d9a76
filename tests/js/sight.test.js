// What is scrolled away is drawn when it comes, and now and then; and one who fails keeps nobody from hearing.
import assert from "node:assert/strict";
import { test } from "node:test";

const timers = [];
const frames = [];
const thrown = [];
let seen = null;
Object.assign(globalThis, {
  document: { body: { dataset: { now: "0" } }, documentElement: { dataset: {}, classList: { contains: () => false } } },
  location: { protocol: "http:", host: "works.example" },
  addEventListener() {},
  queueMicrotask: (act) => thrown.push(act),
  requestAnimationFrame: (step) => frames.push(step),
  setInterval: (act, ms) => timers.push([act, ms]),
  setTimeout: (act) => act(),
  IntersectionObserver: class {
    constructor(act) {
      seen = (card, isIntersecting) => act([{ target: card, isIntersecting }]);
    }
    observe() {}
  },
});
const { on, take } = await import("../../static/js/ui/live.js");
const { isAway, watch, whenComes } = await import("../../static/js/ui/sight.js");

test("a card out of sight is drawn when it comes, and each of them within half a minute", () => {
  const cards = Array.from({ length: 60 }, (_, number) => ({ number }));
  const drawn = [];
  whenComes((card) => drawn.push(card));
  cards.forEach(watch);
  assert.equal(isAway(cards[0]), false, "until the browser says otherwise");
  for (const card of cards) seen(card, false);
  assert.ok(isAway(cards[0]) && !drawn.length);
  seen(cards[0], true);
  assert.deepEqual([drawn.splice(0), isAway(cards[0])], [[cards[0]], false]);
  const [[look, every]] = timers;
  assert.equal(every, 1000);
  for (let second = 0, time = 0; second < 30; second += 1) {
    look();
    for (; frames.length; time += 300) frames.shift()(time);
  }
  assert.deepEqual(new Set(drawn), new Set(cards.slice(1)));
});

test("a listener that fails keeps the others from nothing, and its error is told", () => {
  const heard = [];
  on("version", () => {
    throw new Error("the first");
  });
  on("version", () => heard.push("the second"));
  take({ type: "beat", version: "another" });
  assert.deepEqual(heard, ["the second"]);
  assert.throws(() => thrown.pop()(), /the first/);
});
