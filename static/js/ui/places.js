// Names, places and addresses of the plant's assets, for alarms that arrive while the page is open.

import { fill, gettext } from "../lib/words.js";
import { number, per } from "../state/writing.js";

let asked = null;
let known = null;
let units = {};

/** Asks once; the browser keeps the answer until the plant model changes. What could not be read is asked for again. */
export function load() {
  asked ??= read()
    .catch(() => false) // no connection
    .then((found) => {
      if (!found) asked = null;
    });
  return asked;
}

async function read() {
  const answer = await fetch(document.body.dataset.places, { credentials: "same-origin" });
  if (answer.ok) ({ places: known, units = {} } = await answer.json());
  return answer.ok;
}

/** Whether they were read; until then no asset has a place. */
export const areKnown = () => known !== null;

/** { name, place, url, area } of an asset, as far as known. */
export function placeOf(code) {
  const [name, place, url, area] = known?.[code] ?? ["", "", "", null];
  return { name, place, url, area };
}

/** All that is known: [code, [name, place, url, area]]. */
export const places = () => Object.entries(known ?? {});

/** A unit as it is shown: m3/h becomes m³/h. */
const unitOf = (text) => units[text] ?? text;

/** An alarm's value; a rate's is the reading at which it was met, and says so: its limit stands beside it. */
function valueOf(alarm) {
  // In the decimals of its sensor, as the server writes it.
  const value = alarm.value_label ?? number(alarm.value, alarm.decimals ?? 1);
  return alarm.per == null ? value : fill(gettext("at %(value)s"), { value });
}

/** Whether its value and its limit are one word, which its rule's name says already: neither tells anything. */
const isOneWord = ({ value_label: value, limit_label: limit }) => value != null && value === limit;

/** The value that an alarm was raised with, as what it was: nothing but the sensor tells the present one. */
export function wasOf(alarm) {
  if (alarm.value == null || isOneWord(alarm)) return "";
  return fill(gettext("was %(value)s"), { value: `${valueOf(alarm)} ${unitOf(alarm.unit)}`.trim() });
}

/** The limit that an alarm was raised at; a rate's is per time, a time has its own unit. */
export function limitOf(alarm) {
  const unit = alarm.limit_unit ? `\u00a0${alarm.limit_unit}` : "";
  return (alarm.limit_label ?? number(alarm.limit, alarm.limit_decimals ?? 1) + unit) + per(alarm.per);
}

/** The limit in a sentence. */
export function boundOf(alarm) {
  if (alarm.limit == null || isOneWord(alarm)) return "";
  return fill(gettext("limit %(value)s"), { value: limitOf(alarm) });
}

/** What an alarm says of its value: "was 97.4 °C, limit 90", or nothing. */
export const reading = (alarm) => [wasOf(alarm), boundOf(alarm)].filter(Boolean).join(", ");
