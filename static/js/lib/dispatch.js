// The dispatcher: an element's data-act names an action; keys name actions too. Pages add their own.

import { reader, types } from "../state/keys.js";

const actions = new Map();
let bindings = {};
let read = reader(bindings);
// Buttons that were pressed before the page's own modules were there, with the last event: who pressed one again, as
// nothing happened, meant it once. Null once they are there.
let early = new Map();

/** Adds actions by name; each is called with the element (or null for a key) and the event. */
export function onAct(added) {
  for (const [name, act] of Object.entries(added)) actions.set(name, act);
}

/** Adds keys: { "a": "ack-banner", "g o": "go-overview" }. Later ones win, so a page can take a key over. */
export function onKeys(added) {
  bindings = { ...bindings, ...added };
  read = reader(bindings);
}

export function act(name, element, event) {
  const action = actions.get(name);
  if (!action) return false;
  action(element, event);
  return true;
}

/** All actions are known: what was pressed before is done now, in order. A form or a link went its own way. */
export function ready() {
  const pressed = early ?? new Map();
  early = null;
  for (const [button, event] of pressed) {
    if (!button.isConnected || button.getAttribute("aria-disabled") === "true") continue;
    queueMicrotask(() => act(button.dataset.act, button, event)); // one that fails keeps no other from being done
  }
}

/**
 * Single keys are off inside fields and while a dialog is open. The field of a dialog has the focus for some ms after
 * it was closed: what is typed then is meant for the page.
 */
function takesText(target) {
  if (!(target instanceof Element) || target.closest("dialog:not([open])")) return false;
  return target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
}

export function start() {
  document.addEventListener("click", (event) => {
    const element = event.target.closest?.("[data-act]");
    if (!element) return;
    if (element.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      return;
    }
    if (act(element.dataset.act, element, event)) event.preventDefault();
    else if (element.matches("button[type=button]")) early?.set(element, event);
  });
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
    // Who speaks to their computer, or slips, switches these off. Source: WCAG 2.1.4.
    if (types(event.key) && "noSingleKeys" in document.body.dataset) return;
    if (takesText(event.target) || document.querySelector("dialog[open]")) return;
    // Enter belongs to the link or button that has the focus.
    if (event.key === "Enter" && event.target.closest?.("a[href], button, summary")) return;
    const name = read(event.key, event.timeStamp);
    if (name && act(name, null, event)) event.preventDefault();
  });
}
