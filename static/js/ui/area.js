// An area's page: cards, folded lines and the table follow the live picture; lines fold and unfold, and stay so.

import { readPage } from "../lib/asked.js";
import { onAct } from "../lib/dispatch.js";
import { make, pageData, setAttribute, setClass, setText } from "../lib/dom.js";
import { fill, gettext, ngettext } from "../lib/words.js";
import { group, isPresented, lookIn, PRIORITIES, tally, worst } from "../state/alarms.js";
import { age } from "../state/writing.js";
import { drawCell, readCell, start as startHoneycomb } from "./honeycomb.js";
import { onLeap } from "./leap.js";
import { asOf, isLost, now, plant } from "./live.js";
import { countKinds, follow, KIND_WORDS, KINDS } from "./machines.js";
import { isAway, whenComes } from "./sight.js";
import { refreshSparks, startSparks } from "./sparks.js";
import { drawCounts, inPhase, prioritySymbol } from "./symbols.js";
import { toast } from "./toast.js";
import { refresh } from "./values.js";

const KEPT = 31_536_000; // s
const MOST_KEPT = 60; // codes in a cookie
const AT_REST = new Set(["idle", "stopped"]);

const wordLists = pageData("state-words", []);
const cells = [...document.querySelectorAll(".honey a.hexg")].map(readCell);
const { cellOf, alarmsOf, start: followMachines } = follow(cells, draw);
const parts = [...document.querySelectorAll(".aline")].map((element) => ({
  element,
  code: element.dataset.line,
  cells: [...element.querySelectorAll(".honey a.hexg")].map((link) => cellOf.get(link.dataset.asset)),
}));
const ownCodes = new Set([document.getElementById("area").dataset.code, ...parts.map((part) => part.code)]);
let cards = new Map(); // cell → element
let rows = new Map();

function collect() {
  const find = (name) =>
    new Map(
      [...document.querySelectorAll(`[data-${name}]`)].map((element) => [cellOf.get(element.dataset[name]), element]),
    );
  cards = find("card");
  rows = find("row");
}

// --- Machines --------------------------------------------------------------------------------------------------------

function draw(cell) {
  const before = cell.word;
  drawCell(cell, alarmsOf(cell), wordLists);
  const card = cards.get(cell);
  if (card && before !== cell.word) drawLasting(card.querySelector("[data-lasting]"), cell);
  if (card && !isAway(card)) drawCard(card, cell);
  const row = rows.get(cell);
  if (!row) return;
  drawState(row, cell);
  const place = row.querySelector("[data-age]");
  setText(place, cell.newest === null ? "–" : age((now() - cell.newest) / 1000));
  place.classList.toggle("stalev", cell.kind === "offline" || cell.stale);
  drawCounts(row.querySelector("[data-counts]"), tally(alarmsOf(cell)), { size: "sm" });
}

function drawState(place, cell) {
  const icon = place.querySelector(".st svg");
  setAttribute(icon, "class", `hexg ${cell.kind}${cell.stale ? " stale" : ""}`);
  place.querySelector(".st").classList.toggle("stale", cell.stale);
  setAttribute(icon.querySelector("use"), "href", `#m-${cell.kind}`);
  setText(place.querySelector(".st > span"), cell.word.charAt(0).toUpperCase() + cell.word.slice(1));
}

function drawCard(card, cell) {
  const counted = tally(alarmsOf(cell));
  setClass(card, ["card", cell.kind, counted.worst ? `al p${counted.worst}` : ""].filter(Boolean).join(" "));
  drawState(card, cell);
  card.querySelector("[data-lasting]").classList.toggle("stale", cell.stale);
  drawSymbols(card.querySelector("[data-symbols]"), counted);
  const note = card.querySelector("[data-note]");
  const silent = cell.kind === "offline";
  if (note.hidden === silent) note.hidden = !silent; // said anew, it would be laid out anew
  if (silent) {
    setText(note.querySelector("[data-age]"), cell.newest === null ? "–" : age((now() - cell.newest) / 1000));
  }
  for (const indicator of card.querySelectorAll(".mai")) indicator.classList.toggle("rest", AT_REST.has(cell.kind));
}

/** A state that began while the page is open counts from the reading that told of it. */
function drawLasting(place, cell) {
  const since = cell.stateTag ? plant.values.get(cell.stateTag)?.time : null;
  if (!since || cell.kind === "offline") place.replaceChildren();
  else {
    const lasting = make("span", { class: "num", "data-since": since / 1000 });
    place.replaceChildren(`${gettext("for")} `, lasting);
  }
}

/** Since when states last, as another reading of the page has it: of the same state, or nobody knows. */
function takeLasting(page) {
  const wordOf = (card) => card?.querySelector(".st > span").textContent;
  for (const [cell, card] of cards) {
    const read = page.querySelector(`[data-card="${CSS.escape(card.dataset.card)}"]`);
    const same = cell && wordOf(read) === wordOf(card);
    card.querySelector("[data-lasting]").replaceChildren(...(same ? read.querySelector("[data-lasting]").childNodes : []));
  }
}

/** Draws a card that has come; the server drew it as it was until something is heard. */
function comes(card) {
  const cell = cellOf.get(card.dataset.card); // none of a machine that is newer than the page
  if (cell && plant.complete && !isLost()) drawCard(card, cell);
}

function drawSymbols(place, counted) {
  const shown = PRIORITIES.filter((priority) => counted[priority].active).slice(0, 2);
  const want = shown.map((priority) => `${priority}${lookIn(counted, priority)}`).join(" ");
  if (place.dataset.drawn === want) return;
  place.dataset.drawn = want;
  place.replaceChildren(...shown.map((priority) => prioritySymbol(priority, lookIn(counted, priority))));
}

// --- Lines -----------------------------------------------------------------------------------------------------------

const isAbnormal = (cell) =>
  tally(alarmsOf(cell)).worst !== null ||
  cell.kind === "fault" ||
  cell.kind === "offline" ||
  cell.stale;

function drawLines() {
  const all = [...plant.alarms.values()];
  const own = group(all, (alarm) => (cellOf.has(alarm.asset) ? null : alarm.asset));
  for (const part of parts) {
    const alarms = [...part.cells.flatMap(alarmsOf), ...(own.get(part.code) ?? [])];
    drawCounts(part.element.querySelector("[data-tally]"), tally(alarms));
    const told = worst(alarms, 2).map(({ asset, message, cleared }) => {
      const words = `${asset} ${message}`;
      return cleared ? fill(gettext("%(alarm)s (cleared)"), { alarm: words }) : words;
    });
    setText(part.element.querySelector("[data-told]"), told.join(", "));
  }
  const mine = all.filter((alarm) => cellOf.has(alarm.asset) || ownCodes.has(alarm.asset));
  drawCounts(document.getElementById("counts"), tally(mine.filter(isPresented)));
  inPhase();
}

function drawStates() {
  for (const part of parts) {
    if (!part.cells.length) continue;
    const counts = countKinds(part.cells);
    const said = KINDS.filter((kind) => counts[kind]).map((kind) => `${counts[kind]} ${KIND_WORDS[kind]}`);
    setText(part.element.querySelector("[data-states]"), said.join(", "));
    const rest = part.element.querySelector("[data-rest]");
    if (!rest) continue;
    const abnormal = part.cells.filter((cell) => !cards.has(cell) && isAbnormal(cell)).length;
    setText(rest, abnormal ? fill(gettext(", %(number)s abnormal"), { number: abnormal }) : gettext(", all normal"));
  }
}

// --- Fold, unfold, more ------------------------------------------------------------------------------------------------

const cookie = (name) =>
  new Set(
    (document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]*)`))?.[1] ?? "").split(".").filter((code) => code !== ""),
  );

function keep(name, codes) {
  const text = [...codes].slice(-MOST_KEPT).join(".");
  document.cookie = `${name}=${text};path=/;max-age=${text ? KEPT : 0};samesite=lax`;
}

function remember(code, open) {
  const [to, from] = open ? ["unfolded", "folded"] : ["folded", "unfolded"];
  const [added, dropped] = [cookie(to), cookie(from)];
  added.add(code);
  dropped.delete(code);
  keep(to, added);
  keep(from, dropped);
}

/** Gives whether a line's next cards could be read; asked for again meanwhile, they are read once. */
function fetchCards(part) {
  part.reading ??= readCards(part).finally(() => (part.reading = null));
  return part.reading;
}

async function readCards(part) {
  const address = new URL(asOf(location.href));
  address.searchParams.set("cards", part.code);
  const known = [...part.element.querySelectorAll("[data-card]")].map((card) => card.dataset.card);
  if (known.length) address.searchParams.set("known", known.join("."));
  const page = await readPage(address);
  if (page === null) {
    toast(gettext("The machines could not be read, try again."));
    return false;
  }
  const made = [...page.querySelectorAll("[data-card]")];
  part.element.querySelector(".cards").append(...made);
  collect();
  refresh();
  refreshSparks();
  part.cells.forEach(draw);
  const left = part.cells.filter((cell) => !cards.has(cell)).length;
  const more = part.element.querySelector(".more");
  if (more) {
    more.hidden = left === 0 || made.length === 0;
    const words = ngettext("Show %(more)s more", "Show %(more)s more", left);
    setText(more.querySelector("[data-more]"), fill(words, { more: left }));
    drawStates();
  }
  inPhase();
  return true;
}

const partOf = (element) => parts.find((part) => part.element === element.closest(".aline"));

async function fold(button) {
  const part = partOf(button);
  const open = part.element.classList.contains("folded");
  button.setAttribute("aria-busy", "true");
  const found = !open || part.element.querySelector("[data-card]") || (await fetchCards(part));
  button.removeAttribute("aria-busy");
  if (!found) return;
  part.element.classList.toggle("folded", !open);
  button.setAttribute("aria-expanded", String(open));
  remember(part.code, open);
}

export function start() {
  collect();
  startHoneycomb(new Map(cells.map((cell) => [cell.link, cell])), alarmsOf);
  startSparks();
  onLeap(takeLasting);
  onAct({ fold, "more-cards": (link) => fetchCards(partOf(link)) });
  whenComes(comes);
  followMachines({ anew: drawStates, alarms: drawLines, second: drawStates });
}
