// Playback: what the bar spans, how far ahead is read, which frames are due. Pure; times are ms.

export const SPEEDS = [1, 10, 60, 600];
const HOUR = 3_600_000;
export const SPANS = { "1h": HOUR, "8h": 8 * HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR };

const AHEAD = 6_000; // of playing that is read at once

/** What the bar spans around a moment: half before, half after, at most up to the present. */
export function barAround(at, span, present) {
  const to = Math.min(present, at + span / 2);
  return { from: to - span, to };
}

export const holds = (bar, at) => at >= bar.from && at <= bar.to;

/** Where a moment stands on the bar, 0 to 1. */
export const shareOf = (bar, at) => Math.min(1, Math.max(0, (at - bar.from) / (bar.to - bar.from)));

export const momentAt = (bar, share) => bar.from + Math.min(1, Math.max(0, share)) * (bar.to - bar.from);

/** Where one stands to see an alarm that was just raised. Takes when, as ISO text; times here have no parts of a ms. */
export const rightAfter = (raised) => Date.parse(raised) + 1;

/** From where on the alarm "before" or "after" is looked for; the one that was raised in the ms that is shown is here. */
export const besideOf = (at, name) => (name === "before" ? at - 1 : at);

/** How long the past is that one drawing of values stands for: four a second, as live. */
export const stepOf = (speed) => speed * 250;

/** How much of the past is read at once. */
export const windowOf = (speed) => speed * AHEAD;

/** The next speed up or down. */
export function speedBeside(speed, by) {
  const place = SPEEDS.indexOf(speed) + by;
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, place))];
}

/** The frames between a moment that is drawn and one up to which the past has been read. */
export function reel(at) {
  let shown = at;
  let until = at;
  let frames = [];
  return {
    get at() {
      return shown;
    },
    get until() {
      return until;
    },
    /** Takes an answer in: frames in order of time, and up to when they go. */
    add(answer) {
      frames.push(...answer.frames);
      until = Math.max(until, answer.until);
    },
    /** Gives the frames that are due by a moment, which becomes the one that is drawn; what is not read yet waits. */
    play(to) {
      shown = Math.max(shown, Math.min(to, until));
      const due = frames.findIndex((frame) => frame.time > shown);
      return due === -1 ? frames.splice(0) : frames.splice(0, due);
    },
    /** Tells whether more is to be read, to play on at a speed. */
    wants: (speed) => until - shown < windowOf(speed) / 2,
  };
}
