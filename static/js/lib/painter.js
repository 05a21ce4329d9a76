// Paints what changed, at most four times a second, and spreads large paints over the frames between.

const PACE = 250; // ms
const AT_ONCE = 60; // parts in a frame, unless there are more than the frames have room for
const FRAMES = 15; // at most, however many parts

/** Takes paint(part). Gives mark(part); each marked part is painted once, with what is known then. */
export function painter(paint, { frame = (act) => requestAnimationFrame(act) } = {}) {
  const dirty = new Set();
  let queue = [];
  let share = 0;
  let begun = -Infinity;
  let running = false;

  function step(time) {
    if (!queue.length && dirty.size && time - begun >= PACE) {
      begun = time;
      queue = [...dirty];
      dirty.clear();
      share = Math.ceil(queue.length / Math.min(FRAMES, Math.ceil(queue.length / AT_ONCE)));
    }
    for (const part of queue.splice(0, share)) paint(part);
    running = queue.length > 0 || dirty.size > 0;
    if (running) frame(step);
  }

  return (part) => {
    dirty.add(part);
    if (!running) {
      running = true;
      frame(step);
    }
  };
}
