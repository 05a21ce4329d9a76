// Work that follows the last change: it waits until there is none for a while, and ends what is still under way.

/**
 * Takes { wait, slow } in ms; work(signal), which gives a promise; onSlow(), called when it takes longer than `slow`;
 * onEnd(), called when the newest ends. Gives { changed(), now(), stop() }.
 */
export function settled({
  wait,
  slow,
  work,
  onSlow = () => {},
  onEnd = () => {},
  later = (act, ms) => setTimeout(act, ms),
  never = (timer) => clearTimeout(timer),
  controller = () => new AbortController(),
}) {
  let waiting = null;
  let patience = null;
  let current = null;

  function stop() {
    never(waiting);
    never(patience);
    current?.abort();
    current = null;
  }

  async function now() {
    stop();
    const mine = controller();
    current = mine;
    patience = later(() => current === mine && onSlow(), slow);
    try {
      await work(mine.signal);
    } finally {
      if (current === mine) {
        never(patience);
        current = null;
        onEnd();
      }
    }
  }

  return {
    /** Begins when nothing has changed for a while; what is under way ends at once: nobody wants it any more. */
    changed() {
      stop();
      waiting = later(now, wait);
    },
    now,
    stop,
  };
}
