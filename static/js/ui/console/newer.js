// What has come since the list was put in order waits behind a bar: nothing is put between the rows by itself. Where
// there is no row, nothing would be: what has come is shown at once.

import { lastAsked, parsed, readPage } from "../../lib/asked.js";
import { setText } from "../../lib/dom.js";
import { held } from "../../lib/held.js";
import { gettext, fill, ngettext } from "../../lib/words.js";
import { belongs, belongsRule, countHidden, isHiddenIn, isOfRules } from "../../state/console.js";
import { isPresented, tally } from "../../state/alarms.js";
import { oneAfterAnother, oncePerFrame } from "../../lib/once.js";
import { chosen, drop, mark } from "./chosen.js";
import { asOf, on, past, plant } from "../live.js";
import { areKnown, load, placeOf } from "../places.js";
import { drawRow, idOf, isRule, list, rowOf, rows } from "./rows.js";
import { inPhase } from "../symbols.js";
import { toast } from "../toast.js";

const AT_ONCE = 16; // ms; a burst is one reading

export const board = document.getElementById("console"); // none on the page of one alarm
const bar = document.getElementById("newer");
const newer = new Set(); // alarms by number, rules by name
let regroups = false; // a flood has begun or ended: the list has another order
let newest = Number(board?.dataset.newest ?? 0); // the newest alarm when the list was read

const show = () => board.dataset.show;
let read = { text: "", filters: {} };

/** What the list is narrowed to, as it stands in the address. */
function filters() {
  const text = board.dataset.filters;
  if (read.text !== text) read = { text, filters: JSON.parse(text) };
  return read.filters;
}

/** The area of an asset; while places could not be read any may be the one that the list is narrowed to. */
const areaOf = (code) => (areKnown() ? placeOf(code).area : filters().area);

// --- The bar ---------------------------------------------------------------------------------------------------------

const isEmpty = () => !list.querySelector("tr[data-alarm], tr[data-key]");

const takeInAtOnce = oneAfterAnother(async () => {
  if (newer.size && isEmpty() && !(await takeIn()) && isEmpty()) showBar();
}, AT_ONCE);

function drawBar() {
  if (!bar) return;
  // In playback the list is read by itself anyway.
  if (newer.size && past === null && isEmpty()) takeInAtOnce();
  else showBar();
}

function showBar() {
  bar.hidden = newer.size === 0 && !regroups;
  const many = fill(ngettext("%(count)s new alarm", "%(count)s new alarms", newer.size), { count: newer.size });
  const words = newer.size && regroups ? fill(gettext("%(new)s, by their causes"), { new: many }) : many;
  setText(bar.querySelector("span"), newer.size ? words : gettext("Alarms by their causes"));
}

const drawBarSoon = oncePerFrame(drawBar);

function add(name) {
  newer.add(name);
  drawBarSoon();
}

/**
 * Takes note of an alarm that the list does not have, and of how it stood before, where that is known. What the list
 * shows now and did not then has come: it waits. What the list would not show, or not any more, does not.
 */
export function note({ id }, before = null) {
  load().then(() => {
    const isShown = (alarm) => belongs(alarm, show(), filters(), areaOf);
    const alarm = plant.alarms.get(id);
    if (!alarm || rowOf(id) || !isShown(alarm)) forget(id);
    else if (!before || !isShown(before)) add(id);
  });
}

export function forget(name) {
  if (newer.delete(name)) drawBarSoon();
}

// --- Taking in -------------------------------------------------------------------------------------------------------

const reading = lastAsked();

/** Reads the list anew, as the address has it: its first page, where what is new stands, or `stay` as far down as one is. */
export async function takeIn({ stay = false } = {}) {
  const address = () => {
    const found = new URL(location.href);
    if (!stay) found.searchParams.delete("page");
    return asOf(found);
  };
  const fragment = address();
  fragment.searchParams.set("fragment", "1");
  const known = Math.max(newest, ...plant.alarms.keys());
  const waited = [...newer];
  const answer = await reading.read(fragment);
  if (answer === null) return false;
  if (answer.text === null) {
    toast(gettext("The list could not be read, try again."));
    return false;
  }
  const page = parsed(answer.text);
  const scrolled = stay ? list.scrollTop : 0;
  const focused = list.contains(document.activeElement) || document.activeElement === bar;
  const row = document.activeElement?.closest?.("tr[data-alarm], tr[data-key]");
  history.replaceState(null, "", address());
  const isUnfolded = '[data-act="cause"][aria-expanded="true"]';
  const unfolded = new Set([...list.querySelectorAll(isUnfolded)].map(({ dataset }) => dataset.cause));
  list.replaceChildren(...page.body.childNodes);
  for (const link of list.querySelectorAll("[data-act=cause]")) if (unfolded.has(link.dataset.cause)) unfold(link);
  newest = known;
  regroups = false;
  for (const name of waited) newer.delete(name);
  // What came while it was read is in the list, or waits on.
  for (const name of [...newer]) if (rowOf(name)) newer.delete(name);
  for (const id of [...chosen]) if (!rowOf(id)) chosen.delete(id);
  list.scrollTop = scrolled;
  mark();
  drawBar();
  inPhase();
  if (focused) ((row && rowOf(idOf(row))?.querySelector(".msg")) ?? list).focus({ preventScroll: true });
  return true;
}

/** Shows or folds what stands under a cause; its rows are read when somebody wants to see them. */
export async function unfold(link) {
  const { cause } = link.dataset;
  const row = rowOf(Number(cause));
  if (link.getAttribute("aria-expanded") === "true") {
    for (const under of list.querySelectorAll(`tr[data-under="${cause}"]`)) under.remove();
    link.setAttribute("aria-expanded", "false");
    return mark();
  }
  link.setAttribute("aria-expanded", "true"); // at once: a list that is read meanwhile unfolds it too
  const address = new URL(asOf(location.href));
  address.searchParams.set("cause", cause);
  address.searchParams.set("fragment", "consequences");
  const page = await readPage(address);
  if (!link.isConnected || link.getAttribute("aria-expanded") !== "true") return undefined; // read anew, or folded
  if (page === null) {
    link.setAttribute("aria-expanded", "false");
    return toast(gettext("The list could not be read, try again."));
  }
  row.after(...page.querySelectorAll("tr[data-alarm]"));
  mark();
  return inPhase();
}

const isHeld = board ? held(list) : () => false;

/** While somebody points at the list or works in it, it keeps its order; the bar says that another one is there. */
const isInUse = () => isHeld() || chosen.size > 0;

let flooded = document.getElementById("floods").dataset.positions; // as the list was made

/** A flood that begins or ends puts the list in another order. */
export function onFloods(found) {
  const now = found.map(([position]) => `${position},`).join("");
  const changed = flooded !== now;
  flooded = now;
  if (!board || !changed || isOfRules(show()) || show() === "history") return;
  if (isInUse()) {
    regroups = true;
    drawBar();
  } else takeIn();
}

// --- Counts ----------------------------------------------------------------------------------------------------------

/** How many each tab and each priority has. */
function drawCounts() {
  const all = [...plant.alarms.values()];
  const counted = tally(all);
  const put = (name, count) => setText(document.querySelector(`[data-count="${name}"]`), String(count));
  put("active", counted.total);
  put("unacked", counted.unacked);
  for (const [name, count] of Object.entries(countHidden(plant.suppressions.values()))) put(name, count);
  for (const place of document.querySelectorAll("[data-priority-count]")) {
    const { active, unacked } = counted[place.dataset.priorityCount];
    setText(place, String(show() === "unacked" ? unacked : active));
  }
}

export const drawTabs = board ? oncePerFrame(drawCounts) : () => {};

// --- Lists of rules --------------------------------------------------------------------------------------------------

/** A rule that is presented again stays where it is, marked; one that is newly hidden waits behind the bar. */
function onSuppression({ suppression, name }) {
  drawTabs();
  if (!isOfRules(show())) return;
  drawRule(name, suppression);
}

function drawRule(name, suppression) {
  const row = rowOf(name);
  if (row) drawRuleRow(row, suppression, isHiddenIn(suppression, show()));
  else if (belongsRule(suppression, show(), filters(), areaOf)) add(name);
  else forget(name);
}

function drawRuleRow(row, suppression, hidden) {
  row.classList.toggle("gone", !hidden);
  const box = row.querySelector(".cb");
  if (box) box.disabled = !hidden;
  if (!hidden) drop([idOf(row)]);
  const cell = row.querySelector(".c-act");
  const form = cell.querySelector("form");
  if (form) form.hidden = !hidden;
  let word = cell.querySelector(".again");
  if (!hidden && !word) {
    word = document.createElement("span");
    word.className = "again";
    cell.append(word);
  }
  if (word) word.textContent = hidden ? "" : gettext("Presented again");
  const stands = row.querySelector(".stand");
  if (stands) stands.hidden = suppression.alarm === null;
}

let pictured = null; // what the last snapshot had, as the frames after it left it; null before the first

/** Whether what belongs to the list is on the page: it is one page, not by causes, and no words are looked for. */
const isWhole = () => !filters().q && !list.querySelector("[data-act=cause], .pages");

/** After a lost connection what is shown may be old: what differs changes in place, what is new waits. */
export function onSnapshot() {
  const before = pictured;
  pictured = plant.alarms;
  const isFirst = before === null;
  drawTabs();
  if (!board) return;
  if (isOfRules(show())) {
    load().then(() => {
      for (const [name, suppression] of plant.suppressions) drawRule(name, suppression);
      for (const row of list.querySelectorAll("tr[data-key]")) {
        if (!plant.suppressions.has(row.dataset.key)) drawRuleRow(row, { alarm: null }, false);
      }
    });
    return;
  }
  for (const row of rows()) {
    const alarm = plant.alarms.get(idOf(row));
    if (alarm) drawRow(row, alarm, false);
    else if (show() !== "history") drawRow(row, null, true);
  }
  drop([...chosen].filter((id) => !plant.alarms.has(id)));
  for (const id of [...newer]) note({ id }, plant.alarms.get(id));
  for (const alarm of plant.alarms.values()) {
    const old = before?.get(alarm.id);
    const differs = old && (old.state !== alarm.state || isPresented(old) !== isPresented(alarm));
    if (differs || (!old && alarm.id > newest)) note(alarm, old);
    // What is presented again while the page is on its way is older than the list, and in no row. While places are not
    // known, it might be any area's.
    else if (!old && isFirst && isWhole()) load().then(() => (areKnown() || !filters().area) && note(alarm));
  }
}

export function start() {
  on("suppression", onSuppression);
}
