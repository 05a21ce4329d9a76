// Playback: the page's picture is fed from the past, at a speed, with a bar; nothing on the page acts on the plant.

import { onAct, onKeys } from "../lib/dispatch.js";
import { make, setAttribute, setText, svg } from "../lib/dom.js";
import { oncePerFrame } from "../lib/once.js";
import { fill, gettext } from "../lib/words.js";
import {
  barAround, besideOf, holds, momentAt, reel, rightAfter, shareOf, SPANS, speedBeside, stepOf, windowOf,
} from "../state/playback.js";
import { clock, day } from "../state/writing.js";
import { asOf, heard, on, past, serverTime, take, turnClock } from "./live.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const TICK = 100; // ms
const ADDRESS_EVERY = 1000; // ms
const ACTS = "button, input, select, textarea, a[data-act]";

const byId = (id) => document.getElementById(id);
const player = byId("player");
const iso = (ms) => new Date(ms).toISOString();

let tape = reel(past);
let bar = null;
let playing = false;
let speed = 60;
let reading = null; // what is being read; an answer to what was asked before a jump is dropped
let gone = 0; // raised whenever somebody goes to another moment; playing on is none
let dragged = null; // where the handle is held, before it is let go

// --- Reading the past ----------------------------------------------------------------------------------------------

function scope() {
  const codes = heard();
  return codes === null ? "all" : codes.join(",");
}

async function ask(address, fields) {
  const answer = await fetch(`${address}?${new URLSearchParams(fields)}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function read(from, fields) {
  const mine = Symbol("reading");
  reading = mine;
  const until = Math.min(serverTime(), from + windowOf(speed));
  try {
    const answer = await ask(player.dataset.frames, {
      at: iso(from),
      until: iso(until),
      step: stepOf(speed),
      assets: scope(),
      ...("suppressions" in document.body.dataset ? { suppressions: 1 } : {}),
      ...fields,
    });
    return reading === mine ? answer : null;
  } catch {
    if (reading === mine) {
      // Without the exact reading that a pause asks for: it would fail as well, and say so once more.
      playing = false;
      player.removeAttribute("aria-busy");
      draw();
      toast(gettext("The past could not be read. Try again."));
    }
    return null;
  } finally {
    if (reading === mine) reading = null;
  }
}

/** Goes to a moment: a snapshot, as after a lost connection, and what comes after it. */
async function seek(to) {
  const at = Math.floor(Math.min(to, serverTime() - 2000));
  if (at !== Math.floor(tape.at)) gone += 1;
  tape = reel(at);
  dragged = null;
  keepInAddress();
  if (bar === null || !holds(bar, at)) spanAround(at);
  draw();
  player.setAttribute("aria-busy", "true");
  const answer = await read(at, { snapshot: 1 });
  if (!answer) return;
  player.removeAttribute("aria-busy");
  tape.add(answer);
  show(tape.play(at));
  draw();
}

function show(frames) {
  for (const frame of frames) take(frame);
}

async function readOn() {
  if (reading !== null || !tape.wants(speed) || tape.until >= serverTime() - 1000) return;
  const mine = tape;
  const answer = await read(mine.until, {});
  if (answer && mine === tape) tape.add(answer);
}

// --- Playing -------------------------------------------------------------------------------------------------------

let ticked = 0;
let kept = 0;

function tick() {
  const time = performance.now();
  const passed = time - ticked;
  ticked = time;
  if (!playing || dragged !== null) return;
  const before = tape.at;
  show(tape.play(before + passed * speed));
  if (tape.at >= serverTime() - 3000) {
    pause();
    toast(gettext("You have come to the present."), { label: gettext("Back to live"), act: backToLive });
  }
  if (!holds(bar, tape.at)) spanAround(tape.at);
  readOn();
  setAttribute(player, "aria-busy", String(tape.at === before && reading !== null));
  if (time - kept > ADDRESS_EVERY) {
    kept = time;
    keepInAddress();
  }
  draw();
}

function keepInAddress() {
  history.replaceState(history.state, "", asOf(location.href));
}

function play() {
  if (playing) return pause();
  playing = true;
  ticked = performance.now();
  say(fill(gettext("Playing at %(speed)s times"), { speed }));
  return draw();
}

/** What stands still is exact: while it plays, values are drawn in steps. */
function pause() {
  if (!playing) return;
  playing = false;
  seek(tape.at);
}

/** What was read is too fine or too coarse for another speed. */
function setSpeed(wanted) {
  speed = wanted;
  seek(tape.at);
}

// --- The bar -------------------------------------------------------------------------------------------------------

const scrub = byId("scrub");
const handle = byId("scrub-handle");

function spanAround(at) {
  bar = barAround(at, SPANS[byId("player-span").value], serverTime());
  drawEnds();
  readMarks();
}

function drawEnds() {
  const whole = bar.to - bar.from > SPANS["24h"];
  const word = (ms) => (whole ? day(ms, serverTime()) : clock(ms).slice(0, 5));
  setText(byId("scrub-from"), word(bar.from));
  setText(byId("scrub-to"), word(bar.to));
  setAttribute(handle, "aria-valuemin", String(Math.round(bar.from / 1000)));
  setAttribute(handle, "aria-valuemax", String(Math.round(bar.to / 1000)));
}

async function readMarks() {
  const drawn = bar;
  const answer = await ask(player.dataset.marks, {
    from: iso(bar.from),
    to: iso(bar.to),
    assets: scope() || "all",
  }).catch(() => null);
  if (answer && drawn === bar) drawMarks(answer.marks);
}

/** A line for each alarm: the higher its priority, the taller. */
function drawMarks(marks) {
  const lines = marks.map(([time, priority]) => {
    const x = (shareOf(bar, time) * 1000).toFixed(1);
    return svg("line", { class: `p${priority}`, x1: x, x2: x, y1: String(2 + (priority - 1) * 7), y2: "32" });
  });
  scrub.querySelector("g").replaceChildren(...lines);
  const words = fill(gettext("%(count)s alarms were raised between %(from)s and %(to)s."), {
    count: marks.length,
    from: clock(bar.from),
    to: clock(bar.to),
  });
  setAttribute(scrub, "aria-label", words);
}

/** Goes to the alarm before or after, unless somebody has gone elsewhere before it was found. */
async function jump(name) {
  pause();
  const asked = gone;
  const fields = { assets: scope() || "all", [name]: iso(besideOf(tape.at, name)) };
  const answer = await ask(player.dataset.marks, fields).catch(() => null);
  if (gone !== asked) return;
  const at = answer?.[name === "after" ? "next" : "previous"];
  if (!at) return toast(name === "after" ? gettext("No later alarm.") : gettext("No earlier alarm."));
  return seek(rightAfter(at));
}

function pointed(event) {
  const { left, width } = scrub.getBoundingClientRect();
  return momentAt(bar, (event.clientX - left) / width);
}

function onDown(event) {
  if (event.button !== 0) return;
  event.preventDefault();
  scrub.setPointerCapture(event.pointerId);
  gone += 1;
  dragged = pointed(event);
  handle.focus();
  draw();
}

function onMove(event) {
  if (dragged === null) return;
  dragged = pointed(event);
  draw();
}

function onUp() {
  if (dragged !== null) seek(dragged);
}

function onHandleKey(event) {
  const span = bar.to - bar.from;
  const by = { ArrowLeft: -span / 100, ArrowRight: span / 100, PageUp: -span / 10, PageDown: span / 10 }[event.key];
  const to = event.key === "Home" ? bar.from : event.key === "End" ? bar.to : by === undefined ? null : tape.at + by;
  if (to === null) return;
  event.preventDefault();
  event.stopPropagation();
  seek(to);
}

function draw() {
  if (bar === null) return;
  const at = dragged ?? tape.at;
  const text = clock(at);
  setText(byId("player-time"), text);
  setText(byId("player-day"), day(at, serverTime()));
  setText(byId("past-time"), text);
  const share = shareOf(bar, at);
  handle.style.left = `${(share * 100).toFixed(2)}%`;
  setAttribute(handle, "aria-valuenow", String(Math.round(at / 1000)));
  setAttribute(handle, "aria-valuetext", text);
  const button = byId("player-play");
  setAttribute(button, "aria-pressed", String(playing));
  setAttribute(button, "aria-label", playing ? gettext("Pause") : gettext("Play"));
  button.classList.toggle("on", playing);
  for (const choice of player.querySelectorAll("[data-speed]")) {
    setAttribute(choice, "aria-pressed", String(Number(choice.dataset.speed) === speed));
  }
}

// --- What the page does while it is not live -----------------------------------------------------------------------

function liveAddress() {
  const address = new URL(location.href);
  address.searchParams.delete("at");
  return address;
}

const backToLive = () => location.assign(liveAddress());

const PARTS = "main, #banner, dialog";
// What is the reader's own (theme, language, clock, session) acts on nothing.
const actsOnThePlant = (form) => form.method === "post" && !("own" in form.dataset) && form.closest(PARTS) !== null;

/** Buttons that act on the plant are off, and say why; the server sends none of it either. */
function switchOff() {
  const why = gettext("You look at the past. Go back to live first.");
  for (const form of document.forms) {
    if (actsOnThePlant(form)) for (const part of form.querySelectorAll(ACTS)) off(part, why);
  }
  const acts = "[data-needs-live], [data-act^=ack], [data-act^=shelve], [data-act=silence], .screenset input";
  for (const part of document.querySelectorAll(acts)) off(part, why);
}

function off(part, why) {
  setAttribute(part, "aria-disabled", "true");
  if (part.form?.id !== "horn" && part.title !== why) part.title = why; // the horn says itself why nothing is heard
}

function keepLinksInThePast() {
  const keep = (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || link.hasAttribute("download") || link.dataset.live) return;
    // A link of a drawing, such as a machine's hexagon, has an address only as it is written.
    const written = link.getAttribute("href");
    const { origin, pathname, href } = new URL(written, document.baseURI);
    if (origin !== location.origin || /^\/(admin|api|static)\//.test(pathname) || written.startsWith("#")) return;
    link.setAttribute("href", asOf(href));
  };
  for (const event of ["click", "auxclick", "contextmenu"]) document.addEventListener(event, keep, true);
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      if (form.method === "get") {
        if (!form.elements.at) form.append(make("input", { type: "hidden", name: "at" }));
        form.elements.at.value = iso(tape.at);
      } else if (actsOnThePlant(form)) {
        event.preventDefault();
        event.stopPropagation();
        toast(gettext("You look at the past. Go back to live first."));
      }
    },
    true,
  );
}

/** Begins; only a page of the past has a player. */
export function start() {
  turnClock(() => tape.at);
  switchOff();
  new MutationObserver(oncePerFrame(switchOff)).observe(document.body, { childList: true, subtree: true });
  keepLinksInThePast();
  onAct({
    play,
    "alarm-before": () => jump("before"),
    "alarm-after": () => jump("after"),
    "step-back": () => seek(tape.at - 10_000),
    "step-on": () => seek(tape.at + 10_000),
    slower: () => setSpeed(speedBeside(speed, -1)),
    faster: () => setSpeed(speedBeside(speed, 1)),
    speed: (element) => setSpeed(Number(element.dataset.speed)),
    "back-to-live": backToLive,
  });
  onKeys({
    p: "play",
    "[": "alarm-before",
    "]": "alarm-after",
    ",": "step-back",
    ".": "step-on",
    "<": "slower",
    ">": "faster",
    l: "back-to-live",
  });
  byId("player-span").addEventListener("change", () => spanAround(tape.at));
  scrub.addEventListener("pointerdown", onDown);
  scrub.addEventListener("pointermove", onMove);
  scrub.addEventListener("pointerup", onUp);
  scrub.addEventListener("pointercancel", onUp);
  handle.addEventListener("keydown", onHandleKey);
  on("hear", () => seek(tape.at));
  addEventListener("pageshow", (event) => event.persisted && seek(tape.at));
  spanAround(past);
  seek(past);
  setInterval(tick, TICK);
}
