// A machine's page: its open alarms as they come and go, the age of its data, the trends.

import { onAct } from "../lib/dispatch.js";
import { make, post, setText } from "../lib/dom.js";
import { isPresented, isUnacked } from "../state/alarms.js";
import { age, clock } from "../state/writing.js";
import { now, on, plant, plantOffset } from "./live.js";
import { load, reading } from "./places.js";
import { alarmSymbol, inPhase } from "./symbols.js";
import { toast } from "./toast.js";
import { startTrends } from "./trend.js";

const code = document.getElementById("machine").dataset.code;
const list = document.getElementById("mine");
const ack = document.querySelector("#banner [data-ack]").dataset.ack;
const mayAck = "mayAck" in document.body.dataset;

function open() {
  return [...plant.alarms.values()]
    .filter((alarm) => alarm.asset === code && isPresented(alarm))
    .sort((a, b) => isUnacked(b) - isUnacked(a) || a.priority - b.priority || (a.raised < b.raised ? 1 : -1));
}

function drawAlarms() {
  const wanted = open();
  const have = new Map([...list.querySelectorAll("[data-alarm]")].map((row) => [Number(row.dataset.alarm), row]));
  for (const alarm of wanted) {
    const row = have.get(alarm.id) ?? newRow(alarm);
    have.delete(alarm.id);
    row.querySelector("svg.pr").replaceWith(alarmSymbol(alarm));
    const form = row.querySelector("form");
    if (form && !isUnacked(alarm)) form.remove();
    if (!row.isConnected) list.prepend(row);
  }
  for (const row of have.values()) row.remove();
  list.querySelector(".none").hidden = wanted.length > 0;
  setText(document.getElementById("open-count"), String(wanted.length));
  inPhase(list);
}

function newRow(alarm) {
  const since = Date.parse(alarm.raised) / 1000;
  const row = make(
    "li",
    { "data-alarm": alarm.id },
    alarmSymbol(alarm),
    make(
      "span",
      { class: "grow" },
      make("a", { href: ack.replace("/0/ack", `/${alarm.id}/`) }, make("b", {}, alarm.message)),
      make(
        "small",
        { class: "muted" },
        [clock(since * 1000, plantOffset), reading(alarm)].filter(Boolean).join(", "),
        ", ",
        make("span", { "data-since": since }),
      ),
    ),
  );
  if (isUnacked(alarm)) {
    const button = make("button", { class: "btn", "data-act": "ack-mine", "data-needs-live": true }, "Ack");
    if (!mayAck) button.setAttribute("aria-disabled", "true");
    row.append(make("form", { method: "post", action: ack.replace("/0/", `/${alarm.id}/`) }, button));
  }
  return row;
}

async function acknowledge(element) {
  const row = element.closest("[data-alarm]");
  try {
    const answer = await post(ack.replace("/0/", `/${row.dataset.alarm}/`), { comment: "" });
    const body = await answer.json();
    toast(answer.ok ? (body.done ? `Alarm ${row.dataset.alarm} acknowledged` : body.message) : body.error);
  } catch {
    toast("Ack failed, no connection.");
  }
}

function drawAge() {
  let newest = null;
  for (const [tag, { time }] of plant.values) if (tag.startsWith(`${code}/`) && time > newest) newest = time;
  setText(document.getElementById("data-age"), newest === null ? "no data" : `data ${age((now() - newest) / 1000)} old`);
}

export function start() {
  onAct({ "ack-mine": acknowledge });
  on("snapshot", () => load().then(drawAlarms));
  on("alarm", () => load().then(drawAlarms));
  setInterval(drawAge, 1000);
  startTrends();
}
