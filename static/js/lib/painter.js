// Paints what changed, at most four times a second, and spreads large paints over the frames between.

const PACE = 250; // ms
const FRAME = 17; // ms
const AT_ONCE = 60; // parts in a frame, unless there are more than the frames have room for
const FRAMES = 15; // at most, however many parts

const along = new Set();

/** Calls act() once, in the next frame in which anything is painted: what a frame costs is mostly the frame. */
export const paintAlong = (act) => along.add(act);
/** Takes it back; gives whether it still waited. */
export const takeBack = (act) => along.delete(act);

/**
 * Takes paint(part). Gives mark(part); each marked part is painted once, with what is known then. Between two paints no
 * frame is asked for: one in which nothing happens costs a millisecond of style, layout and sight all the same.
 */
export function painter(
  paint,
  { frame = (act) => requestAnimationFrame(act), later = (act, ms) => setTimeout(act, ms) } = {},
) {
  const dirty = new Set();
  let queue = [];
  let share = 0;
  let begun = -Infinity;
  let running = false; // a frame is asked for
  let resting = false; // none is, until it is nearly time

  function ask() {
    if (running || resting || !dirty.size) return;
    running = true;
    frame(step);
  }

  function wake() {
    resting = false;
    ask();
  }

  function step(time) {
    if (!queue.length) {
      if (time - begun < PACE) return frame(step);
      begun = time;
      queue = [...dirty];
      dirty.clear();
      share = Math.ceil(queue.length / Math.min(FRAMES, Math.ceil(queue.length / AT_ONCE)));
      resting = true;
      later(wake, PACE - FRAME);
    }
    try {
      for (const part of queue.splice(0, share)) paint(part);
    } finally {
      // Whatever fails, what changes next is painted.
      if (queue.length) frame(step);
      else {
        running = false;
        ask();
      }
    }
    for (const act of along) if (takeBack(act)) act();
  }

  return (part) => {
    dirty.add(part);
    ask();
  };
}
