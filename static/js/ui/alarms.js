// The alarm console: rows change in place, new ones wait behind a bar, the drawer follows the current row.

import { onAct, onKeys } from "../lib/dispatch.js";
import { setText } from "../lib/dom.js";
import { fill, gettext, ngettext } from "../lib/words.js";
import { isPresented, isUnacked, lookOf } from "../state/alarms.js";
import { acknowledge, sendComment } from "./acking.js";
import { ask, send, start as startAsking } from "./asking.js";
import { closeDrawer, detailOf, focusComment, isOpen, openDrawer, start as startDrawer } from "./drawer.js";
import { on, plant } from "./live.js";
import { load, placeOf } from "./places.js";
import { inPhase, prioritySymbol } from "./symbols.js";
import { toast } from "./toast.js";

const board = document.getElementById("console"); // none on the page of one alarm
const list = document.getElementById("rows");
const bar = document.getElementById("newer");
const bulk = document.getElementById("bulk");
const chosen = new Set();
const newer = new Set();
let current = detailOf();

const rows = () => [...(list?.querySelectorAll("tr[data-alarm]") ?? [])];
const rowOf = (id) => list?.querySelector(`tr[data-alarm="${id}"]`) ?? null;
const idOf = (row) => Number(row.dataset.alarm);
const waits = (id) => plant.alarms.has(id) && isUnacked(plant.alarms.get(id)) && isPresented(plant.alarms.get(id));
const onPhone = () => matchMedia("(max-width: 1000px)").matches;

// --- Rows ------------------------------------------------------------------------------------------------------------

const WORDS = {
  unack: gettext("Unacked"),
  returned: gettext("Cleared"),
  ack: gettext("Acked"),
  shelved: gettext("Shelved"),
  suppressed: gettext("Suppressed"),
};

const HIDDEN = new Set(["shelved", "suppressed", "out_of_service"]); // lists of rules, not of alarms
const LATCHED = { E: gettext("Latched, unacked"), F: gettext("Latched, acked") };

function wordOf(alarm, look) {
  if (look === "zero") return gettext("Over");
  if (look in { unack: 1, ack: 1 } && alarm.state in LATCHED) return LATCHED[alarm.state];
  return look === "ack" && !alarm.acked ? gettext("Active") : WORDS[look];
}

function drawRow(row, alarm, over) {
  const standing = !over && isUnacked(alarm);
  const look = over ? "zero" : lookOf(alarm);
  row.classList.toggle("un", standing);
  row.querySelector(".symbol").replaceChildren(prioritySymbol(Number(row.dataset.priority), look));
  setText(row.querySelector(".word"), wordOf(alarm, look));
  setText(row.querySelector(".c-by"), alarm?.acked_by ? fill(gettext(" by %(name)s"), { name: alarm.acked_by }) : "");
  if (over || alarm.cleared) for (const part of row.querySelectorAll("[data-since]")) delete part.dataset.since;
  if (standing) return;
  row.querySelector(".c-act").replaceChildren();
  const box = row.querySelector(".cb");
  if (box && over) {
    box.checked = false;
    box.disabled = true;
  }
  if (over) chosen.delete(idOf(row));
  drawBulk();
}

/** Whether the list, as it is narrowed, would show a new alarm. */
function belongs(alarm) {
  if (!isPresented(alarm)) return false;
  const { show, priorities, area, words } = board.dataset;
  if (HIDDEN.has(show)) return false;
  if (show === "unacked" && !isUnacked(alarm)) return false;
  if (!JSON.parse(priorities).includes(alarm.priority)) return false;
  if (area && placeOf(alarm.asset).area !== area) return false;
  const text = `${alarm.message} ${alarm.sensor} ${alarm.asset}`.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Nobody knows whether an alarm still holds while what it comes from is not heard. */
function drawSilent() {
  for (const row of rows()) {
    const alarm = plant.alarms.get(idOf(row));
    const mark = row.querySelector(".c-silent");
    if (mark) mark.hidden = !alarm?.rule || !(plant.silent.has(alarm.asset) || plant.silent.has(alarm.sensor));
  }
}

function onAlarm({ alarm, before, gone }) {
  if (alarm.silent || before?.silent) drawSilent();
  const over = !plant.alarms.has(alarm.id);
  const row = rowOf(alarm.id);
  if (row) drawRow(row, alarm, over);
  else if (over) newer.delete(alarm.id);
  else if (board && !before) load().then(() => plant.alarms.has(alarm.id) && belongs(alarm) && add(alarm.id));
  for (const other of gone) {
    const old = rowOf(other.id);
    if (old) drawRow(old, other, true);
    newer.delete(other.id);
  }
  drawBar();
  drawTabs();
  if (alarm.id === current && isOpen()) openDrawer(current, { quietly: true });
}

function add(id) {
  if (rowOf(id)) return;
  newer.add(id);
  drawBar();
}

function drawBar() {
  if (!bar) return;
  bar.hidden = newer.size === 0;
  const words = ngettext("%(count)s new alarm", "%(count)s new alarms", newer.size);
  setText(bar.querySelector("span"), fill(words, { count: newer.size }));
}

function drawTabs() {
  const all = [...plant.alarms.values()].filter(isPresented);
  setText(document.querySelector('[data-count="active"]'), String(all.length));
  setText(document.querySelector('[data-count="unacked"]'), String(all.filter(isUnacked).length));
}

// --- Causes in a flood -----------------------------------------------------------------------------------------------

const unfolded = new Set(); // causes whose consequences somebody wants to see

/** Consequences are folded away by the script: without it, all of them are there. */
function fold() {
  for (const row of list?.querySelectorAll("tr[data-under]") ?? []) row.hidden = !unfolded.has(row.dataset.under);
  for (const button of list?.querySelectorAll("[data-cause]") ?? []) {
    button.setAttribute("aria-expanded", String(unfolded.has(button.dataset.cause)));
  }
}

function unfold(button) {
  const { cause } = button.dataset;
  if (!unfolded.delete(cause)) unfolded.add(cause);
  fold();
}

let flooded = document.getElementById("floods").dataset.positions; // as the list was made

/** A flood that begins or ends puts the list in another order. */
function onFloods(rows) {
  const now = rows.map(([position]) => `${position},`).join("");
  if (board && flooded !== now) takeIn();
  flooded = now;
}

async function takeIn() {
  const address = new URL(location.href);
  address.searchParams.set("fragment", "1");
  const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return toast(gettext("The list could not be read, try again."));
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const hadFocus = list.contains(document.activeElement) || document.activeElement === bar;
  list.replaceChildren(...parsed.body.childNodes);
  fold();
  newer.clear();
  for (const id of [...chosen]) if (!rowOf(id)) chosen.delete(id);
  list.scrollTop = 0;
  mark();
  drawBar();
  drawBulk();
  inPhase();
  if (hadFocus) list.focus();
}

/** After a lost connection what is shown may be old: what differs changes in place, what is new waits. */
async function onSnapshot() {
  drawTabs();
  if (!board) return;
  const { show } = board.dataset;
  for (const row of rows()) {
    const alarm = plant.alarms.get(idOf(row));
    if (alarm) drawRow(row, alarm, false);
    else if (show !== "history") drawRow(row, null, true);
  }
  await load();
  if (show !== "history" && !("cut" in board.dataset)) {
    for (const alarm of plant.alarms.values()) if (belongs(alarm)) add(alarm.id);
  }
}

// --- Current row -----------------------------------------------------------------------------------------------------

function mark() {
  for (const row of rows()) {
    row.setAttribute("aria-selected", String(idOf(row) === current));
    const box = row.querySelector(".cb");
    if (box) box.checked = chosen.has(idOf(row));
  }
}

function move(step) {
  const all = rows().filter((row) => !row.hidden);
  if (!all.length) return;
  const at = all.findIndex((row) => idOf(row) === current);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
  current = idOf(next);
  mark();
  next.scrollIntoView({ block: "nearest" });
  if (isOpen()) openDrawer(current);
}

function open(id) {
  if (onPhone() && board) return location.assign(rowOf(id).querySelector(".msg").href);
  current = id;
  mark();
  return openDrawer(id);
}

function close() {
  if (!board) return location.assign(document.getElementById("draw").dataset.list);
  if (isOpen()) {
    closeDrawer();
    rowOf(current)?.querySelector(".msg")?.focus({ preventScroll: true });
  } else {
    current = null;
    mark();
  }
  return undefined;
}

function drawBulk() {
  if (!bulk) return;
  bulk.hidden = chosen.size === 0;
  setText(bulk.querySelector("[data-bulk]"), String(chosen.size));
}

// --- Acknowledge -----------------------------------------------------------------------------------------------------

async function ack(asked) {
  const ids = asked.filter((id) => waits(id) || asked.length === 1);
  if (!ids.length) return;
  if (!("mayAck" in document.body.dataset)) {
    toast(gettext("You can look. An administrator can let you acknowledge alarms."));
    return;
  }
  if (document.documentElement.classList.contains("disc-on")) {
    toast(gettext("Ack is not possible without a connection."));
    return;
  }
  await acknowledge(ids, (alarm) => {
    const row = rowOf(alarm.id);
    if (row) drawRow(row, alarm, alarm.state === "A");
  });
  for (const id of ids) chosen.delete(id);
  drawBulk();
  mark();
  if (current !== null && ids.includes(current) && isOpen()) openDrawer(current, { quietly: true });
}

// --- Shelve, silence and the rest --------------------------------------------------------------------------------------

function shelve(ids) {
  if (!ids.length) return toast(gettext("Choose an alarm first."));
  const address = new URL((board ?? document.getElementById("draw")).dataset.shelve, location.href);
  for (const id of ids) address.searchParams.append("alarm", id);
  return ask(address);
}

function shelveHere() {
  if (chosen.size) return shelve([...chosen]);
  return shelve(current === null ? [] : [current]);
}

/** After something was done the list is read anew; the drawer too, where it still shows an alarm. */
function afterDoing() {
  clear();
  if (board) takeIn();
  if (isOpen() && detailOf() !== null) openDrawer(detailOf(), { quietly: true });
}

function ackHere() {
  if (chosen.size) return ack([...chosen]);
  if (current === null) return document.querySelector("#banner [data-act=ack-banner]")?.click();
  if (waits(current)) return ack([current]);
  return toast(fill(gettext("Alarm %(number)s waits for no acknowledgement."), { number: current }));
}

function toggle(id) {
  if (id === null || !plant.alarms.has(id)) return;
  if (!chosen.delete(id)) chosen.add(id);
  mark();
  drawBulk();
}

function clear() {
  chosen.clear();
  mark();
  drawBulk();
}

function onClick(event) {
  const row = event.target.closest("tr[data-alarm]");
  if (!row || event.target.closest("[data-act]")) return;
  if (event.target.matches(".cb")) {
    chosen[event.target.checked ? "add" : "delete"](idOf(row));
    drawBulk();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(idOf(row));
}

async function comment() {
  if (current === null) return;
  if (board) await open(current);
  focusComment();
}

export function start() {
  fold();
  on("floods", onFloods);
  onAct({
    "ack-row": (element) => ack([idOf(element.closest("tr"))]),
    "ack-detail": () => ack([detailOf()]),
    "ack-chosen": () => ack([...chosen]),
    "ack-here": ackHere,
    "shelve-here": shelveHere,
    "shelve-chosen": shelveHere,
    "shelve-detail": () => shelve([detailOf()]),
    "out-detail": (element) => ask(element.href),
    silence: async (element) => {
      await send((element ?? document.querySelector("[data-act=silence]")).closest("form"));
    },
    "clear-chosen": clear,
    "take-in": takeIn,
    cause: unfold,
    "next-row": () => move(1),
    "previous-row": () => move(-1),
    "choose-row": () => toggle(current),
    "open-row": () => current !== null && open(current),
    "close-detail": close,
    "close-or-clear": () => (chosen.size ? clear() : close()),
    "comment-row": comment,
  });
  onKeys({ a: "ack-here", c: "comment-row", s: "shelve-here", Escape: "close-or-clear" });
  if (board) {
    onKeys({ j: "next-row", k: "previous-row", x: "choose-row", n: "take-in", m: "silence", Enter: "open-row" });
    list.addEventListener("click", onClick);
    document.getElementById("area").addEventListener("change", (event) => event.target.form.submit());
  }
  document.getElementById("draw").addEventListener("submit", async (event) => {
    if (!event.target.matches("form[data-comment]")) return;
    event.preventDefault();
    if (await sendComment(event.target)) openDrawer(detailOf(), { quietly: true });
  });
  startDrawer();
  startAsking(afterDoing);
  if (board && current !== null) open(current);
  on("alarm", onAlarm);
  on("snapshot", onSnapshot);
}
