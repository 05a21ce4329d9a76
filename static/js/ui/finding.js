// What find.js opens: a list of what words lead to, of which Enter opens the first. Assets are found at once, in what the
// browser keeps; the server finds the rest.

import { make, svg } from "../lib/dom.js";
import { finder } from "../lib/finder.js";
import { fill, gettext } from "../lib/words.js";
import { findPlaces } from "../state/finding.js";
import { asOf } from "./live.js";
import { load, places } from "./places.js";

const MOST = 6; // assets that are shown before the server answers

const dialog = document.getElementById("find");
const field = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const hint = dialog.querySelector(".hint");
const icons = document.body.dataset.icons;

let current = -1;
let moved = false; // the person has chosen, with the arrows

function choose(place) {
  const options = [...list.querySelectorAll("[role=option]")];
  current = options.length ? (place + options.length) % options.length : -1;
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === current)));
  if (current < 0) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", options[current].id);
  options[current].scrollIntoView({ block: "nearest" });
  return undefined;
}

function optionOf(item, place) {
  const icon = svg(
    "svg",
    { class: "ic", width: 16, height: 16, "aria-hidden": "true" },
    svg("use", { href: `${icons}#${item.icon}` }),
  );
  const option = make(
    "li",
    { role: "option", id: `found-${place}` },
    icon,
    make("b", {}, item.title),
    make("span", { class: "muted" }, item.detail),
  );
  option.addEventListener("click", () => open(item));
  return option;
}

/** A heading says how many there are of what is under it, where that is not all of them. */
function headingOf(name, shown, [number, more] = [0, false]) {
  if (more) return fill(gettext("%(name)s, %(shown)s of more than %(number)s"), { name, shown, number });
  return number > shown ? fill(gettext("%(name)s, %(shown)s of %(number)s"), { name, shown, number }) : name;
}

let given = null; // the items that were drawn last
let drawn = []; // what stands in the list, in its order

/** The items, with what the person has chosen among those that were there before: it stays, and so does the choice. */
function withChosen(items) {
  const chosen = moved ? drawn[current] : undefined;
  if (!chosen || items.some(({ url }) => url === chosen.url)) return items;
  const place = items.findLastIndex(({ group }) => group === chosen.group) + 1;
  return items.toSpliced(place || items.length, 0, chosen);
}

/** Each kind under its name, in the order of the answer. */
function drawList(items, counts) {
  const chosen = moved ? drawn[current]?.url : undefined;
  const groups = new Map();
  given = items;
  drawn = withChosen(items);
  drawn.forEach((item, place) => {
    if (!groups.has(item.group)) groups.set(item.group, []);
    groups.get(item.group).push(optionOf(item, place));
  });
  list.replaceChildren(
    ...[...groups].map(([name, options], place) => {
      const heading = headingOf(name, options.length, counts[name]);
      return make(
        "li",
        { role: "presentation" },
        make("p", { class: "kind", id: `kind-${place}`, "aria-hidden": "true" }, heading),
        make("ul", { role: "group", "aria-labelledby": `kind-${place}` }, ...options),
      );
    }),
  );
  choose(Math.max(0, drawn.findIndex(({ url }) => url === chosen)));
}

function hintOf({ words, items, answered, slow, entered }) {
  if (!words) return gettext("Type a code, a name, words of an alarm or its number.");
  if (answered === null) return gettext("Find needs the connection to the plant server.");
  if (answered === false) return slow || entered ? fill(gettext("Looking for “%(words)s” …"), { words }) : "";
  return items.length ? "" : fill(gettext("Nothing is called “%(words)s”."), { words });
}

function draw(state) {
  if (state.items !== given) drawList(state.items, state.counts);
  const text = hintOf(state);
  hint.hidden = !text;
  hint.textContent = text;
}

function open({ url }) {
  location.assign(asOf(url));
  dialog.close();
}

async function ask(words, signal) {
  const address = `${dialog.dataset.url}?q=${encodeURIComponent(words)}`;
  const answer = await fetch(address, { credentials: "same-origin", signal });
  return answer.ok ? answer.json() : null;
}

function near(words) {
  return findPlaces(places(), words, MOST).map(({ code, name, place, url }) => ({
    group: gettext("Assets"),
    icon: "area",
    title: code,
    detail: [name, place].filter(Boolean).join(", "),
    url,
  }));
}

// No asset, and nothing else, comes before the one whose code the words are.
const isNamed = ({ title }, words) => title.toLowerCase() === words.toLowerCase();

const finding = finder({ ask, near, isNamed, draw, open });

field.addEventListener("input", () => {
  moved = false;
  finding.typed(field.value);
});
field.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  moved = true;
  choose(current + step);
});
dialog.addEventListener("close", () => {
  moved = false;
  finding.stop();
});

/** Begins with what stands in the field. */
export function begin() {
  finding.stop();
  finding.typed(field.value);
  load().then(() => finding.look());
}

/** Opens what was chosen, or what the words lead to. */
export function enter() {
  finding.typed(field.value);
  finding.enter(moved ? drawn[current] : null);
}
