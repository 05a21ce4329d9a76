// The rule editor: the sentence follows the fields, the backtest follows both, limits are dragged in the history.

import { onAct, onKeys } from "../../lib/dispatch.js";
import { gettext } from "../../lib/words.js";
import { drawLimits, makeGrips, showDays, startChart, trend } from "./chart.js";
import { drawFields, drawNotes, field, form, place, settings, sign, text } from "./fields.js";
import { backtest, options, showPeriod } from "./trial.js";

function changed({ target }) {
  if (target.name === "reason") return;
  place("unsaved").hidden = false;
  options.kept = false;
  press(null);
  drawFields();
  drawLimits();
  if (target.name === "kind") makeGrips();
  backtest.changed();
}

function toField(name) {
  const input = place(`f-${name}`);
  input.closest("details")?.setAttribute("open", "");
  const goal = name === "priority" ? form.querySelector("[name=priority]:checked") : input;
  goal.focus();
  goal.select?.();
}

function press(chosen) {
  for (const option of document.querySelectorAll(".opt")) {
    option.setAttribute("aria-pressed", String(option === chosen));
  }
}

/** Takes the settings of an option; the others stay, so that one may go from one to the next and back. */
function takeOption(option, change) {
  for (const [name, value] of Object.entries(change)) field(name).value = String(value).replace(".", sign);
  place("unsaved").hidden = false;
  options.kept = true;
  press(option);
  drawFields();
  drawLimits();
  backtest.now().catch(() => {});
}

export function start() {
  document.documentElement.classList.add("scripted");
  drawFields();
  showPeriod();
  options.asWritten = settings();
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    const what = event.submitter?.value;
    if (event.submitter?.name === "do" && what !== "trial") return;
    event.preventDefault();
    backtest.now().catch(() => {});
  });
  onAct({
    "to-field": (element) => toField(element.dataset.to),
    "rule-run": () => backtest.now().catch(() => {}),
    "rule-period": (element) => {
      showDays(Number(element.dataset.days));
      showPeriod();
    },
    "rule-machine": (element) => {
      field("machine").value = element.value;
      backtest.now().catch(() => {});
    },
    "rule-take": (element) => takeOption(element, { ...options.asWritten, ...JSON.parse(element.value) }),
    "rule-as-written": (element) => takeOption(element, options.asWritten),
    "rule-save": (element) => {
      if (text("reason")) return form.requestSubmit(element);
      const errors = { reason: gettext("Write why, then save: it is kept with the old values and your name.") };
      drawNotes(errors, {});
      field("reason").focus();
      return undefined;
    },
  });
  onKeys({ r: "rule-run" });
  // What is under way when one leaves has nowhere to be shown; who comes back to the page as it was has it tried anew.
  addEventListener("pagehide", backtest.stop);
  addEventListener("pageshow", (event) => event.persisted && backtest.now().catch(() => {}));
  startChart();
  if (!trend) backtest.now().catch(() => {});
}
