// What a screen reader is told, and when: at most one message every three seconds, critical ones first. Pure.

import { fill, gettext } from "../lib/words.js";

const PAUSE = 3000;

/** Gives { add(text, urgent), next(now) → { text, urgent } or null }. */
export function voice() {
  const urgent = [];
  const soon = [];
  let spoken = -Infinity;
  return {
    add(text, isUrgent) {
      (isUrgent ? urgent : soon).push(text);
    },
    next(now) {
      if (now - spoken < PAUSE) return null;
      const line = urgent.length ? urgent : soon;
      if (!line.length) return null;
      spoken = now;
      const text = line.shift();
      // During a flood nobody can listen to all of them.
      if (line.length > 3) {
        const more = line.splice(0).length;
        return { text: fill(gettext("%(text)s. And %(count)s more."), { text, count: more }), urgent: line === urgent };
      }
      return { text, urgent: line === urgent };
    },
  };
}
