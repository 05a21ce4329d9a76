// The horn: sounds while alarms wait that nobody has silenced. What is heard stands beside the banner, and ends there.

import { onAct, onKeys } from "../lib/dispatch.js";
import { post, setText } from "../lib/dom.js";
import { oncePerFrame } from "../lib/once.js";
import { gettext } from "../lib/words.js";
import { heard, LOST, pattern, sounding, stance } from "../state/horn.js";
import { send } from "./sending.js";
import { on, plant } from "./live.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const LOUDNESS = 0.2; // of 1
const RAMP = 0.012; // s; without it a tone begins and ends with a click

const form = document.getElementById("horn");
const button = form.querySelector("button");
const HEARD_WITHIN = 3_000; // ms in which the journal has told what the server silenced
const hushed = new Set(); // silenced on this screen alone, by somebody who may not silence the plant's

const past = "at" in document.body.dataset; // what was is looked at, not heard
let wanted = !past && "sound" in document.body.dataset;
let context = null;
let lost = false;
let mine = !navigator.locks; // of a browser's tabs one sounds
let playing = null; // { priority, timer, out }

// --- Tones -----------------------------------------------------------------------------------------------------------

function tones(notes, out) {
  const from = context.currentTime + 0.02;
  for (const { at, hz, length } of notes) {
    const tone = context.createOscillator();
    const level = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = hz;
    level.gain.setValueAtTime(0, from + at);
    level.gain.linearRampToValueAtTime(LOUDNESS, from + at + RAMP);
    level.gain.setValueAtTime(LOUDNESS, from + at + length - RAMP);
    level.gain.linearRampToValueAtTime(0, from + at + length);
    tone.connect(level).connect(out);
    tone.start(from + at);
    tone.stop(from + at + length);
  }
}

function stop() {
  if (!playing) return;
  clearInterval(playing.timer);
  playing.out.disconnect();
  playing = null;
}

function play(priority) {
  if (playing?.priority === priority) return;
  stop();
  const { every, notes } = pattern(priority);
  const out = context.createGain();
  out.connect(context.destination);
  tones(notes, out);
  playing = { priority, out, timer: setInterval(() => tones(notes, out), every * 1000) };
}

// --- What the browser lets -------------------------------------------------------------------------------------------

const allowed = () => context !== null && context.state === "running";

/** Browsers are mute until somebody has touched the page. */
async function wake() {
  if (!wanted || allowed()) return;
  try {
    context ??= new AudioContext();
    context.onstatechange = draw;
    await context.resume();
  } catch {
    // It stays blocked, and the button says so.
  }
  draw();
}

/** Of several tabs the one that may sound does; the others stay ready to take over. */
function takeTurn() {
  if (!navigator.locks || mine || !allowed()) return;
  takeTurn.asked ??= navigator.locks.request("andon-horn", () => {
    mine = true;
    draw();
    return new Promise(() => {}); // until the page is left
  });
}

// --- The twin on the screen ------------------------------------------------------------------------------------------

const WORDS = {
  past: () => [gettext("Sound off"), gettext("Alarms of the past are seen here and not heard.")],
  off: () => [gettext("Sound off"), gettext("Alarms do not sound here: you switched it off. Press for keyboard and sound.")],
  blocked: () => [gettext("Sound blocked"), gettext("The browser blocks sound until you press something. Press here.")],
  sounding: () => [gettext("Silence"), gettext("Silence the horn; it acknowledges nothing (M)")],
  quiet: () => ["", gettext("The horn is quiet")],
};

function draw() {
  const priority = heard(plant.alarms.values(), hushed);
  const now = stance({ wanted, allowed: allowed(), priority, lost });
  takeTurn();
  if (now === "sounding" && mine) play(priority);
  else stop();
  const [word, title] = WORDS[past ? "past" : now]();
  if (form.dataset.now !== now) form.dataset.now = now;
  setText(button.querySelector(".word"), word);
  setText(button.querySelector(".vh"), title);
  if (button.title !== title) button.title = title;
}

const drawSoon = oncePerFrame(draw);

/** Ends the sound of what sounds now. It acknowledges nothing, and what comes next is heard again. */
async function silence() {
  if (wanted && !allowed()) await wake();
  const now = sounding(plant.alarms.values());
  if (!wanted) return document.getElementById("keys").showModal();
  if (lost) return toast(gettext("Silence is not possible without a connection."));
  if (!now.length) return toast(gettext("No alarm sounds."));
  if (!("maySilence" in document.body.dataset)) {
    for (const alarm of now) hushed.add(alarm.id);
    draw();
    toast(gettext("Silenced on this screen alone. An administrator can let you silence the horn for all."));
    return undefined;
  }
  // At once here; the others hear it from the journal.
  for (const alarm of now) hushed.add(alarm.id);
  draw();
  // What has sounded here: an alarm that is announced anew meanwhile is heard.
  const known = ({ id, journal = plant.journal }) => `${id}:${journal}`;
  form.elements.heard.value = now.map(known).join(" ");
  const done = await send(form);
  const judged = () => {
    for (const alarm of now) hushed.delete(alarm.id);
    draw();
  };
  // What was announced anew on the way is not silenced on the server: it sounds here again.
  if (done) setTimeout(judged, HEARD_WITHIN);
  else judged();
  return undefined;
}

function onAlarm({ alarm, before }) {
  // Announced anew, an alarm sounds anew, here as well.
  if (!alarm.silenced && (before?.silenced || alarm.state !== before?.state)) hushed.delete(alarm.id);
  drawSoon();
}

/** The two wishes of the dialog with the keys. */
async function choose({ target }) {
  const { name, checked } = target;
  if (name === "sound") {
    wanted = !past && checked;
    if (wanted) wake();
    draw();
  } else if (checked) delete document.body.dataset.noSingleKeys;
  else document.body.dataset.noSingleKeys = "";
  const words = gettext("Your wish is not stored, no connection.");
  const answer = await post(target.closest("[data-url]").dataset.url, { [name]: checked ? "1" : "0" }).catch(() => null);
  if (!answer?.ok) toast(words);
}

export function start() {
  onAct({ silence });
  onKeys({ m: "silence" });
  document.querySelector("#keys .screenset").addEventListener("change", choose);
  for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, wake, { capture: true, passive: true });
  on("snapshot", draw);
  on("alarm", onAlarm);
  on("lost", () => {
    lost = true;
    draw();
    if (allowed() && mine && plant.complete) {
      tones(LOST, context.destination);
      say(gettext("Connection lost. Alarms do not sound until it is back."), true);
    }
  });
  on("back", () => {
    lost = false;
    draw();
  });
  wake();
}
