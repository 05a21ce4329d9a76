// Which cards of a page are in sight, or nearly: what is scrolled away is drawn when it comes, and every half minute for
// those who read or search the page without seeing it, not whenever it changes.

import { painter } from "../lib/painter.js";
import { on } from "./live.js";

const NEAR = "10%"; // of the window above and below it
const ANEW = 30; // s

const away = new Set();
const listeners = new Set();

const come = (card) => listeners.forEach((act) => act(card));
const drawAway = () => away.forEach(come);

on("lost", drawAway); // before ui/shell.js stops the page

let observer = null;

function look(entries) {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) away.add(target);
    else if (away.delete(target)) come(target);
  }
}

function begin() {
  observer = new IntersectionObserver(look, { rootMargin: `${NEAR} 0px` });
  addEventListener("beforeprint", drawAway);
  const soon = painter(come);
  let due = [];
  setInterval(() => {
    if (!due.length) due = [...away];
    due.splice(0, Math.ceil(away.size / ANEW) || 1).forEach(soon);
  }, 1000);
}

/** Watches a card; nothing changes for one that is watched already. It is in sight until the browser says otherwise. */
export function watch(card) {
  if (observer === null) begin();
  observer.observe(card);
}

/** Whether a card is out of sight. Takes: null for what stands on no card, which is never. */
export const isAway = (card) => away.has(card);

/** Calls act(card) for each that comes into sight; and for all that are out of it before nothing moves any more. */
export const whenComes = (act) => listeners.add(act);
