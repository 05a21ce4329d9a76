// The rows of the console: each changes in place with its alarm, none ever moves.

import { make, setText } from "../../lib/dom.js";
import { fill, gettext } from "../../lib/words.js";
import { isUnacked, lookOf } from "../../state/alarms.js";
import { whoAcked, wordOf } from "../../state/console.js";
import { clock } from "../../state/writing.js";
import { plant } from "../live.js";
import { prioritySymbol } from "../symbols.js";

export const list = document.getElementById("rows"); // none on the page of one alarm

/** The rows: alarms, which go by number; or in the lists of what is not presented rules, by the name the socket gives. */
export const rows = () => [...(list?.querySelectorAll("tr[data-alarm], tr[data-key]") ?? [])];
export const idOf = (row) => row.dataset.key ?? Number(row.dataset.alarm);
export const isRule = (id) => typeof id === "string";

export function rowOf(id) {
  const named = isRule(id) ? `tr[data-key="${CSS.escape(id)}"]` : `tr[data-alarm="${id}"]`;
  return list?.querySelector(named) ?? null;
}

/** Draws an alarm into its row as it stands. Takes: null for one of which nothing more is known; whether it is over. */
export function drawRow(row, alarm, over) {
  const standing = !over && isUnacked(alarm);
  const look = over ? "zero" : lookOf(alarm);
  const waits = standing && look !== "shelved" && look !== "suppressed";
  row.classList.toggle("un", waits);
  const want = `${look}:${alarm?.acked_by ?? ""}`;
  if (row.dataset.look !== want) {
    row.dataset.look = want;
    row.querySelector(".symbol").replaceChildren(prioritySymbol(Number(row.dataset.priority), look));
    if (!waits) drawWho(row.querySelector(".c-act"), alarm);
  }
  setText(row.querySelector(".word"), wordOf(alarm, look));
  if (over || alarm.cleared) for (const part of row.querySelectorAll("[data-since]")) delete part.dataset.since;
  const box = row.querySelector(".cb");
  if (box && over) {
    box.checked = false;
    box.disabled = true;
  }
}

/** In the place of the button: who was quicker, or did it. Whoever had the focus there keeps a place in the list. */
function drawWho(cell, alarm) {
  const who = whoAcked(alarm);
  const words = { who: alarm?.acked_by, at: alarm?.acked ? clock(Date.parse(alarm.acked)) : "" };
  const title = fill(gettext("Acknowledged by %(who)s at %(at)s"), words);
  const hadFocus = cell.contains(document.activeElement);
  cell.replaceChildren(...(who ? [make("span", { class: "who trunc", title }, who)] : []));
  if (hadFocus) cell.closest("tr").querySelector(".msg")?.focus({ preventScroll: true });
}

/** Nobody knows whether an alarm still holds while what it comes from is not heard. */
export function drawSilent() {
  for (const row of rows()) {
    const alarm = plant.alarms.get(idOf(row));
    const mark = row.querySelector(".c-silent");
    if (mark) mark.hidden = !alarm?.rule || !(plant.silent.has(alarm.asset) || plant.silent.has(alarm.sensor));
  }
}
