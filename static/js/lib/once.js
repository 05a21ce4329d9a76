// Many reasons to draw, one drawing: a burst of events does not become a burst of work.

const AT_LATEST = 100; // ms; a page in the background has no frames

/** Gives a function that has `act` done once, with the next frame, however often it is called before that. */
export function oncePerFrame(act, { frame = (run) => requestAnimationFrame(run), later = (run, ms) => setTimeout(run, ms) } = {}) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    const run = () => {
      if (!waiting) return;
      waiting = false;
      act();
    };
    frame(run);
    later(run, AT_LATEST);
  };
}

/** Gives a function that has `act` done `ms` after a call, however many come before that, and never while it is at it. */
export function oneAfterAnother(act, ms, { later = (run, after) => setTimeout(run, after) } = {}) {
  let waiting = false;
  let busy = false;
  let again = false;
  const soon = () => {
    if (busy) again = true;
    if (busy || waiting) return;
    waiting = true;
    later(run, ms);
  };
  async function run() {
    waiting = false;
    busy = true;
    try {
      await act();
    } finally {
      busy = false;
      if (again) {
        again = false;
        soon();
      }
    }
  }
  return soon;
}

/** Gives a function that reads something when it is first called, and keeps it; what could not be read is read again. */
export function readWhenAsked(read) {
  let kept = null;
  return () => {
    kept ??= read().catch((error) => {
      kept = null;
      throw error;
    });
    return kept;
  };
}
