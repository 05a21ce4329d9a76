// In playback, what the server drew of the time before a moment is read again after a leap to another one.

import { lastAsked, parsed } from "../lib/asked.js";
import { asOf, on, past } from "./live.js";

const takers = [];
const reading = lastAsked();
let known = false; // the first picture is of the moment that the page was made for

async function readAnew() {
  if (!known) {
    known = true;
    return;
  }
  const answer = await reading.read(asOf(location.href));
  if (answer === null) return;
  const page = parsed(answer.text ?? "");
  for (const take of takers) take(page);
}

/** Calls `take` with the page as it was at the moment that was leapt to; with an empty one where it cannot be read. */
export function onLeap(take) {
  if (past === null) return;
  if (!takers.length) on("snapshot", readAnew);
  takers.push(take);
}
