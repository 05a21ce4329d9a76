// A sparkline's path and its next point. Pure; plant/drawing/charts.py is its twin.

export const POINTS = 60;

/**
 * Takes the points (null is a gap), { normal: [low, high] or null, limit or null, below } and the size. Gives
 * { path, hot, band: { y, height } or null }.
 */
export function draw(points, { normal = null, limit = null, below = false }, width = 120, height = 24) {
  const known = points.filter((point) => point !== null);
  if (known.length < 2) return { path: "", hot: "", band: null };
  let low = Math.min(...known, ...(normal ?? []));
  let high = Math.max(...known, ...(normal ?? []));
  const pad = (high - low) * 0.08 || 0.5;
  [low, high] = [low - pad, high + pad];
  const y = (value) => height - ((value - low) / (high - low)) * height;
  const trace = (wanted) => {
    let text = "";
    let up = true;
    points.forEach((point, place) => {
      if (point === null || !wanted(point)) {
        up = true;
        return;
      }
      text += `${up ? "M" : "L"}${((place / (points.length - 1)) * (width - 4)).toFixed(1)} ${y(point).toFixed(1)}`;
      up = false;
    });
    return text;
  };
  const past = (point) => (below ? point <= limit : point >= limit);
  const top = normal ? Math.max(0, y(normal[1])) : 0;
  return {
    path: trace(() => true),
    hot: limit === null ? "" : trace(past),
    band: normal ? { y: top, height: Math.max(0, Math.min(height, y(normal[0])) - top) } : null,
  };
}

export const SLOT = 60_000; // ms

/** How many slots have passed since the last point: in playback more than one at once; none after a leap back. */
export const slotsSince = (last, now) => Math.min(POINTS, Math.max(0, Math.floor((now - last) / SLOT)));

/** Gives the points a slot later: the newest value comes in at the right, or a gap. */
export function next(points, value) {
  return [...points, value].slice(-POINTS);
}
