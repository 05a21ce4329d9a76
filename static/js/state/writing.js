// How numbers, times and ages are written. Pure; plant/writing.py is its twin, both are held to tests/js/writing.json.

import { fill, gettext } from "../lib/words.js";
import { ahead } from "./zone.js";

export const NO_VALUE = "–";
const THIN_SPACE = "\u2009";
const MINUS = "\u2212";

let decimalSign = ".";
let page = null; // the time zone of the page's clock; null: UTC
let months = null;

/** Takes the page's decimal sign, once, before anything is written. */
export function writeWith(sign) {
  decimalSign = sign;
}

/** Takes the page's time zone, once, before anything is written: "Europe/Berlin". */
export function writeIn(zone) {
  page = zone;
}

/** An instant by the page's clock, to be read with getUTC…(). */
export const local = (ms) => new Date(page === null || !Number.isFinite(ms) ? ms : ms + ahead(ms / 1000, page) * 1000);

/** A number with thin spaces between thousands, the locale's decimal sign and a real minus. */
export function number(value, decimals = 1) {
  if (value == null || !Number.isFinite(value)) return NO_VALUE;
  const [whole, part] = Math.abs(value).toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  const text = part ? grouped + decimalSign + part : grouped;
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

const two = (value) => String(value).padStart(2, "0");

/** 5:35 under an hour, 1 h 24 under a day, then 2 d 04 h. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))}`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

/** How old data is: 0.4 s, 12 s, 9 min 58 s, 3 h 05 min, 2 d 04 h. */
export function age(seconds) {
  const known = Math.max(0, seconds);
  if (known < 9.95) return `${known.toFixed(1).replace(".", decimalSign)} s`;
  const whole = Math.max(10, Math.floor(known));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

/** The time of day by the page's clock. */
export function clock(ms) {
  const at = local(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** A day by the page's clock: 17 Mar; with the year where it is another than that of `now`. */
export function day(ms, now = ms) {
  months ??= [
    gettext("Jan"),
    gettext("Feb"),
    gettext("Mar"),
    gettext("Apr"),
    gettext("May"),
    gettext("Jun"),
    gettext("Jul"),
    gettext("Aug"),
    gettext("Sep"),
    gettext("Oct"),
    gettext("Nov"),
    gettext("Dec"),
  ];
  const at = local(ms);
  const words = { day: at.getUTCDate(), month: months[at.getUTCMonth()], year: at.getUTCFullYear() };
  if (words.year === local(now).getUTCFullYear()) return fill(gettext("%(day)s %(month)s"), words);
  return fill(gettext("%(day)s %(month)s %(year)s"), words);
}

/** A day as tables sort it: 2026-03-17. */
export const date = (ms) => local(ms).toISOString().slice(0, 10);

/** What a rate is per, after its figure: " /min"; nothing for none. Takes seconds. */
export function per(seconds) {
  if (seconds == null) return "";
  return `\u00a0/${{ 1: "s", 60: "min", 3600: "h" }[seconds] ?? `${seconds} s`}`;
}
