// Where the pointer of a moving analog indicator stands. Pure; plant/drawing/scale.py is its twin.

/** 0 to 100 from left to right; beyond the ends it rests there. */
export function at(value, low, high) {
  return Math.round(Math.max(0, Math.min(100, ((value - low) / (high - low)) * 100)) * 100) / 100;
}

/** The first limit that a value is past, or null. */
export function beyond(value, edgeLow, edgeHigh) {
  if (edgeHigh != null && value >= edgeHigh) return edgeHigh;
  if (edgeLow != null && value <= edgeLow) return edgeLow;
  return null;
}

/** "under" or "over" when a value lies outside the scale, else nothing. */
export function off(value, low, high) {
  if (value < low) return "under";
  return value > high ? "over" : "";
}
