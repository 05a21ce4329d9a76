// What the list is narrowed to changes as one types or chooses, and with it the address; without scripts the form does it.

import { asOf } from "../live.js";
import { board, takeIn } from "./newer.js";

const PATIENCE = 250; // ms after the last key

const form = document.querySelector("form.filters");
const kept = document.querySelector(".kept");
let timer = null;

/** What the list is narrowed to, of the moment that the page tells of: in playback its own, whatever was sent before. */
function address() {
  const here = new URL(location.pathname, location.href);
  for (const [name, value] of new FormData(form)) {
    if (value.trim() && name !== "at") here.searchParams.set(name, value.trim());
  }
  const alarm = new URL(location.href).searchParams.get("alarm");
  if (alarm) here.searchParams.set("alarm", alarm);
  return here;
}

/** Offers to keep what the list is narrowed to, and marks the one of those kept that it is. */
function drawKept(given) {
  const { show, flat, ...narrowed } = given;
  const whole = Object.keys(narrowed).length === 0;
  form.querySelector(".whole").hidden = whole;
  const keep = kept.querySelector(".keep");
  keep.hidden = whole;
  keep.querySelector("[name=query]").value = new URLSearchParams(given);
  const mine = [...kept.querySelectorAll(".keptone")];
  for (const one of mine) {
    const link = one.querySelector("a");
    const wanted = Object.fromEntries(new URL(link.href).searchParams);
    const on = Object.keys({ ...wanted, ...given }).every((name) => wanted[name] === given[name]);
    one.toggleAttribute("data-on", on);
    link.toggleAttribute("aria-current", on);
  }
  kept.hidden = whole && !mine.length;
}

/** The chips and tabs lead from what is narrowed now: each changes its own part of the address and keeps the rest. */
function drawLinks(given) {
  for (const [selector, own] of [
    ["a[data-chip]", "priority"],
    [".tabrow a", "show"],
  ]) {
    for (const link of document.querySelectorAll(selector)) {
      const wanted = new URL(link.href).searchParams.get(own);
      const address = new URL(location.pathname, location.href);
      for (const [name, value] of Object.entries(given)) if (name !== own) address.searchParams.set(name, value);
      if (wanted) address.searchParams.set(own, wanted);
      link.href = address;
    }
  }
}

async function narrow() {
  const to = address();
  const given = Object.fromEntries(to.searchParams);
  delete given.alarm;
  board.dataset.filters = JSON.stringify(given);
  for (const label of form.querySelectorAll(".pick")) {
    label.toggleAttribute("data-on", Boolean(label.querySelector("select").value));
  }
  drawKept(given);
  drawLinks(given);
  // What is wanted is in the address before anything is read: whoever else reads the list meanwhile reads this one.
  history.replaceState(null, "", asOf(to));
  await takeIn();
}

export function start() {
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(narrow, event.target.matches("select") ? 0 : PATIENCE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    narrow();
  });
  // Esc leaves the field and gives the keys back to the list.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("[name=q]") && !event.target.value) event.target.blur();
  });
}
