// The socket notices silence, comes back by itself, and never pretends to be live.
import assert from "node:assert/strict";
import { test } from "node:test";
import { liveSocket } from "../../static/js/lib/socket.js";
import { delay } from "../../static/js/state/backoff.js";

function bench() {
  let time = 0;
  let timers = [];
  const log = [];
  const opened = [];
  const socket = liveSocket({
    url: "ws://plant/ws/live",
    subscription: { assets: null, alarms: "all" },
    onFrame: (frame) => log.push(frame.type),
    onLost: () => log.push("lost"),
    onBack: () => log.push("back"),
    onNext: (ms) => log.push(`next ${ms}`),
    onSignedOut: () => log.push("signed out"),
    open: () => {
      const one = { sent: [], send: (text) => one.sent.push(JSON.parse(text)), close: () => (one.closed = true) };
      opened.push(one);
      return one;
    },
    now: () => time,
    later: (act, ms) => {
      const timer = { act, at: time + ms };
      timers.push(timer);
      return timer;
    },
    never: (timer) => {
      timers = timers.filter((one) => one !== timer);
    },
    random: () => 0.5,
  });
  const run = (ms) => {
    const end = time + ms;
    for (;;) {
      const due = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      timers = timers.filter((timer) => timer !== due);
      time = due.at;
      due.act();
    }
    time = end;
  };
  const hear = (frame) => opened.at(-1).onmessage({ data: JSON.stringify(frame) });
  return { socket, opened, log, run, hear };
}

const SNAPSHOT = { type: "snapshot", values: [], alarms: [], journal: 0 };

test("it subscribes when the connection is there and is live with the snapshot", () => {
  const { socket, opened, log, hear } = bench();
  socket.start();
  opened[0].onopen();
  assert.deepEqual(opened[0].sent, [{ type: "subscribe", assets: null, alarms: "all" }]);
  hear(SNAPSHOT);
  assert.deepEqual(log, ["snapshot", "back"]);
});

test("three seconds of silence are a loss", () => {
  const { socket, opened, log, run, hear } = bench();
  socket.start();
  hear(SNAPSHOT);
  run(2900);
  hear({ type: "beat", journal: 0 });
  run(2900);
  assert.ok(!log.includes("lost"));
  run(700);
  assert.ok(log.includes("lost"));
  assert.ok(opened[0].closed);
});

test("it tries again after 1, 2, 4, 8, then every 10 seconds", () => {
  const { socket, opened, log, run } = bench();
  socket.start();
  for (const wait of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    opened.at(-1).onclose({});
    run(wait);
  }
  assert.deepEqual(
    log
      .filter((line) => line.startsWith("next"))
      .slice(0, 6)
      .map((line) => line.split(" ")[1]),
    ["1000", "2000", "4000", "8000", "10000", "10000"],
  );
  assert.equal(log.filter((line) => line === "lost").length, 1);
});

test("the wait is spread by a fifth, so that browsers do not come back at once", () => {
  assert.deepEqual([delay(0, 0), delay(0, 1), delay(7, 0), delay(7, 1)], [800, 1200, 8000, 12_000]);
});

test("a connection that stays silent is not live after three seconds, and is tried again after ten", () => {
  const { socket, opened, log, run } = bench();
  socket.start();
  opened[0].onopen();
  run(2900);
  assert.deepEqual(log, []);
  run(700);
  assert.deepEqual(log, ["lost"]);
  run(7000);
  assert.deepEqual(log, ["lost", "next 1000"]);
  assert.ok(opened[0].closed);
  run(1000);
  assert.equal(opened.length, 2);
});

test("a first snapshot that takes its time is taken", () => {
  const { socket, opened, log, run, hear } = bench();
  socket.start();
  opened[0].onopen();
  run(8000);
  hear(SNAPSHOT);
  run(2900);
  assert.deepEqual(log, ["lost", "snapshot", "back"]);
  assert.equal(opened.length, 1);
  run(700); // from now on three seconds count
  assert.ok(opened[0].closed);
});

test("it is back only with a snapshot, and starts the waits anew", () => {
  const { socket, opened, log, run, hear } = bench();
  socket.start();
  hear(SNAPSHOT);
  opened[0].onclose({});
  run(1000);
  opened[1].onopen();
  hear({ type: "beat", journal: 3 });
  assert.equal(log.filter((line) => line === "back").length, 1);
  hear(SNAPSHOT);
  assert.equal(log.filter((line) => line === "back").length, 2);
  opened[1].onclose({});
  assert.equal(log.at(-1), "next 1000");
});

test("what is wanted while the first snapshot is waited for is asked for with it", () => {
  const { socket, opened, run, hear } = bench();
  socket.start();
  opened[0].onopen();
  socket.subscribe({ assets: ["press"], alarms: "all" });
  run(5000);
  hear(SNAPSHOT);
  assert.deepEqual(opened[0].sent.map(({ assets }) => assets), [null, ["press"]]);
  hear(SNAPSHOT);
  assert.equal(opened[0].sent.length, 2);
});

test("who is impatient keeps a connection that is being answered", () => {
  const { socket, opened, run } = bench();
  socket.start();
  run(4000);
  socket.tryNow(); // it was never reached
  assert.equal(opened.length, 2);
  opened[1].onopen();
  run(4000);
  socket.tryNow();
  assert.equal(opened.length, 2);
});

test("whoever is signed out is not tried again", () => {
  const { socket, opened, log, run } = bench();
  socket.start();
  opened[0].onclose({ code: 4401 });
  run(60_000);
  assert.deepEqual([opened.length, log.at(-1)], [1, "lost"]);
  assert.ok(log.includes("signed out"));
});

test("try now does not wait", () => {
  const { socket, opened, run } = bench();
  socket.start();
  opened[0].onclose({});
  socket.tryNow();
  assert.equal(opened.length, 2);
  run(500);
  assert.equal(opened.length, 2);
});

test("what an abandoned connection still says is not heard", () => {
  const { socket, opened, log } = bench();
  socket.start();
  opened[0].onclose({});
  socket.tryNow();
  opened[0].onmessage({ data: JSON.stringify(SNAPSHOT) });
  assert.ok(!log.includes("snapshot"));
});
