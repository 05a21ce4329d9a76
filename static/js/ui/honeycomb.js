// The honeycomb: one Tab stop a line, arrows inside, a tip on hover and focus, machines drawn by class only.

import { make, setAttribute, setClass, setText, svg } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { lookIn, tally, worst } from "../state/alarms.js";
import { condition } from "../state/freshness.js";
import { age, duration } from "../state/writing.js";
import { now, plant } from "./live.js";
import { alarmSymbol } from "./symbols.js";

const TIP_AFTER = 150; // ms
export const ALARM_WORDS = {
  1: gettext("critical alarm"),
  2: gettext("high alarm"),
  3: gettext("medium alarm"),
  4: gettext("low alarm"),
};

const milliseconds = (seconds) => (seconds === "" ? null : Number(seconds) * 1000);

/** What the page knows of a machine's cell before the first frame. */
export function readCell(link) {
  const { asset, name, parts, kind, word, newest, state, words, staleAfter, offlineAfter } = link.dataset;
  return {
    link,
    hexagon: link.querySelector(".hex"),
    mark: link.querySelector(".mk"),
    code: asset,
    name,
    codes: [asset, ...parts.split(" ").filter(Boolean)],
    kind,
    word,
    stale: link.classList.contains("stale"),
    newest: newest === "" ? null : Number(newest),
    stateTag: state,
    words: words === "" ? null : Number(words),
    after: { stale: milliseconds(staleAfter), offline: milliseconds(offlineAfter) },
  };
}

/** Draws a cell from the machine's newest reading, its state and its alarms. */
export function drawCell(cell, alarms, wordLists) {
  const state = cell.stateTag ? plant.values.get(cell.stateTag) : null;
  const words = cell.words === null ? null : wordLists[cell.words];
  const judged = condition(now(), cell.newest, cell.after, state, words, plant.silent.has(cell.code));
  cell.kind = judged.kind;
  cell.word = judged.word;
  cell.stale = judged.stale;
  const counted = tally(alarms);
  const names = ["hexg", judged.kind];
  if (judged.stale) names.push("stale");
  const said = [cell.code, judged.word];
  if (counted.worst) {
    const look = lookIn(counted, counted.worst);
    names.push("al", `p${counted.worst}`);
    if (look === "unack") names.push("un");
    if (look === "returned") names.push("returned");
    said.push(ALARM_WORDS[counted.worst]);
    if (counted[counted.worst].unacked) said.push(gettext("unacknowledged"));
  } else if (judged.stale) {
    said.push(gettext("data is old"));
  }
  setClass(cell.link, names.join(" "));
  setAttribute(cell.mark, "href", counted.worst ? `#m-p${counted.worst}` : `#m-${judged.kind}`);
  setAttribute(cell.link, "aria-label", said.join(", "));
}

// --- Keys ----------------------------------------------------------------------------------------------------------

function move(event) {
  const link = event.target.closest?.("a.hexg");
  if (!link) return;
  const comb = link.closest(".honey");
  const rows = comb.classList.contains("r1") ? 1 : comb.classList.contains("r3") ? 3 : 2;
  const step = { ArrowRight: rows, ArrowLeft: -rows, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...comb.querySelectorAll("a.hexg")];
  const next = links[links.indexOf(link) + step];
  event.preventDefault();
  if (!next) return;
  link.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

// --- Tip -----------------------------------------------------------------------------------------------------------

let tip = null;
let timer = null;
let cells = new Map();
let alarmsOf = () => [];

function hide() {
  clearTimeout(timer);
  tip?.remove();
  tip = null;
}

function show(link) {
  hide();
  const cell = cells.get(link);
  if (!cell) return;
  const icon = svg("svg", { class: `hexg ${cell.kind}`, width: 14, height: 14, viewBox: "0 0 16 16" });
  icon.append(
    svg("polygon", { class: "hex", points: "8,1 14.1,4.5 14.1,11.5 8,15 1.9,11.5 1.9,4.5" }),
    svg("use", { class: "mk", href: `#m-${cell.kind}`, x: 8, y: 8 }),
  );
  tip = make(
    "div",
    { class: "tip" },
    make("div", { class: "r" }, icon, make("b", {}, cell.code), make("span", { class: "muted" }, cell.name)),
  );
  const since = cell.stateTag ? plant.values.get(cell.stateTag)?.time : null;
  const state =
    cell.kind === "offline" && cell.newest
      ? fill(gettext("offline, last reading %(age)s ago"), { age: age((now() - cell.newest) / 1000) })
      : cell.word;
  const line = make("div", { class: "r muted" }, state);
  if (cell.kind === "offline" && !cell.newest) setText(line, gettext("offline, no reading yet"));
  else if (since && cell.kind !== "offline")
    line.append(
      make("span", { class: "end" }, fill(gettext("read %(age)s ago"), { age: age((now() - since) / 1000) })),
    );
  tip.append(line);
  for (const alarm of worst(alarmsOf(cell), 1)) {
    const lasting = make("span", { class: "end muted" }, duration((now() - Date.parse(alarm.raised)) / 1000));
    tip.append(make("div", { class: "r" }, alarmSymbol(alarm), make("span", {}, alarm.message), lasting));
  }
  document.body.append(tip);
  const at = link.getBoundingClientRect();
  const below = at.bottom + tip.offsetHeight + 8 <= innerHeight;
  tip.style.left = `${Math.max(8, Math.min(innerWidth - tip.offsetWidth - 8, at.left + at.width / 2 + 6))}px`;
  tip.style.top = `${below ? at.bottom + 6 : at.top - tip.offsetHeight - 6}px`;
}

/** Takes the page's cells by their links, and what gives a cell's alarms. */
export function start(byLink, alarms) {
  cells = byLink;
  alarmsOf = alarms;
  document.addEventListener("keydown", move);
  document.addEventListener("pointerover", (event) => {
    const link = event.target.closest?.(".honey a.hexg");
    hide();
    if (link && event.pointerType !== "touch") timer = setTimeout(() => show(link), TIP_AFTER);
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.(".honey a.hexg");
    if (link?.matches(":focus-visible")) show(link);
    else hide();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}
