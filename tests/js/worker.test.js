// The service worker: a file of its version is asked for once, of the rest what the server answers comes first, and who
// signs out leaves nothing behind.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const SOURCE = readFileSync(new URL("../../static/js/worker.js", import.meta.url), "utf8");
const HERE = "https://plant.example";

/** A browser's caches in memory; `broken` as on a full disk. */
function storage() {
  const all = new Map();
  const nameOf = (asked) => new URL(asked.url ?? asked, HERE).pathname;
  return {
    broken: false,
    all,
    async open(name) {
      if (this.broken) throw new Error("QuotaExceededError");
      if (!all.has(name)) all.set(name, new Map());
      const kept = all.get(name);
      return {
        keys: async () => [...kept.keys()].map((path) => ({ url: HERE + path })),
        match: async (asked) => kept.get(nameOf(asked))?.clone(),
        put: async (asked, answer) => void kept.set(nameOf(asked), answer),
      };
    },
    async delete(name) {
      if (this.broken) throw new Error("QuotaExceededError");
      return all.delete(name);
    },
  };
}

/** A worker with its storage; the test says what the server answers to each path. */
function worker(serve) {
  const listeners = {};
  const self = {
    andon: { version: "1", root: "/static/0123456789ab/", files: [], offline: "/offline", pages: ["/", "/alarms/"], life: 3600 },
    location: { origin: HERE },
    addEventListener: (name, listen) => (listeners[name] = listen),
  };
  const caches = storage();
  const fetching = (asked) => serve(new URL(asked.url ?? asked, HERE).pathname);
  new Function("self", "caches", "fetch", SOURCE)(self, caches, fetching);
  const told = (name, event) => {
    const waits = [];
    let answer = null;
    listeners[name]({ ...event, waitUntil: (one) => waits.push(one), respondWith: (one) => (answer = one) });
    return { answer, settled: async () => { await answer; await Promise.all(waits); } };
  };
  return {
    caches,
    live: () => told("message", { data: "live" }),
    visit: (path, method = "GET") => told("fetch", { request: { url: HERE + path, method, mode: "navigate" } }),
    ask: (path) => told("fetch", { request: { url: HERE + path, method: "GET", mode: "cors" } }),
    kept: (path) => caches.all.get("andon-pages")?.get(path),
  };
}

const page = (text, whose = "mine") => new Response(text, { headers: { "X-Andon-Session": whose } });

test("a page is kept, and shown as old where the server does not answer", async () => {
  let away = false;
  const mine = worker(async () => {
    if (away) throw new TypeError("no connection");
    return page("<html lang=en>today");
  });
  await mine.visit("/").settled();
  away = true;
  assert.match(await (await mine.visit("/").answer).text(), /^<html class="disc-on" data-kept="\d+" lang=en>today$/);
});

test("where nothing can be kept the server's answer is shown all the same", async () => {
  let number = 0;
  const mine = worker(async () => page(`<html lang=en>${(number += 1)}`));
  await mine.visit("/").settled();
  mine.caches.broken = true;
  const second = mine.visit("/");
  assert.equal(await (await second.answer).text(), "<html lang=en>2");
  await second.settled();
  assert.equal(await (await mine.visit("/sign-in").answer).text(), "<html lang=en>3");
  const file = mine.ask("/static/js/main.js");
  assert.equal(await (await file.answer).text(), "<html lang=en>4");
  await file.settled();
});

test("a file is asked for once in its version; a page that another version kept finds those of this one", async () => {
  let number = 0;
  let away = false;
  const mine = worker(async (path) => {
    if (away) throw new TypeError("no connection");
    const cached = path.includes("/old") ? "no-cache" : "max-age=315360000, public, immutable";
    return new Response(String((number += 1)), { headers: { "Cache-Control": cached } });
  });
  const ask = async (path) => {
    const asked = mine.ask(path);
    const text = await (await asked.answer).text();
    await asked.settled();
    return text;
  };
  assert.equal(await ask("/static/0123456789ab/js/main.js"), "1");
  assert.equal(await ask("/static/0123456789ab/js/main.js"), "1");
  // What another version's page asks for is the server's to answer, as are words.
  assert.equal(await ask("/static/ba9876543210/js/main.js"), "2");
  assert.equal(await ask("/words/de/1.js"), "3");
  assert.equal(await ask("/words/de/1.js"), "4");
  // Nor is kept for good what the server gave in the place of what belongs there.
  assert.equal(await ask("/static/0123456789ab/js/old.js"), "5");
  assert.equal(await ask("/static/0123456789ab/js/old.js"), "6");
  away = true;
  assert.equal(await ask("/static/0123456789ab/js/old.js"), "6");
  assert.equal(await ask("/static/ffffffffffff/js/main.js"), "1");
});

test("a page is shown before it is kept", { timeout: 2000 }, async () => {
  let end;
  const body = new ReadableStream({ start: (control) => (end = () => control.close()) });
  const mine = worker(async () => new Response(body, { headers: { "X-Andon-Session": "mine" } }));
  const visit = mine.visit("/");
  assert.equal((await visit.answer).ok, true);
  end();
  await visit.settled();
  assert.ok(mine.kept("/"));
});

test("a page that was asked for before signing out is not kept after it", async () => {
  const held = [];
  const mine = worker((path) =>
    path === "/sign-out" ? Promise.resolve(new Response("out")) : new Promise((done) => held.push(done)),
  );
  const renewing = mine.live();
  await mine.visit("/sign-out", "POST").settled();
  for (const done of held) done(page("<html lang=en>of who left"));
  await renewing.settled();
  assert.equal(mine.kept("/"), undefined);
  assert.equal(mine.kept("/alarms/"), undefined);
});

test("a page that was asked for while the server signs somebody out is not kept either", async () => {
  const held = [];
  let signOut;
  const mine = worker((path) =>
    path === "/sign-out" ? new Promise((done) => (signOut = done)) : new Promise((done) => held.push(done)),
  );
  const leaving = mine.visit("/sign-out", "POST");
  await new Promise((done) => setImmediate(done));
  const renewing = mine.live();
  signOut(new Response("out"));
  await leaving.settled();
  for (const done of held) done(page("<html lang=en>of who left"));
  await renewing.settled();
  assert.equal(mine.kept("/"), undefined);
});
