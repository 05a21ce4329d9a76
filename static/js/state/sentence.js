// A rule as one sentence whose parts are the fields of its form. Pure; plant/pages/rules/sentence.py is its twin.

const MISSING = "…";

/**
 * Takes the words by kind, with "delay" and "unless"; the form's kind; what is shown for each field, empty where it is
 * not set. Gives [text, field] pairs; the field of plain words is "".
 */
export function sentence(words, kind, shown) {
  if (!(kind in words)) return [];
  const text = words[kind]
    .replace("%(delay)s", shown.on_delay ? words.delay : "")
    .replace("%(unless)s", shown.suppress_when ? words.unless : "");
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(/%\((\w+)\)s/g)) {
    if (found.index > at) parts.push([text.slice(at, found.index), ""]);
    parts.push([shown[found[1]] || MISSING, found[1]]);
    at = found.index + found[0].length;
  }
  parts.push([text.slice(at), ""]);
  return parts;
}

/** Reads a number with a point or a comma; null where it is none. */
export function readNumber(text) {
  let bare = text.trim().replace("\u2212", "-").replace(/\s/g, "");
  if (bare.split(",").length === 2 && !bare.includes(".")) bare = bare.replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : null;
}

/** A number as a field holds it, in so many decimals at most, with the page's decimal sign. */
export const fieldText = (value, decimals, sign = ".") => String(Number(value.toFixed(decimals))).replace(".", sign);
