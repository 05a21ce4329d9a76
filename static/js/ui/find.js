// Find: `/`, words, Enter opens the first.

import { lastAsked } from "../lib/asked.js";
import { onAct, onKeys } from "../lib/dispatch.js";
import { make, svg } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { asOf } from "./live.js";

const dialog = document.getElementById("find");
const field = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const hint = dialog.querySelector(".hint");
const icons = document.body.dataset.icons;

let current = -1;
const reading = lastAsked();

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
  option.addEventListener("click", () => location.assign(asOf(item.url)));
  option.dataset.url = item.url;
  return option;
}

/** Each kind under its name, in the order of the answer. */
function draw(items, words) {
  const groups = new Map();
  items.forEach((item, place) => {
    if (!groups.has(item.group)) groups.set(item.group, []);
    groups.get(item.group).push(optionOf(item, place));
  });
  list.replaceChildren(
    ...[...groups].map(([name, options], place) =>
      make(
        "li",
        { role: "presentation" },
        make("p", { class: "kind", id: `kind-${place}`, "aria-hidden": "true" }, name),
        make("ul", { role: "group", "aria-labelledby": `kind-${place}` }, ...options),
      ),
    ),
  );
  hint.hidden = items.length > 0;
  hint.textContent = words
    ? fill(gettext("Nothing is called “%(words)s”."), { words })
    : gettext("Type a code, a name, words of an alarm or its number.");
  choose(0);
}

async function ask() {
  const words = field.value.trim();
  if (!words) {
    reading.drop();
    return draw([], "");
  }
  const answer = await reading.read(`${dialog.dataset.url}?q=${encodeURIComponent(words)}`);
  if (answer === null) return undefined;
  draw(answer.text === null ? [] : JSON.parse(answer.text).items, words);
  if (answer.text === null) hint.textContent = gettext("Find needs the connection to the plant server.");
  return undefined;
}

field.addEventListener("input", ask);
field.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    choose(current + step);
  } else if (event.key === "Enter" && current >= 0) {
    event.preventDefault();
    location.assign(asOf(list.querySelectorAll("[role=option]")[current].dataset.url));
    dialog.close();
  }
});

export function start() {
  onAct({
    find: () => {
      dialog.showModal();
      field.select();
      ask();
    },
  });
  onKeys({ "/": "find" });
}
