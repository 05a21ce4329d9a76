// A short message at the bottom; never the only copy of a fact.

import { make } from "../lib/dom.js";

const STAYS = 5000; // ms
let shown = null;

/** Shows `text`; with an action, { label, act } is its button. */
export function toast(text, action = null) {
  shown?.remove();
  shown = make("div", { class: "toast", role: "status" }, make("span", {}, text));
  if (action) {
    const button = make("button", { type: "button" }, action.label);
    button.addEventListener("click", () => {
      shown.remove();
      action.act();
    });
    shown.append(button);
  }
  document.body.append(shown);
  const mine = shown;
  setTimeout(() => mine.remove(), STAYS);
}
