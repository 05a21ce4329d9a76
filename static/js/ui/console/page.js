// The alarm console: what keys and buttons do to the current row, to the selection, and to the alarm in the drawer.

import { onAct, onKeys } from "../../lib/dispatch.js";
import { oneAfterAnother } from "../../lib/once.js";
import { gettext, fill } from "../../lib/words.js";
import { isPresented, isUnacked } from "../../state/alarms.js";
import { acknowledge, sendComment } from "../acking.js";
import { ask, start as startAsking } from "../asking.js";
import { chosen, clear, currentId, drop, latched, mark, setCurrent, step, toggle, toggleAll } from "./chosen.js";
import {
  closeDrawer, detailOf, focusComment, isOpen, openDrawer, refreshDrawer, start as startDrawer,
} from "./drawer.js";
import { isLost, on, past, plant } from "../live.js";
import { start as startNarrowing } from "./narrowing.js";
import { board, drawTabs, forget, note, onFloods, onSnapshot, start as startNewer, takeIn, unfold } from "./newer.js";
import { drawRow, drawSilent, idOf, isRule, list, rowOf } from "./rows.js";
import { toast } from "../toast.js";

const EVERY = 1000; // ms between two readings of the list in playback

/** Whether an alarm waits for somebody; of one that the socket has not told of yet, what its row was made with. */
function waits(id) {
  const alarm = plant.alarms.get(id);
  return alarm ? isUnacked(alarm) && isPresented(alarm) : Boolean(rowOf(id)?.matches(".un"));
}

const onPhone = () => matchMedia("(max-width: 1000px)").matches;

// --- What comes ------------------------------------------------------------------------------------------------------

function onAlarm({ alarm, before, gone }) {
  if (alarm.silent || before?.silent) drawSilent();
  const over = !plant.alarms.has(alarm.id);
  const row = rowOf(alarm.id);
  if (row) drawRow(row, alarm, over);
  else if (over) forget(alarm.id);
  else if (board) note(alarm, before);
  for (const other of gone) {
    const old = rowOf(other.id);
    if (old) drawRow(old, other, true);
    forget(other.id);
  }
  const ended = [alarm, ...gone].map(({ id }) => id).filter((id) => chosen.has(id) && !plant.alarms.has(id));
  if (ended.length) drop(ended); // it looks at every row
  drawTabs();
  refreshDrawer(alarm.id);
}

// --- Open and close --------------------------------------------------------------------------------------------------

function open(id) {
  const row = rowOf(id);
  if (isRule(id)) return location.assign(row.querySelector(".msg, a").href);
  if (onPhone() && row) return location.assign(row.querySelector(".msg").href);
  setCurrent(id);
  return openDrawer(id);
}

function move(by) {
  const id = step(by);
  if (id !== null && !isRule(id) && isOpen()) openDrawer(id);
}

function close() {
  if (!board) return location.assign(document.getElementById("draw").dataset.list);
  if (isOpen()) {
    closeDrawer();
    rowOf(currentId())?.querySelector(".msg")?.focus({ preventScroll: true });
  } else setCurrent(null);
  return undefined;
}

// --- Acknowledge -----------------------------------------------------------------------------------------------------

async function ack(asked) {
  const ids = asked.filter((id) => waits(id) || asked.length === 1);
  if (!ids.length) return;
  if (!("mayAck" in document.body.dataset)) {
    toast(gettext("You can look. An administrator can let you acknowledge alarms."));
    return;
  }
  if (isLost()) {
    toast(gettext("Ack is not possible without a connection."));
    return;
  }
  const done = await acknowledge(ids, (alarm) => {
    const row = rowOf(alarm.id);
    if (row) drawRow(row, alarm, alarm.state === "A");
  });
  // What could not be sent is chosen still: it need not be chosen again to be tried again.
  if (done) drop(ids);
  for (const id of ids) refreshDrawer(id);
}

/** By the button: of several it is asked whether they are all meant. The key is meant as it is pressed. */
function ackChosen() {
  const ids = [...chosen].filter(waits);
  return ids.length > 1 && "mayAck" in document.body.dataset ? askAbout(ids, "ack") : ack(ids);
}

function ackHere() {
  const ids = here();
  if (!ids.length && current().length) return toast(gettext("Choose an alarm first."));
  if (chosen.size) return ack(ids);
  const id = currentId();
  if (id === null) return document.querySelector("#banner [data-act=ack-banner]")?.click();
  if (waits(id)) return ack([id]);
  return toast(fill(gettext("Alarm %(id)s waits for no acknowledgement."), { id }));
}

// --- Shelve, comment and the rest ------------------------------------------------------------------------------------

/** Asks about some alarms or rules in the dialog. Takes which address asks, as the page names it. */
function askAbout(ids, name) {
  if (!ids.length) return toast(gettext("Choose an alarm first."));
  const address = new URL((board ?? document.getElementById("draw")).dataset[name], location.href);
  for (const id of ids) {
    if (isRule(id)) address.searchParams.append("rule", rowOf(id).dataset.rule);
    else address.searchParams.append("alarm", id);
  }
  return ask(address);
}

const current = () => (chosen.size ? [...chosen] : currentId() === null ? [] : [currentId()]);
const here = () => current().filter((id) => !isRule(id));
/** Presents again what is shelved or out of service, as its list says. */
const back = () => board?.dataset.back && askAbout(current().filter(isRule), "back");

async function comment() {
  if (chosen.size) return askAbout(here(), "comment");
  if (board && !here().length) return toast(gettext("Choose an alarm first."));
  if (board) await open(currentId());
  return focusComment();
}

/** After something was done the list is read anew; the drawer too, where it still shows an alarm. */
function afterDoing() {
  clear();
  if (board) takeIn({ stay: true });
  refreshDrawer();
}

function onClick(event) {
  if (event.target.matches("[data-choose-all]")) return toggleAll();
  const row = event.target.closest("tr[data-alarm], tr[data-key]");
  if (!row || event.target.closest("[data-act]")) return undefined;
  if (event.target.closest(".c-sel")) {
    if (!event.target.matches(".cb")) toggle(idOf(row));
    else chosen[event.target.checked ? "add" : "delete"](idOf(row));
    return mark();
  }
  if (isRule(idOf(row)) || event.ctrlKey || event.metaKey || event.shiftKey) return undefined;
  event.preventDefault();
  return open(idOf(row));
}

/** In playback nobody works in the list: it takes in what comes by itself, at most once a second, where one looks. */
function followPast() {
  const soon = oneAfterAnother(() => Promise.all([takeIn({ stay: true }), refreshDrawer()]), EVERY);
  for (const event of ["snapshot", "alarm", "suppression"]) on(event, soon);
}

export function start() {
  on("floods", onFloods);
  onAct({
    "ack-row": (element) => ack([idOf(element.closest("tr"))]),
    "ack-detail": () => ack([detailOf()]),
    "ack-chosen": ackChosen,
    "reset-chosen": () => askAbout(latched(), "reset"),
    "back-chosen": back,
    "ack-here": ackHere,
    "shelve-here": () => askAbout(here(), "shelve"),
    "shelve-chosen": () => askAbout(here(), "shelve"),
    "shelve-detail": () => askAbout([detailOf()], "shelve"),
    "comment-here": comment,
    "comment-chosen": comment,
    "out-detail": (element) => ask(element.href),
    "clear-chosen": clear,
    "take-in": () => takeIn(),
    cause: unfold,
    "next-row": () => move(1),
    "previous-row": () => move(-1),
    "choose-row": () => toggle(currentId()),
    "open-row": () => currentId() !== null && open(currentId()),
    "close-detail": close,
    "close-or-clear": () => (chosen.size ? clear() : close()),
  });
  onKeys({ a: "ack-here", c: "comment-here", s: "shelve-here", Escape: "close-or-clear" });
  setCurrent(detailOf());
  if (board) {
    if (board.dataset.back) onKeys({ u: "back-chosen" });
    onKeys({ j: "next-row", k: "previous-row", x: "choose-row", n: "take-in", Enter: "open-row" });
    list.addEventListener("click", onClick);
    startNarrowing();
    startNewer();
    if (past !== null) followPast();
  }
  document.getElementById("draw").addEventListener("submit", async (event) => {
    if (!event.target.matches("form[data-comment]")) return;
    event.preventDefault();
    if (await sendComment(event.target)) refreshDrawer();
  });
  startDrawer();
  startAsking(afterDoing);
  if (board && currentId() !== null) open(currentId());
  on("alarm", onAlarm);
  on("snapshot", onSnapshot);
}
