// Fields of date and time. A browser draws its own by its own clock, whatever the page's language: an English one of the
// United States with AM and PM. There they become fields of text, of 24 hours as every clock of the plant. A finger keeps
// the device's own: it picks better than it types, and goes by the device's setting of 12 or 24 hours.

import { gettext } from "../lib/words.js";
import { toField } from "../state/zone.js";

const PATTERN = "\\d{4}-\\d{2}-\\d{2}[T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d)?";

function write(field, text) {
  field.value = field.type === "text" ? text.replace("T", " ") : text;
}

/** Writes an instant into a field, by a zone's clock. */
export function setWhen(field, at, zone) {
  write(field, toField(at, zone));
}

/** For a browser that halves the day: main.js looks, so that no other has to read this. */
export function start() {
  if (!matchMedia("(pointer: fine)").matches) return;
  for (const field of document.querySelectorAll("input[type=datetime-local]")) {
    const text = field.value;
    field.type = "text";
    field.pattern = PATTERN;
    field.title = gettext("Year, month, day, then hour and minute of 24 hours: 2026-03-17 18:05");
    field.placeholder = "2026-03-17 18:05";
    field.autocomplete = "off";
    write(field, text);
  }
}
