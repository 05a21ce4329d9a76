// Wall clocks: what time it is somewhere at an instant, and the instant of a time there. Seconds since 1970 throughout. Pure.

const QUARTER = 900; // s; no zone turns its clocks between two quarters of an hour
const MOST_KEPT = 5000;
const formats = new Map();
const kept = new Map();

function format(zone) {
  if (!formats.has(zone)) {
    const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    formats.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", era: "short", ...parts }));
  }
  return formats.get(zone);
}

/** @returns by how many seconds a zone's clock is ahead of UTC at an instant. */
export function ahead(at, zone) {
  const quarter = Math.floor(at / QUARTER);
  const key = `${zone} ${quarter}`;
  if (!kept.has(key)) {
    if (kept.size >= MOST_KEPT) kept.clear();
    const seconds = quarter * QUARTER;
    const part = Object.fromEntries(format(zone).formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
    const wall = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000;
    kept.set(key, wall - seconds);
  }
  return kept.get(key);
}

/** @returns the instant at which a zone's clock shows what UTC's would at `wall`; the first such, after a gap the next. */
export function instant(wall, zone) {
  const before = wall - ahead(wall - 86_400, zone);
  const after = wall - ahead(wall + 86_400, zone);
  for (const at of [Math.min(before, after), Math.max(before, after)]) if (at + ahead(at, zone) === wall) return at;
  return Math.max(before, after);
}

/** @returns what a field of date and time takes: 2026-03-17T10:36:00. */
export const toField = (at, zone) => new Date((Math.round(at) + ahead(at, zone)) * 1000).toISOString().slice(0, 19);

/** Reads such a field, also with a blank between date and time; null where it is none. */
export function fromField(text, zone) {
  const wall = Date.parse(`${text.trim().replace(" ", "T")}Z`) / 1000;
  return Number.isFinite(wall) ? instant(wall, zone) : null;
}
