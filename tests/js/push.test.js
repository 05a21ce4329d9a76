import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { bytesOf, fieldsOf, hindrance } from "../../static/js/state/push.js";

const able = { secure: true, worker: true, push: true, permission: "default" };

test("a key is read as the browser wants it", () => {
  assert.deepEqual([...bytesOf("BP-_AA")], [4, 255, 191, 0]);
});

test("the server is sent the address and both keys", () => {
  const made = { endpoint: "https://push.example/1", expirationTime: null, keys: { p256dh: "P", auth: "A" } };
  assert.deepEqual(fieldsOf(made), { endpoint: "https://push.example/1", key: "P", secret: "A" });
});

test("what hinders is said in words, and nothing where it can be done", () => {
  assert.equal(hindrance(able), "");
  assert.match(hindrance({ ...able, secure: false }), /certificate/);
  assert.match(hindrance({ ...able, push: false }), /home screen/);
  assert.match(hindrance({ ...able, permission: "denied" }), /Allow them/);
});

/** Runs the service worker among what a browser gives it; gives its listeners and what it did. */
function worker(pages = []) {
  const on = {};
  const did = [];
  const self = {
    andon: { version: "1", root: "/static/0123456789ab/", files: [], offline: "/offline", pages: [], life: 1 },
    location: { origin: "https://andon.example" },
    addEventListener: (name, listen) => (on[name] = listen),
    registration: { showNotification: (title, options) => did.push({ title, ...options }) },
    clients: { matchAll: async () => pages, openWindow: (url) => did.push({ opened: url }), claim: async () => {} },
    skipWaiting: () => {},
  };
  vm.runInNewContext(readFileSync(new URL("../../static/js/worker.js", import.meta.url), "utf8"), { self, URL });
  const event = async (name, fields) => {
    let waits;
    on[name]({ ...fields, waitUntil: (promise) => (waits = promise) });
    await waits;
    return did;
  };
  return event;
}

test("a message is shown with its tag, so that a later one takes its place", async () => {
  const said = { title: "Hot", body: "97 °C", url: "https://andon.example/alarms/7/", tag: "alarm-7", stays: true };
  const [shown] = await worker()("push", { data: { json: () => said } });
  assert.deepEqual([shown.title, shown.tag, shown.requireInteraction], ["Hot", "alarm-7", true]);
  assert.equal(shown.data.url, "https://andon.example/alarms/7/");
});

test("what cannot be read is shown all the same, and leads to the alarms", async () => {
  const [shown] = await worker()("push", { data: null });
  assert.deepEqual([shown.title, shown.data.url], ["Andon", "https://andon.example/alarms/"]);
});

test("a message leads to a page of ours and nowhere else", async () => {
  const said = { title: "Hot", url: "https://evil.example/alarms/7/" };
  const [shown] = await worker()("push", { data: { json: () => said } });
  assert.equal(shown.data.url, "https://andon.example/alarms/7/");
});

test("a click opens the alarm, or the page that shows it already", async () => {
  const notification = { close: () => {}, data: { url: "https://andon.example/alarms/7/" } };
  assert.deepEqual(await worker()("notificationclick", { notification }), [
    { opened: "https://andon.example/alarms/7/" },
  ]);
  let focused = 0;
  const page = { url: "https://andon.example/alarms/7/", focus: async () => (focused += 1) };
  assert.deepEqual(await worker([page])("notificationclick", { notification }), []);
  assert.equal(focused, 1);
});
