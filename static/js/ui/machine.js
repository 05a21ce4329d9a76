// A machine's page: its state, its open alarms as they come and go, the age of its data, the trends.

import { lastAsked, parsed } from "../lib/asked.js";
import { onAct, onKeys } from "../lib/dispatch.js";
import { make, pageData, setClass, setText } from "../lib/dom.js";
import { held } from "../lib/held.js";
import { fill, gettext } from "../lib/words.js";
import { isPresented, isUnacked, tally } from "../state/alarms.js";
import { afterOf, condition } from "../state/freshness.js";
import { age, clock } from "../state/writing.js";
import { acknowledge, sendComment } from "./acking.js";
import { ask, start as startAsking } from "./asking.js";
import { onLeap } from "./leap.js";
import { howMany } from "./known.js";
import { drawLasting } from "./lasting.js";
import { asOf, isLost, now, on, plant } from "./live.js";
import { load, reading } from "./places.js";
import { startSparks } from "./sparks.js";
import { drawDay, markDay, takeDay } from "./stateline.js";
import { alarmSymbol, drawCounts, inPhase } from "./symbols.js";
import { startTrends } from "./trend.js";

const { codes } = document.getElementById("machine").dataset;
const parts = new Set(JSON.parse(codes));
const [code] = parts; // the machine's own comes first
const judge = pageData("judged-by", {});
const list = document.getElementById("mine");
const silent = document.getElementById("silent");
const { ack } = document.querySelector("#banner [data-ack]").dataset;
const mayAck = "mayAck" in document.body.dataset;
const WHY_NOT = gettext("You can look. An administrator can let you acknowledge alarms.");

// --- Open alarms -----------------------------------------------------------------------------------------------------

const mine = () => [...plant.alarms.values()].filter((alarm) => parts.has(alarm.asset) && isPresented(alarm));

const listed = () => [...list.querySelectorAll("[data-alarm]")].map(({ dataset }) => Number(dataset.alarm)).sort().join();

function inOrder(alarms) {
  return alarms.sort(
    (a, b) => isUnacked(b) - isUnacked(a) || a.priority - b.priority || (a.raised < b.raised ? 1 : -1),
  );
}

/** Draws them. What is there stays where it is, and what is new comes after it; while held, what is over stays too. */
function drawAlarms() {
  const keep = isHeld();
  const wanted = inOrder(mine());
  const have = new Map([...list.querySelectorAll("[data-alarm]")].map((row) => [Number(row.dataset.alarm), row]));
  for (const alarm of wanted) {
    const row = have.get(alarm.id) ?? newRow(alarm);
    have.delete(alarm.id);
    row.querySelector("svg.pr").replaceWith(alarmSymbol(alarm));
    row.classList.remove("gone");
    drawLasting(row.querySelector("[data-lasts]"), alarm);
    if (isUnacked(alarm)) giveAck(row, alarm);
    else dropAck(row, keep);
    if (!row.isConnected) list.insertBefore(row, list.querySelector(".none"));
  }
  for (const row of have.values()) {
    if (!keep) row.remove();
    else {
      row.classList.add("gone");
      dropAck(row, keep);
    }
  }
  list.querySelector(".none").hidden = wanted.length > 0 || (keep && have.size > 0);
  setText(document.getElementById("open-count"), howMany(wanted.length));
  drawCounts(document.getElementById("counts"), tally(wanted));
  inPhase();
}

/** Takes the button away; its place only when nothing may move by it. Whoever had the focus there keeps a place. */
function dropAck(row, keep) {
  const form = row.querySelector("form");
  if (!form) return;
  if (form.contains(document.activeElement)) row.querySelector("a").focus({ preventScroll: true });
  if (keep) form.style.visibility = "hidden";
  else form.remove();
}

function newRow(alarm) {
  const words = [clock(Date.parse(alarm.raised)), reading(alarm)].filter(Boolean).join(", ");
  const lasting = make("span", { "data-lasts": "" });
  const link = make("a", { href: ack.replace("/0/ack", `/${alarm.id}/`) }, make("b", {}, alarm.message));
  const text = make("span", { class: "grow" }, link, make("small", { class: "muted" }, `${words}, `, lasting));
  return make("li", { "data-alarm": alarm.id }, alarmSymbol(alarm), text);
}

/** Gives a row its button, where it has none. */
function giveAck(row, alarm) {
  const form = row.querySelector("form");
  if (form) return form.style.removeProperty("visibility");
  const why = mayAck ? {} : { "aria-disabled": "true", title: WHY_NOT };
  const shape = { class: "btn", "data-act": "ack-mine", "data-needs-live": true, ...why };
  const button = make("button", shape, gettext("Ack"));
  return row.append(make("form", { method: "post", action: ack.replace("/0/", `/${alarm.id}/`) }, button));
}

// --- Why it fired, and what happened -----------------------------------------------------------------------------------

let asked = null;
const waiting = new Map(); // parts of the page that were read and not shown, by id
let own = false; // what is read next tells what this person has just done: that waits for nobody

const story = lastAsked();
const events = document.getElementById("events");
// The reason stands above the open alarms: it would push them away from under the pointer.
const isHeld = held(document.querySelector(".o-side"), () => {
  drawSilent();
  showStory();
  load().then(drawAlarms);
});
const isRead = held(events, showStory);

/** Reads both again, half a second after the last change. */
function readStory() {
  clearTimeout(asked);
  asked = setTimeout(async () => {
    const address = new URL(asOf(location.href));
    address.searchParams.set("fragment", "1");
    const answer = await story.read(address);
    if (!answer?.text) return;
    const page = parsed(answer.text);
    for (const id of ["why", "events"]) waiting.set(id, page.getElementById(id));
    showStory();
  }, 500);
}

function showStory() {
  const [why, told] = [waiting.get("why"), waiting.get("events")];
  if (why && (own || !isHeld())) {
    const old = document.getElementById("why");
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(why);
    if (hadFocus) (why.querySelector("a") ?? list.querySelector("a"))?.focus({ preventScroll: true });
    waiting.delete("why");
    own = false;
  }
  if (told && !isRead()) {
    events.replaceChildren(...told.childNodes);
    waiting.delete("events");
  }
  inPhase();
}

// --- State and age of the data ---------------------------------------------------------------------------------------

const LINE_EVERY = 20; // s
let drawn = null;
let lineAt = 0; // s

function drawState() {
  if (!plant.complete || isLost()) return;
  const newest = plant.newest || null;
  const old = newest && fill(gettext("data %(age)s old"), { age: age((now() - newest) / 1000) });
  const dataAge = document.getElementById("data-age");
  setText(dataAge, old ?? gettext("no data yet"));
  const silence = plant.silent.get(code);
  const state = judge.tag ? plant.values.get(judge.tag) : null;
  const found = condition(now(), newest, afterOf(judge), state, judge.words, silence !== undefined);
  dataAge.classList.toggle("stale", found.stale || found.kind === "offline");
  for (const part of document.querySelectorAll("#state .st, #state svg, #lasting")) part.classList.toggle("stale", found.stale);
  drawSilent();
  const word = found.word[0].toUpperCase() + found.word.slice(1);
  const want = `${found.kind} ${word}`;
  const time = now() / 1000;
  if (drawn !== want || Math.abs(time - lineAt) > LINE_EVERY) {
    lineAt = time;
    drawDay(found.kind, time, found.kind === "offline" || !state ? time : state.time / 1000);
  }
  if (drawn === want) return;
  if (drawn !== null) drawSince(found.kind, state);
  drawn = want;
  const icon = document.querySelector("#state svg");
  setClass(icon, `hexg ${found.kind}${found.stale ? " stale" : ""}`);
  setText(document.querySelector("#state .st span"), word);
  icon.querySelector("use.mk, .mk")?.setAttribute("href", `#m-${found.kind}`);
}

/** Says that the machine is not heard: the state's word at once, the bar that pushes all below it once nobody is held by it. */
function drawSilent() {
  const silence = plant.silent.get(code);
  if (silent.hidden === (silence !== undefined) && isHeld()) return;
  silent.hidden = silence === undefined;
  if (!silence) return;
  const since = clock(Date.parse(silence.silent.since));
  const what = silence.message;
  setText(silent.querySelector(".words"), fill(gettext("%(what)s, since %(time)s."), { what, time: since }));
}

/** A state that began while the page is open counts from the reading that told of it. */
function drawSince(kind, state) {
  const place = document.getElementById("lasting");
  if (!state || kind === "offline") place.replaceChildren();
  else place.replaceChildren(`${gettext("for")} `, make("span", { class: "num", "data-since": state.time / 1000 }));
}

/** Since when the state lasts, as another reading of the page has it: of the same state, or nobody knows. */
function takeLasting(page) {
  const word = page.querySelector("#state .st > span")?.textContent;
  const read = word === document.querySelector("#state .st > span").textContent ? page.getElementById("lasting") : null;
  document.getElementById("lasting").replaceChildren(...(read?.childNodes ?? []));
}

function onAlarm({ alarm, before }) {
  if (!parts.has(alarm.asset)) return;
  if (!before) markDay(alarm);
  load().then(drawAlarms);
  readStory();
}

// --- Comments --------------------------------------------------------------------------------------------------------

const comments = document.querySelector("form[data-comment]");

async function comment(event) {
  event.preventDefault();
  if (!(await sendComment(comments))) return;
  // What was written is the newest, which an older part of the story does not show.
  const newest = events.querySelector("[data-newest]");
  if (newest) location.assign(newest.href);
  else readStory();
}

export function start() {
  onAct({
    "ack-mine": (element) => acknowledge([Number(element.closest("[data-alarm]").dataset.alarm)]),
    "ack-all": (button) => ask(button.href),
    comment: () => comments?.elements.comment.focus(),
  });
  // The key is the page's own where several wait here, and the banner's else; the banner does not print it meanwhile.
  const several = () => document.querySelector("#why [data-act=ack-all]");
  onAct({ "ack-here": () => (several() ?? document.querySelector("#banner [data-act=ack-banner]")).click() });
  onKeys({ a: "ack-here", c: "comment" });
  startAsking(() => {
    own = true;
    readStory();
  });
  comments?.addEventListener("submit", comment);
  let known = false;
  on("snapshot", () => {
    // What was raised while the page was on its way stands in the snapshot alone.
    if (known || listed() !== mine().map(({ id }) => id).sort().join()) readStory();
    load().then(drawAlarms);
    known = true;
  });
  on("alarm", onAlarm);
  on("comment", (asset) => parts.has(asset) && readStory());
  onLeap((page) => {
    takeDay(page);
    lineAt = 0;
    drawState(); // the word as it is by now: it is held against the page's
    takeLasting(page);
  });
  setInterval(drawState, 250);
  startSparks();
  startTrends();
}
