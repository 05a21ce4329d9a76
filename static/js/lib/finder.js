// Words that are looked for while they are typed: what is shown, and what Enter opens, always belongs to the words that
// stand there, never to those before them.

import { settled } from "./settled.js";

/**
 * Takes ask(words, signal), a promise of { items, counts }, null where there was no answer; near(words), the items that
 * are known at once; isNamed(item, words), whether nothing comes before it; draw({ words, items, counts, answered, slow,
 * entered }), with `answered` false until the answer is there and null where there was none; open(item); { wait, slow }
 * in ms. Gives { typed(text), look(), enter(chosen), stop() }.
 */
export function finder({ ask, near, isNamed, draw, open, wait = 80, slow = 300, ...timers }) {
  const nothing = { words: "", items: [], counts: {}, answered: true, slow: false, entered: false };
  let shown = nothing;
  let asked = ""; // words whose answer is under way

  function show(change) {
    shown = { ...shown, ...change };
    draw(shown);
  }

  const asking = settled({
    wait,
    slow,
    onSlow: () => show({ slow: true }),
    async work(signal) {
      const words = (asked = shown.words);
      const answer = await ask(words, signal).catch(() => null);
      if (signal.aborted) return; // other words stand there since
      asked = "";
      const { entered } = shown;
      show({ ...(answer ?? {}), answered: answer ? true : null, slow: false, entered: false });
      if (entered && answer?.items.length) open(answer.items[0]);
    },
    ...timers,
  });

  function drop() {
    asking.stop();
    asked = "";
  }

  return {
    /** Takes what stands in the field; the same words as before are not asked for again. */
    typed(text) {
      const words = text.trim();
      if (words === shown.words) return;
      drop();
      shown = nothing;
      if (!words) return show({});
      show({ words, items: near(words), answered: false });
      asking.changed();
    },
    /** Looks once more at what is known at once: it was not, before. */
    look() {
      if (shown.answered !== true) show({ items: near(shown.words) });
    },
    /** Opens what was chosen of the list, else the first: of the answer to these very words, however long it takes. */
    enter(chosen = null) {
      const [first] = shown.items;
      if (chosen) open(chosen);
      else if (first && (shown.answered !== false || isNamed(first, shown.words))) open(first);
      else if (shown.answered === false) {
        show({ entered: true });
        if (asked !== shown.words) asking.now();
      }
    },
    /** Wants nothing of it any more. */
    stop() {
      drop();
      shown = nothing;
      draw(shown);
    },
  };
}
