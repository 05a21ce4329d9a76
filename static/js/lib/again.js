// What is asked of the server again and again, for as long as somebody looks at it.

import { lastAsked } from "./asked.js";

/**
 * Reads an address at once, and anew `every` ms after each answer, until it is stopped.
 *
 * Takes { every, take(text), ask(address) }: `take` gets what the server wrote, null where it gave none.
 * Gives { start(address), stop() }: `address()` gives what is asked for each time; what is under way when it stops, or
 * begins anew, no longer counts.
 */
export function askedAgain({
  every,
  take,
  ask,
  later = (act, ms) => setTimeout(act, ms),
  never = (timer) => clearTimeout(timer),
}) {
  const reading = lastAsked(ask);
  let timer = null;

  function stop() {
    never(timer);
    reading.drop();
  }

  async function start(address) {
    stop();
    const found = await reading.read(address());
    if (found === null) return;
    timer = later(() => start(address), every);
    take(found.text);
  }

  return { start, stop };
}
