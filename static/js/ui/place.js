// A field for a part of the plant, where a list of all of them would be long: it offers what the typed words find.

import { make } from "../lib/dom.js";
import { findPlaces } from "../state/finding.js";
import { load, places } from "./places.js";

const MOST = 20; // offered at once

const field = document.querySelector("input[data-find-place]");

/** What an option is called. It holds the typed text as it stands: a browser shows no other, whatever words found it. */
function labelOf({ code, name, place }, typed) {
  const label = [name, place].filter(Boolean).join(", ");
  const holds = (text) => text.toLowerCase().includes(typed.toLowerCase());
  return holds(code) || holds(label) ? label : `${label} · ${typed}`;
}

async function offer() {
  await load();
  const typed = field.value;
  const found = findPlaces(places(), typed, MOST).map((one) => make("option", { value: one.code, label: labelOf(one, typed) }));
  field.list.replaceChildren(...found);
}

export function start() {
  if (!field) return;
  field.addEventListener("input", offer);
  field.addEventListener("focus", offer);
  if (document.activeElement === field) offer(); // somebody was there before the script
}
