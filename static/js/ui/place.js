// A field for a part of the plant, where a list of all of them would be long: it offers what the typed words find.

import { make } from "../lib/dom.js";
import { find, load } from "./places.js";

const MOST = 20; // offered at once

const field = document.querySelector("input[data-find-place]");

async function offer() {
  await load();
  const found = find(field.value, MOST).map(({ code, name, place }) =>
    make("option", { value: code }, [name, place].filter(Boolean).join(", ")),
  );
  field.list.replaceChildren(...found);
}

export function start() {
  if (!field) return;
  field.addEventListener("input", offer);
  field.addEventListener("focus", offer);
}
