// The honeycomb: one Tab stop a line, arrows inside, a tip on hover and focus, machines drawn by class only.

import { setAttribute, setClass } from "../lib/dom.js";
import { gettext } from "../lib/words.js";
import { lookIn, tally } from "../state/alarms.js";
import { condition } from "../state/freshness.js";
import { ALARM_WORDS } from "./alarmwords.js";
import { now, plant } from "./live.js";
import { hide, show } from "./tip.js";

const TIP_AFTER = 150; // ms

const milliseconds = (seconds) => (seconds === "" ? null : Number(seconds) * 1000);

/** What the page knows of a machine's cell before the first frame. */
export function readCell(link) {
  // Thousands of them: what an address says is not said again.
  const code = decodeURIComponent(new URL(link.getAttribute("href"), location.href).pathname.split("/").at(-2));
  link.dataset.asset = code;
  const { parts, kind, word, newest, state, words, staleAfter, offlineAfter } = link.dataset;
  return {
    link,
    hexagon: link.querySelector(".hex"),
    mark: link.querySelector(".mk"),
    code,
    codes: [code, ...parts.split(" ").filter(Boolean)],
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

/** Takes the page's cells by their links, and what gives a cell's alarms. */
export function start(cells, alarmsOf) {
  let timer = null;
  let pointed = null;

  function leave() {
    clearTimeout(timer);
    hide();
  }

  function come(link) {
    leave();
    const cell = cells.get(link);
    if (cell) show(cell, alarmsOf);
  }

  document.addEventListener("keydown", move);
  document.addEventListener("pointerover", (event) => {
    const link = event.target.closest?.(".honey a.hexg") ?? null;
    if (link && link === pointed) return; // from one part of the hexagon to another
    pointed = event.pointerType === "touch" ? null : link;
    leave();
    if (pointed) timer = setTimeout(() => come(link), TIP_AFTER);
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.(".honey a.hexg");
    if (link?.matches(":focus-visible")) come(link);
    else leave();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && leave());
  // Nobody sees it, and a page that is not seen is slow to read anew: it would come back with old values.
  document.addEventListener("visibilitychange", () => document.hidden && leave());
}
