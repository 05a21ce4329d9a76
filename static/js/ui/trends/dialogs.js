// The explorer's two dialogs: which time is shown, and which other one it is compared with.

import { gettext } from "../../lib/words.js";
import { fromField } from "../../state/zone.js";
import { setWhen } from "../when.js";

const { zone } = document.body.dataset;
const byId = (id) => document.getElementById(id);
const dialogField = (id) => byId(id).value;

function problem(id, words) {
  const line = byId(id).querySelector(".problem");
  line.hidden = !words;
  line.textContent = words;
}

/** Takes the explorer's state, its view(), how far back() it is compared, now() and show(span, end). Gives what its buttons do. */
export function dialogs({ state, view, back, now, show }) {
  function askWhen() {
    const { from, until: end } = view();
    setWhen(byId("range-from"), from, zone);
    // Whole seconds, and the present never rounded up: a range that ends later than now would follow the present.
    setWhen(byId("range-to"), state.end ?? Math.floor(end), zone);
    problem("range-dialog", "");
    byId("range-dialog").showModal();
  }

  function showWhen() {
    const [from, to] = ["range-from", "range-to"].map((id) => fromField(dialogField(id), zone));
    if (from === null || to === null || to <= from || from >= now()) {
      return problem("range-dialog", gettext("A range begins in the past and ends after it begins."));
    }
    byId("range-dialog").close();
    return show(Math.min(to, now()) - from, to);
  }

  function askCompare() {
    const { from } = view();
    const chosen = typeof state.compare === "number" ? "picked" : (state.compare ?? "previous");
    byId("compare-dialog").querySelector(`[value=${chosen}]`).checked = true;
    setWhen(byId("compare-from"), from - (back() || state.span), zone);
    problem("compare-dialog", "");
    byId("compare-dialog").showModal();
  }

  function compare() {
    const chosen = byId("compare-dialog").querySelector("[name=compare]:checked").value;
    if (chosen === "picked") {
      const begin = fromField(dialogField("compare-from"), zone);
      const seconds = begin === null ? 0 : Math.round(view().from - begin);
      if (seconds <= 0) return problem("compare-dialog", gettext("The compared period begins before the shown one."));
      state.compare = seconds;
    } else state.compare = chosen;
    byId("compare-dialog").close();
    return show(state.span, state.end);
  }

  return {
    "trend-when": askWhen,
    "trend-when-go": showWhen,
    "trend-compare": askCompare,
    "trend-compare-go": compare,
    "trend-compare-none": () => {
      state.compare = null;
      byId("compare-dialog").close();
      show(state.span, state.end);
    },
  };
}
