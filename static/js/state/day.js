// A machine's last 24 hours as they go on. Pure; plant/pages/states.py is its twin. Times in seconds.

export const SPAN = 86_400;

/**
 * Lets the newest state go on to `now`, or another one begin at `since`; what is older than a day falls out, and what
 * is later than `now`, as after a leap back in playback.
 */
export function goOn(stretches, kind, now, since = now) {
  const known = stretches.filter(([, start]) => start < now);
  const found = known.map(([one, start, end]) => [one, start, Math.min(end, now)]);
  const last = found.at(-1);
  if (last && last[0] === kind) last[2] = now;
  else {
    const from = last ? Math.max(last[1], Math.min(now, since)) : now - SPAN;
    if (last) last[2] = from;
    found.push([kind, from, now]);
  }
  return found
    .map(([one, start, end]) => [one, Math.max(start, now - SPAN), end])
    .filter(([, start, end]) => end > start);
}

/** How long each state lasted, the longest first: [[kind, seconds], ...]. */
export function lasted(stretches) {
  const found = new Map();
  for (const [kind, start, end] of stretches) found.set(kind, (found.get(kind) ?? 0) + end - start);
  return [...found].sort(([, a], [, b]) => b - a);
}

/** 20 h 46, or 48 min. */
export function lasting(seconds, short) {
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
  return minutes ? `${minutes} min` : short;
}
