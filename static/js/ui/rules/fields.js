// The rule editor's fields: the sentence follows them, and what is wrong stands under them.

import { make, pageData, setText } from "../../lib/dom.js";
import { gettext } from "../../lib/words.js";
import { readNumber, sentence } from "../../state/sentence.js";

export const form = document.getElementById("rule-form");
export const { words, sensors } = pageData("rule-words", { words: {}, sensors: {} });
export const sign = document.body.dataset.decimal || ".";
export const place = (id) => document.getElementById(id);
export const field = (name) => form.elements[name];

export const text = (name) => field(name)?.value?.trim() ?? "";
export const kind = () => text("kind");
export const unit = () => sensors[text("sensor_key")]?.unit ?? "";

function shown() {
  const found = {};
  for (const box of form.querySelectorAll(".inpu")) {
    const input = box.querySelector("input");
    found[input.name] = input.value.trim() ? `${input.value.trim()} ${box.querySelector(".u").textContent}`.trim() : "";
  }
  if (readNumber(text("on_delay")) === 0) found.on_delay = "";
  const whiles = [...form.querySelectorAll("input[name^=while-]")].map((one) => one.value.trim()).filter(Boolean);
  return {
    ...found,
    value: sensors[text("sensor_key")]?.labels[text("value")] ?? found.value,
    sensor_key: sensors[text("sensor_key")]?.name ?? "",
    reference: text("reference"),
    expression: text("expression"),
    suppress_when: whiles.join(gettext(" or ")),
    priority: form.querySelector("[name=priority]:checked")?.dataset.word ?? "",
  };
}

export function drawFields() {
  for (const box of form.querySelectorAll("[data-kinds]")) box.hidden = !box.dataset.kinds.split(" ").includes(kind());
  for (const box of form.querySelectorAll("[data-unit]")) setText(box, sensors[text("sensor_key")]?.[box.dataset.unit] ?? "");
  place("sentence").replaceChildren(
    ...sentence(words, kind(), shown()).map(([part, name]) =>
      name ? make("a", { href: `#f-${name}`, "data-act": "to-field", "data-to": name }, part) : part,
    ),
  );
}

/** What is wrong, and what is worth a second look, under the fields. */
export function drawNotes(errors, advice) {
  for (const note of document.querySelectorAll("[data-note]")) {
    const name = note.dataset.note;
    const box = note.querySelector("span");
    note.dataset.hint ??= box.textContent;
    const said = errors[name] ?? advice[name] ?? note.dataset.hint;
    setText(box, said);
    note.hidden = !said;
    note.classList.toggle("wrong", name in errors);
    note.classList.toggle("warns", !(name in errors) && name in advice);
    const input = field(name);
    if (input instanceof HTMLElement) input.toggleAttribute("aria-invalid", false);
    if (input instanceof HTMLElement && name in errors) input.setAttribute("aria-invalid", "true");
  }
  if (Object.keys(errors).some((name) => place(`f-${name}`)?.closest("details"))) {
    form.querySelector("details").open = true;
  }
}

/** The settings that an option may be another one to. */
export const settings = () => Object.fromEntries(["deadband", "on_delay", "off_delay"].map((name) => [name, text(name)]));
