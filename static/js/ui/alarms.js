// The alarm console: rows change in place, new ones wait behind a bar, the drawer follows the current row.

import { onAct, onKeys } from "../lib/dispatch.js";
import { post, setText } from "../lib/dom.js";
import { isPresented, isUnacked, lookOf } from "../state/alarms.js";
import { on, plant } from "./live.js";
import { say } from "./say.js";
import { inPhase, prioritySymbol } from "./symbols.js";
import { toast } from "./toast.js";

const board = document.getElementById("console"); // none on the page of one alarm
const drawer = document.getElementById("draw");
const list = document.getElementById("rows");
const bar = document.getElementById("newer");
const bulk = document.getElementById("bulk");
const chosen = new Set();
let newer = new Set();
let current = drawer.dataset.alarm ? Number(drawer.dataset.alarm) : null;

const rows = () => [...(list?.querySelectorAll("tr[data-alarm]") ?? [])];
const rowOf = (id) => list?.querySelector(`tr[data-alarm="${id}"]`) ?? null;
const idOf = (row) => Number(row.dataset.alarm);
const isHistory = board?.dataset.show === "history";

// --- Rows ------------------------------------------------------------------------------------------------------------

const WORDS = { unack: "Unacked", returned: "Cleared", ack: "Acked", shelved: "Shelved", suppressed: "Suppressed" };

function drawRow(row, alarm, over) {
  const waits = !over && isUnacked(alarm);
  const look = over ? "zero" : lookOf(alarm);
  row.classList.toggle("un", waits);
  row.querySelector(".symbol").replaceChildren(prioritySymbol(alarm.priority, look));
  setText(row.querySelector(".word"), over ? "Over" : WORDS[look]);
  if (alarm.cleared || over) row.querySelector(".c-dur").removeAttribute("data-since");
  if (!waits) {
    row.querySelector(".c-act").replaceChildren();
    const box = row.querySelector(".cb");
    if (box) {
      box.checked = false;
      box.disabled = true;
    }
    chosen.delete(alarm.id);
    drawBulk();
  }
}

function onAlarm({ alarm, gone }) {
  const row = rowOf(alarm.id);
  const over = !plant.alarms.has(alarm.id);
  if (row) drawRow(row, alarm, over);
  else if (board && !over && isPresented(alarm)) newer.add(alarm.id);
  for (const other of gone) {
    const old = rowOf(other.id);
    if (old) drawRow(old, other, true);
    newer.delete(other.id);
  }
  drawBar();
  drawTabs();
  if (alarm.id === current) openDetail(current, { quietly: true });
}

function drawBar() {
  if (!bar) return;
  bar.hidden = newer.size === 0;
  setText(bar.querySelector("span"), newer.size === 1 ? "1 new alarm" : `${newer.size} new alarms`);
}

function drawTabs() {
  const all = [...plant.alarms.values()].filter(isPresented);
  setText(document.querySelector('[data-count="active"]'), String(all.length));
  setText(document.querySelector('[data-count="unacked"]'), String(all.filter(isUnacked).length));
}

async function takeIn() {
  const address = new URL(location.href);
  address.searchParams.set("fragment", "1");
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) return toast("The list could not be read, try again.");
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  list.replaceChildren(...parsed.body.childNodes);
  newer = new Set();
  for (const id of [...chosen]) if (!rowOf(id)) chosen.delete(id);
  mark();
  drawBar();
  drawBulk();
  inPhase();
}

/** After a lost connection what is shown may be old: what differs changes in place, what is new waits. */
function onSnapshot() {
  if (!board || isHistory) return drawTabs();
  for (const row of rows()) {
    const alarm = plant.alarms.get(idOf(row));
    if (alarm) drawRow(row, alarm, false);
    else row.dataset.over = "1";
  }
  for (const row of list.querySelectorAll("tr[data-over]")) {
    row.classList.remove("un");
    setText(row.querySelector(".word"), "Over");
    row.querySelector(".c-act").replaceChildren();
  }
  if (!board.dataset.narrowed && board.dataset.show === "active") {
    for (const alarm of plant.alarms.values()) if (isPresented(alarm) && !rowOf(alarm.id)) newer.add(alarm.id);
  }
  drawBar();
  drawTabs();
}

// --- Current row and drawer --------------------------------------------------------------------------------------------

function mark() {
  for (const row of rows()) {
    row.setAttribute("aria-selected", String(idOf(row) === current));
    const box = row.querySelector(".cb");
    if (box) box.checked = chosen.has(idOf(row));
  }
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => idOf(row) === current);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
  current = idOf(next);
  mark();
  next.scrollIntoView({ block: "nearest" });
  if (!board.classList.contains("nod")) openDetail(current);
}

async function openDetail(id, { quietly = false } = {}) {
  current = id;
  mark();
  const source = board ?? drawer;
  const answer = await fetch(`${source.dataset.detail.replace("/0/", `/${id}/`)}?fragment=1`, {
    credentials: "same-origin",
  });
  if (!answer.ok || current !== id) return;
  const typing = drawer.querySelector("[name=comment]")?.value ?? "";
  const focused = document.activeElement?.getAttribute("name") === "comment";
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  drawer.replaceChildren(...parsed.body.childNodes);
  const field = drawer.querySelector("[name=comment]");
  if (field && quietly) {
    field.value = typing;
    if (focused) field.focus();
  }
  board?.classList.remove("nod");
  inPhase();
}

function closeDetail() {
  if (!board || board.classList.contains("nod")) return;
  board.classList.add("nod");
  drawer.replaceChildren();
  rowOf(current)?.querySelector(".msg")?.focus();
}

// --- Acknowledge and comment -----------------------------------------------------------------------------------------

async function acknowledge(ids) {
  const told = [];
  for (const id of ids) {
    const address = document.querySelector("#banner [data-ack]").dataset.ack.replace("/0/", `/${id}/`);
    try {
      const answer = await post(address, { comment: "" });
      const body = await answer.json();
      told.push(answer.ok ? (body.done ? null : body.message) : (body.error ?? `the server answered ${answer.status}`));
    } catch {
      told.push("Ack failed, no connection.");
    }
  }
  const failed = told.filter((text) => text !== null);
  const done = ids.length - failed.length;
  const words = done === 1 && ids.length === 1 ? `Alarm ${ids[0]} acknowledged` : `${done} alarms acknowledged`;
  toast([done ? words : null, ...new Set(failed)].filter(Boolean).join(". "));
  say(words);
  for (const id of ids) chosen.delete(id);
  drawBulk();
  mark();
}

function waiting(id) {
  return rowOf(id)?.querySelector("[data-act=ack-row]:not([aria-disabled=true])") != null;
}

function drawBulk() {
  if (!bulk) return;
  bulk.hidden = chosen.size === 0;
  setText(bulk.querySelector("[data-bulk]"), String(chosen.size));
}

async function sendComment(event) {
  const form = event.target.closest("form[data-comment]");
  if (!form) return;
  event.preventDefault();
  const field = form.querySelector("[name=comment]");
  try {
    const answer = await post(form.action, { comment: field.value });
    const body = await answer.json();
    if (!answer.ok) return toast(body.error ?? `The server answered ${answer.status}.`);
    field.value = "";
    await openDetail(current, { quietly: true });
    toast(body.message);
  } catch {
    toast("The comment was not sent, no connection.");
  }
}

export function start() {
  onAct({
    "ack-row": (element, event) => {
      event.stopPropagation();
      acknowledge([idOf(element.closest("tr"))]);
    },
    "ack-detail": () => acknowledge([current]),
    "ack-chosen": () => acknowledge([...chosen]),
    "clear-chosen": () => {
      chosen.clear();
      mark();
      drawBulk();
    },
    "take-in": takeIn,
    "close-detail": closeDetail,
    "next-row": () => move(1),
    "previous-row": () => move(-1),
    "choose-row": () => {
      if (current === null || !waiting(current)) return;
      chosen.has(current) ? chosen.delete(current) : chosen.add(current);
      mark();
      drawBulk();
    },
    "ack-here": () => {
      if (chosen.size) return acknowledge([...chosen]);
      if (current !== null && waiting(current)) return acknowledge([current]);
      document.querySelector("[data-act=ack-banner]")?.click();
    },
    "open-row": () => current !== null && openDetail(current),
    "close-or-clear": () => {
      if (chosen.size) {
        chosen.clear();
        mark();
        drawBulk();
      } else closeDetail();
    },
    "comment-row": async () => {
      if (current === null) return;
      await openDetail(current);
      drawer.querySelector("[name=comment]")?.focus();
    },
  });
  if (board) {
    onKeys({
      j: "next-row",
      k: "previous-row",
      x: "choose-row",
      a: "ack-here",
      n: "take-in",
      c: "comment-row",
      Enter: "open-row",
      Escape: "close-or-clear",
    });
    list.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-alarm]");
      if (!row || event.target.closest("[data-act]")) return;
      if (event.target.matches(".cb")) {
        event.target.checked ? chosen.add(idOf(row)) : chosen.delete(idOf(row));
        drawBulk();
        return;
      }
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      openDetail(idOf(row));
    });
    document.getElementById("area").addEventListener("change", (event) => event.target.form.submit());
    if (current !== null) openDetail(current);
  }
  drawer.addEventListener("submit", sendComment);
  on("alarm", onAlarm);
  on("snapshot", onSnapshot);
}
