// The frame: clock, live state, theme, density, dialogs, keys.

import { post, setClass, setText } from "../lib/dom.js";
import { onAct, onKeys } from "../lib/dispatch.js";
import { paintAlong, takeBack } from "../lib/painter.js";
import { fill, gettext } from "../lib/words.js";
import { age, clock, duration } from "../state/writing.js";
import { asOf, connect, hearsValues, lastHeard, now, on, past, plant, tryNow } from "./live.js";
import { keptAt, lookForNew, start as startKept } from "./kept.js";
import { sayWall } from "./session.js";
import { toast } from "./toast.js";

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const BEFORE = 600_000; // ms: how far back one begins from a live page
const TICK = 250; // ms: of the clocks
const FITS = 15; // characters that the room kept for the data's age holds

let lostAt = null;
let nextAt = null;

function dataAge() {
  if (plant.newest) return (now() - plant.newest) / 1000;
  return lastHeard() === null ? null : (now() - lastHeard()) / 1000;
}

function tick() {
  const time = now();
  setText(byId("clock"), clock(time));
  drawShift(time);
  const old = dataAge();
  if (lostAt === null) {
    // In playback the player says what time it is.
    if (plant.complete && past === null) {
      const known = plant.newest ? fill(gettext("data %(age)s old"), { age: age(old) }) : gettext("no data yet");
      setText(byId("live-word"), gettext("Live"));
      const said = hearsValues ? known : gettext("alarms as they come");
      setText(byId("live-age"), said);
      setClass(byId("live-age"), said.length <= FITS ? "fits" : "");
    }
  } else {
    const text = old === null ? duration((time - lostAt) / 1000) : age(old);
    setText(byId("lost-age"), text);
    setText(byId("lost-age-short"), text);
    setText(byId("lost-clock"), clock(time));
    const wait = nextAt === null ? 0 : Math.max(0, Math.ceil((nextAt - time) / 1000));
    setText(byId("next-try"), wait ? fill(gettext("Next try in %(seconds)s s"), { seconds: wait }) : gettext("Trying"));
  }
  // Nobody knows whether what lasted then lasts still.
  const until = lostAt ?? time;
  for (const element of document.querySelectorAll("[data-since]")) {
    setText(element, duration(until / 1000 - Number(element.dataset.since)));
  }
}

/** Where something is painted anyway the clocks are drawn with it, and else alone. */
function tickAlong() {
  if (takeBack(tick)) tick();
  paintAlong(tick);
}

function lost() {
  if (lostAt !== null) return;
  lostAt = lastHeard() ?? now();
  const at = clock(lostAt);
  setText(byId("lost-since"), fill(gettext("Connection to the plant server lost at %(time)s."), { time: at }));
  byId("not-live").hidden = false;
  byId("not-live").setAttribute("role", "alert");
  root.classList.add("disc-on");
  for (const button of document.querySelectorAll("[data-needs-live], [data-act=ack-banner]")) {
    button.dataset.title ??= button.title;
    button.dataset.wasDisabled ??= button.getAttribute("aria-disabled") ?? "";
    button.setAttribute("aria-disabled", "true");
    button.title = gettext("Not possible without a connection");
  }
  tick();
}

function back() {
  // A page that was kept is older than what the socket says of alarms and values.
  if (keptAt !== null) return location.reload();
  if (lostAt !== null) lookForNew();
  lostAt = null;
  nextAt = null;
  byId("not-live").hidden = true;
  root.classList.remove("disc-on");
  for (const button of document.querySelectorAll("[data-was-disabled]")) {
    if (button.dataset.wasDisabled) button.setAttribute("aria-disabled", button.dataset.wasDisabled);
    else button.removeAttribute("aria-disabled");
    button.title = button.dataset.title;
    delete button.dataset.wasDisabled;
    delete button.dataset.title;
  }
  tick();
  return undefined;
}

function theme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : !matchMedia("(prefers-color-scheme: light)").matches;
  const wanted = dark ? "light" : "dark";
  root.dataset.theme = wanted;
  document.dispatchEvent(new CustomEvent("andon:theme"));
  const sent = post("/theme", { theme: wanted }, { own: true });
  sent.catch(() => toast(gettext("The theme is not stored, no connection.")));
}

// --- Wall display: kept for the browser; one that only looks stays signed in ----------------------------------------

const KEPT = 31_536_000; // s
const STAYS_EVERY = 6 * 3_600_000; // ms
const onWall = () => root.dataset.density === "wall";

function keepWall() {
  document.cookie = `density=${onWall() ? "wall" : ""};path=/;max-age=${onWall() ? KEPT : 0};samesite=lax`;
  sayWall();
}

function wall() {
  if (onWall()) delete root.dataset.density;
  else root.dataset.density = "wall";
  const here = new URL(location.href);
  here.searchParams.delete("density");
  history.replaceState(null, "", here);
  keepWall();
}

// --- Shift -----------------------------------------------------------------------------------------------------------

const shift = byId("shift");
const shifts = shift ? JSON.parse(shift.dataset.shifts) : [];

function drawShift(time) {
  if (!shift) return;
  const found = shifts.findLast(([, start, end]) => start <= time && time < end);
  setText(shift.querySelector("[data-name]"), found ? found[0] : gettext("Between shifts"));
  if (!found) {
    setText(shift.querySelector("[data-left]"), "");
    return;
  }
  const [, start, end] = found;
  const left = Math.max(0, end - time) / 60_000;
  const hours = Math.floor(left / 60);
  setText(
    shift.querySelector("[data-left]"),
    fill(gettext("%(start)s to %(end)s, %(left)s left"), {
      start: clock(start).slice(0, 5),
      end: clock(end).slice(0, 5),
      left: hours ? `${hours} h ${String(Math.floor(left % 60)).padStart(2, "0")}` : `${Math.ceil(left)} min`,
    }),
  );
}

/** Whoever notices that the server's pages are newer, the socket or the worker: there is one button. */
function offerNew() {
  byId("new-version").hidden = false;
}

const open = (id) => byId(id)?.showModal();

onAct({
  theme,
  wall,
  keys: () => open("keys"),
  more: () => open("more"),
  close: (element) => element.closest("dialog").close(),
  "try-now": tryNow,
  overview: () => location.assign(asOf("/")),
  reload: () => location.reload(),
});
onKeys({ t: "theme", w: "wall", "?": "keys" });

/** `G` and a letter for each page of the navigation, as the list of keys says. */
function pageKeys() {
  for (const link of document.querySelectorAll(".nav a[data-key]")) {
    const name = `go-${link.dataset.key}`;
    onAct({ [name]: () => location.assign(asOf(link.href)) });
    onKeys({ [`g ${link.dataset.key}`]: name });
  }
}

/** From a live page to the past: ten minutes ago. */
function playBack() {
  const address = new URL(location.href);
  address.searchParams.set("at", new Date(Math.floor(now() / 1000) * 1000 - BEFORE).toISOString());
  location.assign(address);
}

function wayBack() {
  if (past !== null || !document.querySelector("[data-act=play-back]")) return;
  onAct({ "play-back": playBack });
  onKeys({ p: "play-back" });
}

export function start() {
  pageKeys();
  wayBack();
  on("lost", lost);
  on("back", back);
  on("next", (ms) => {
    nextAt = now() + ms;
  });
  on("version", offerNew);
  if (new URLSearchParams(location.search).has("density")) keepWall();
  else if (onWall()) sayWall();
  setInterval(() => onWall() && sayWall(), STAYS_EVERY);
  on("out", () => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`));
  if (keptAt !== null) lost();
  setInterval(tickAlong, TICK);
  tick();
  connect();
  startKept(() => lostAt === null && plant.complete, offerNew);
}
