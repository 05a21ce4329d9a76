// The first start: the page notices the first reading, and the demo works when it is loaded.

import { onAct } from "../lib/dispatch.js";
import { make, pageData, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { number } from "../state/writing.js";
import { on, plant } from "./live.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const LISTED = 6;
const ASK_EVERY = 1500; // ms

const place = document.getElementById("start");
const list = document.getElementById("arriving");
const facts = pageData("sensor-facts", {});
let arrived = list.children.length > 0;

const figure = (tag, value) => {
  const [unit, decimals] = facts[tag] ?? ["", 1];
  return `${number(value, decimals)} ${unit}`.trim();
};

function take(tags) {
  for (const tag of tags) {
    const { value } = plant.values.get(tag);
    let row = [...list.children].find((one) => one.dataset.arrived === tag);
    if (!row) {
      if (list.children.length >= LISTED) continue;
      const name = make("span", { class: "grow muted trunc" }, tag);
      row = make("li", { class: "row", "data-arrived": tag }, name, make("b", { class: "num live" }));
      list.append(row);
    }
    setText(row.querySelector("b"), figure(tag, value));
  }
  setText(document.getElementById("arrived"), plant.values.size ? number(plant.values.size, 0) : "");
  document.getElementById("none-yet").hidden = list.children.length > 0;
  if (!arrived && tags.length) first(tags[0]);
}

function first(tag) {
  arrived = true;
  const words = fill(gettext("The first reading is here: %(tag)s is %(value)s."), {
    tag,
    value: figure(tag, plant.values.get(tag).value),
  });
  setText(document.getElementById("first"), words);
  say(words);
  document.getElementById("sending").className = "done";
  document.getElementById("watching").className = "";
  document.getElementById("to-overview").classList.add("primary");
}

async function copy() {
  const text = document.getElementById("curl").textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
    toast(gettext("Copied."));
  } catch {
    // Without a secure page there is no clipboard: the line is marked, so that the keyboard copies it.
    getSelection().selectAllChildren(document.getElementById("curl"));
    toast(gettext("Press Ctrl+C to copy."));
  }
}

async function ask() {
  const answer = await fetch(place.dataset.state, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const { described, loading } = await answer.json();
  if (described || loading !== "waiting") location.replace("/start/");
}

export function start() {
  onAct({ "copy-curl": copy });
  on("snapshot", () => take([...plant.values.keys()]));
  on("values", take);
  document.querySelector("form[data-import] input[type=file]")?.addEventListener("change", (event) => {
    if (event.target.files.length) event.target.form.requestSubmit();
  });
  if ("waits" in place.dataset) setInterval(ask, ASK_EVERY);
  // A reload shows where the plant stands instead of sending the form again.
  if (location.pathname !== "/start/") history.replaceState(null, "", "/start/");
}
