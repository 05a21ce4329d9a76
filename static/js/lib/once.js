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
