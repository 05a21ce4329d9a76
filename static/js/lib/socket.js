// One socket to /ws/live: subscribes, passes frames on, notices silence, comes back.

import { delay } from "../state/backoff.js";
import { NOT_LIVE_AFTER } from "../state/freshness.js";

const FIRST_WITHIN = 10_000; // ms; a server that has just begun, or has everybody come back at once, is given this long

const CLOSED_TO_STRANGERS = 4401;

/**
 * Takes { url, subscription, onFrame(frame), onLost(), onBack(), onNext(ms) , onSignedOut() } and, for tests, the
 * clock and the socket. Gives { start(), tryNow(), subscribe(subscription), stop() }. `onBack` comes with the first snapshot after a loss.
 */
export function liveSocket({
  url,
  subscription,
  onFrame,
  onLost,
  onBack,
  onNext,
  onSignedOut = () => {},
  open = (to) => new WebSocket(to),
  now = () => performance.now(),
  later = (act, ms) => setTimeout(act, ms),
  never = (timer) => clearTimeout(timer),
  random = Math.random,
}) {
  let socket = null;
  let tries = 0;
  let heard = now();
  let reached = false; // the server has taken the connection; its first snapshot may take a while
  let asked = null; // the subscription that this connection has been sent
  let live = false;
  let lost = false;
  let stopped = false;
  let again = null;
  let watch = null;

  function connect() {
    again = null;
    let opened;
    try {
      opened = open(url);
    } catch {
      return failed();
    }
    socket = opened;
    reached = false;
    opened.onopen = () => {
      if (opened !== socket) return;
      reached = true;
      ask();
    };
    opened.onmessage = (event) => opened === socket && take(JSON.parse(event.data));
    opened.onclose = (event) => {
      if (opened !== socket) return;
      if (event?.code === CLOSED_TO_STRANGERS) {
        stopped = true;
        onSignedOut();
      }
      failed();
    };
    heard = now();
    return undefined;
  }

  function ask() {
    asked = subscription;
    socket.send(JSON.stringify({ type: "subscribe", ...subscription }));
  }

  function take(frame) {
    heard = now();
    onFrame(frame);
    if (frame.type === "snapshot") {
      tries = 0;
      if (!live) {
        live = true;
        lost = false;
        onBack();
        if (socket && asked !== subscription) ask(); // something else is wanted since
      }
    }
  }

  function drop() {
    const dropped = socket;
    socket = null;
    if (dropped) {
      dropped.onclose = null;
      dropped.close();
    }
  }

  function lose() {
    if (lost) return;
    lost = true;
    live = false;
    onLost();
  }

  function failed() {
    drop();
    lose();
    if (stopped || again !== null) return;
    const wait = delay(tries, random());
    tries += 1;
    onNext(wait);
    again = later(connect, wait);
  }

  function look() {
    if (socket && now() - heard > NOT_LIVE_AFTER) {
      // What hangs before its first frame is not live from now on, and counts as failed later.
      if (live || now() - heard > FIRST_WITHIN) failed();
      else lose();
    }
    watch = later(look, 500);
  }

  return {
    start() {
      connect();
      look();
    },
    tryNow() {
      if (live || stopped || (socket && reached)) return; // it is there, or is being answered
      if (again !== null) never(again);
      drop();
      connect();
    },
    /** Asks for something else; the answer is a snapshot. */
    subscribe(wanted) {
      subscription = wanted;
      if (live) ask();
    },
    stop() {
      stopped = true;
      if (again !== null) never(again);
      if (watch !== null) never(watch);
      drop();
    },
  };
}
