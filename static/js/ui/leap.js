// What the server drew of the time before a moment is read again where the page has not followed it: in playback after
// a leap to another moment, live after the connection was lost.

import { lastAsked, parsed } from "../lib/asked.js";
import { asOf, now, on, past } from "./live.js";

const takers = [];
const reading = lastAsked();
let known = false; // the first picture is of the moment that the page was made for, unless one has leapt meanwhile

let lost = false;

async function readAnew() {
  const answer = await reading.read(asOf(location.href));
  if (answer === null) return;
  const page = parsed(answer.text ?? "");
  // Live, what could not be read again stays: the page followed it until a moment ago. The door's page is not this one.
  if (past === null && page.querySelector("main")?.dataset.modules !== document.getElementById("main").dataset.modules) return;
  for (const take of takers) take(page);
}

function listen() {
  if (past !== null) {
    on("snapshot", () => {
      if (known || now() !== past) readAnew();
      known = true;
    });
    return;
  }
  on("lost", () => (lost = true));
  on("back", () => {
    if (lost) readAnew();
    lost = false;
  });
}

/** Calls `take` with the page as it is at the moment that was leapt to; in playback with an empty one where it cannot be read. */
export function onLeap(take) {
  if (!takers.length) listen();
  takers.push(take);
}
