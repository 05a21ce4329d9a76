// The backtest of the rule as it is written: asked for after each change, and shown piece by piece as it comes.

import { parsed } from "../../lib/asked.js";
import { csrfToken, setText } from "../../lib/dom.js";
import { settled } from "../../lib/settled.js";
import { fill, gettext } from "../../lib/words.js";
import { lineReader } from "../../state/lines.js";
import { say } from "../say.js";
import { days, drawBare, showTrend } from "./chart.js";
import { drawNotes, field, form, place, settings } from "./fields.js";

const AFTER = 400; // ms without a change
const SLOW = 1000; // ms after which it says that it runs

/** The settings that the options are other ones to, and whether those shown stay though the rule is tried anew. */
export const options = { asWritten: {}, kept: false };

function adopt(id, html) {
  place(id).replaceChildren(...parsed(html).body.childNodes);
}

export function showPeriod() {
  for (const box of document.querySelectorAll("[data-period]")) box.hidden = Number(box.dataset.period) !== days;
  for (const button of document.querySelectorAll("[data-act=rule-period]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.days) === days));
  }
}

function trouble(said) {
  setText(place("trouble"), said);
  place("trouble").hidden = !said;
}

let came = false; // a result, since the newest backtest began

/** Whether what is shown below is of a rule that is no longer the one that is written. */
function ofBefore(is) {
  place("outcome").classList.toggle("of-before", is);
}

function unlike(said) {
  const shown = place("figures") !== null;
  ofBefore(shown);
  const before = gettext("What is shown here is of the rule as it was tried before.");
  trouble(shown ? `${said} ${before}` : said);
}

function take(part) {
  if (part.advice) drawNotes({}, part.advice);
  if (part.trouble) came ? trouble(part.trouble) : unlike(part.trouble); // after a result, or in place of one
  if (part.progress !== undefined) place("progress").value = part.progress;
  if (part.result !== undefined) {
    came = true;
    ofBefore(false);
    adopt("result", part.result);
    adopt("details", part.details);
    if (!options.kept) place("options").replaceChildren();
    const { ranged, took } = place("figures").dataset;
    setText(place("backtest-head"), `${gettext("Backtest")}, ${ranged}`);
    setText(place("took"), took);
    field("machine").value = part.trend.code;
    showPeriod();
    showTrend(part.trend);
    const [whole] = [...document.querySelectorAll("[data-period='30']")];
    say(fill(gettext("Backtest: %(count)s alarms in 30 days"), { count: whole.querySelector(".n").textContent }));
  }
  if (part.options !== undefined && !options.kept) {
    adopt("options", part.options);
    options.asWritten = settings();
  }
}

async function run(signal) {
  came = false;
  trouble("");
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "trial");
  body.set("csrfmiddlewaretoken", csrfToken());
  body.set("seen", field("seen").value);
  let answer;
  try {
    answer = await fetch(location.href, {
      method: "POST",
      headers: { "X-Requested-With": "fetch" },
      body,
      credentials: "same-origin",
      signal,
    });
    if (answer.status === 422) {
      drawNotes((await answer.json()).errors, {});
      drawBare();
      unlike(gettext("The rule cannot be tried as it is written: see the marked fields."));
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const read = lineReader(take);
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      if (!signal.aborted) read(value);
    }
  } catch (error) {
    if (signal.aborted) return;
    unlike(gettext("The backtest failed. Run it again when the connection is back."));
    throw error;
  }
}

export const backtest = settled({
  wait: AFTER,
  slow: SLOW,
  work: run,
  onSlow: () => {
    place("progress").removeAttribute("value");
    place("running").hidden = false;
    place("result").classList.add("old");
  },
  onEnd: () => {
    place("running").hidden = true;
    place("result").classList.remove("old");
  },
});
