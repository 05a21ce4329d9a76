// Which row of the console is the current one, and which are selected: alarms by number, rules by name.

import { setText } from "../../lib/dom.js";
import { isLatched } from "../../state/alarms.js";
import { plant } from "../live.js";
import { idOf, list, rowOf, rows } from "./rows.js";

const bulk = document.getElementById("bulk");

export const chosen = new Set();
let current = null;

export const currentId = () => current;

/** Makes a row the current one; null: none. */
export function setCurrent(id) {
  current = id;
  mark();
}

export function mark() {
  for (const row of rows()) {
    row.setAttribute("aria-selected", String(idOf(row) === current));
    const box = row.querySelector(".cb");
    if (box) box.checked = chosen.has(idOf(row));
  }
  const all = list?.querySelector("[data-choose-all]");
  if (all) {
    const open = choosable();
    all.checked = open.length > 0 && open.every((row) => chosen.has(idOf(row)));
    all.indeterminate = !all.checked && chosen.size > 0;
  }
  if (!bulk) return;
  bulk.hidden = chosen.size === 0;
  setText(bulk.querySelector("[data-bulk]"), String(chosen.size));
  const reset = bulk.querySelector("[data-act=reset-chosen]");
  if (reset) reset.hidden = !latched().length;
}

/** Those of the chosen alarms that are latched: they wait for a reset. */
export const latched = () => [...chosen].filter((id) => isLatched(plant.alarms.get(id)));

const choosable = () => rows().filter((row) => !row.querySelector(".cb")?.disabled);

/** Goes to the next row, or the one before; gives its alarm. The focus goes along, so that it is read out. */
export function step(by) {
  const all = rows();
  if (!all.length) return null;
  const at = all.findIndex((row) => idOf(row) === current);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  setCurrent(idOf(next));
  next.querySelector(".msg, a").focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  return current;
}

/** Selects a row, or no longer; without a current row the first one, which becomes it. */
export function toggle(id) {
  if (id === null) id = step(0);
  if (id === null || !rowOf(id)?.querySelector(".cb:enabled")) return;
  if (!chosen.delete(id)) chosen.add(id);
  mark();
}

export function toggleAll() {
  const open = choosable().map(idOf);
  const whole = open.every((id) => chosen.has(id));
  for (const id of open) chosen[whole ? "delete" : "add"](id);
  mark();
}

export function drop(ids) {
  for (const id of ids) chosen.delete(id);
  mark();
}

export function clear() {
  chosen.clear();
  mark();
}
