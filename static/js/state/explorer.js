// What the trend explorer shows, as its address holds it. Seconds since 1970 throughout. Pure.

export const SHORTEST = 0.1; // s
export const LONGEST = 20 * 366 * 86_400;
export const OVERLAYS = ["alarms", "limits", "notes"];
const DAY = 86_400;
const UNITS = { s: 1, m: 60, h: 3600, d: DAY };
const NAMED = { day: DAY, week: 7 * DAY };

/** Reads 90m, 8h, 30d; null where it is none. */
export function readSpan(text) {
  const found = /^(\d{1,7})([smhd])$/.exec(text ?? "");
  const span = found ? Number(found[1]) * UNITS[found[2]] : 0;
  return span >= SHORTEST && span <= LONGEST ? span : null;
}

/** @returns a span in the largest unit that it is a whole number of. */
export function writeSpan(span) {
  const whole = Math.round(span);
  const unit = ["d", "h", "m"].find((one) => whole % UNITS[one] === 0) ?? "s";
  return `${whole / UNITS[unit]}${unit}`;
}

/**
 * @returns { tags, span, end, compare, layout, hidden } of an address. `end` is null for a view that follows the
 * present; `compare` is null, "previous", "day", "week", or the seconds to go back.
 */
export function readView(search, { span: usual, most }) {
  const query = new URLSearchParams(search);
  const tags = [...new Set(query.getAll("s"))].slice(0, most);
  const [from, to] = ["from", "to"].map((name) => Date.parse(query.get(name) ?? "") / 1000);
  const fixed = Number.isFinite(from) && Number.isFinite(to) && to - from >= SHORTEST && to - from <= LONGEST;
  const wanted = query.get("c");
  const back = Number(wanted);
  const compare = ["previous", "day", "week"].includes(wanted) ? wanted : wanted && back > 0 && back <= LONGEST ? back : null;
  return {
    tags,
    span: fixed ? to - from : (readSpan(query.get("t")) ?? usual),
    end: fixed ? to : null,
    compare,
    layout: query.get("layout") === "one" ? "one" : "lanes",
    hidden: OVERLAYS.filter((name) => (query.get("off") ?? "").split(",").includes(name)),
  };
}

/** @returns the query of an address that shows the same. */
export function writeView({ tags, span, end, compare, layout, hidden }) {
  const query = tags.map((tag) => ["s", tag]);
  if (end === null) query.push(["t", writeSpan(span)]);
  else query.push(["from", new Date((end - span) * 1000).toISOString()], ["to", new Date(end * 1000).toISOString()]);
  if (compare !== null) query.push(["c", String(compare)]);
  if (layout === "one") query.push(["layout", "one"]);
  if (hidden.length) query.push(["off", hidden.join(",")]);
  // A tag and a time read better as they are; nothing in them needs another form.
  return `?${query.map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/%(2F|3A|2C)/g, decodeURIComponent)}`).join("&")}`;
}

/** @returns how many seconds before the view the compared period lies. */
export const backBy = (compare, span) => (compare === "previous" ? span : (NAMED[compare] ?? compare ?? 0));

/** A span within what can be shown. */
export const bounded = (span) => Math.max(SHORTEST, Math.min(LONGEST, span));

/** @returns { span, end } after a zoom by `factor` that leaves the instant `at` where it is. */
export function zoomed({ from, span }, factor, at, now) {
  const wanted = bounded(span * factor);
  const end = at + (from + span - at) * (wanted / span);
  return { span: wanted, end: end >= now ? null : end };
}

/** @returns the sensors' pens by unit, in the order in which the units come: each unit has an axis. */
export function byUnit(pens) {
  const groups = new Map();
  for (const pen of pens) {
    const unit = Object.keys(pen.labels ?? {}).length ? `labels ${pen.tag}` : pen.unit;
    if (!groups.has(unit)) groups.set(unit, []);
    groups.get(unit).push(pen);
  }
  return [...groups.values()];
}

/** @returns marks [{ time, priority }] as symbols that do not overlap: { time, marks }, by how many seconds one is wide. */
export function clustered(marks, width) {
  const clusters = [];
  for (const mark of [...marks].sort((one, other) => one.time - other.time)) {
    const last = clusters.at(-1);
    if (last && mark.time - last.time < width) last.marks.push(mark);
    else clusters.push({ time: mark.time, marks: [mark] });
  }
  return clusters;
}
