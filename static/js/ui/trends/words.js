// Times and durations as the explorer writes them, by the plant's clock.

import { fill, gettext } from "../../lib/words.js";
import { ahead } from "../../state/zone.js";

const { zone } = document.body.dataset;
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
const dayOfYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const two = (value) => String(value).padStart(2, "0");
const wall = (at) => new Date(Math.round((at + ahead(at, zone)) * 1000));

/** 18:36:42, with a fraction where one looks so near. */
export function clock(at, span = Infinity) {
  const shown = wall(at);
  const text = `${two(shown.getUTCHours())}:${two(shown.getUTCMinutes())}:${two(shown.getUTCSeconds())}`;
  return span < 30 ? `${text}.${String(shown.getUTCMilliseconds()).padStart(3, "0")}` : text;
}

/** The day, with the year where it is not this one. */
function date(at) {
  const shown = wall(at);
  return (shown.getUTCFullYear() === wall(Date.now() / 1000).getUTCFullYear() ? day : dayOfYear).format(shown);
}

/** 17 Mar 18:36:42 */
export const moment = (at, span) => `${date(at)} ${clock(at, span)}`;

/** 17 Mar 10:36 to 18:36 */
export function rangeWords(from, to) {
  const span = to - from;
  const short = (at) => (span <= 600 ? clock(at, span) : clock(at).slice(0, 5));
  const [begins, ends] = [`${date(from)} ${short(from)}`, date(from) === date(to) ? short(to) : `${date(to)} ${short(to)}`];
  return fill(gettext("%(from)s to %(to)s"), { from: begins, to: ends });
}

/** 0 s, 45 s, 19 min, 3 h 05 min, 2 d 04 h. */
export function lasting(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.round(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}
