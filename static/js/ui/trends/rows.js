// The same in numbers: at most a hundred rows a pen, newest first.

import { make } from "../../lib/dom.js";
import { gettext } from "../../lib/words.js";
import { written } from "./board.js";
import { moment } from "./words.js";

const MOST = 100;

export function drawRows(place, { pens, lines, from, until }) {
  place.replaceChildren(
    ...pens.map((pen) => {
      const { times = [], values = [] } = lines.get(pen.tag) ?? {};
      const known = times.flatMap((at, index) =>
        at < from || at > until || Number.isNaN(values[index]) ? [] : [[at, values[index]]],
      );
      const step = Math.max(1, Math.ceil(known.length / MOST));
      const head = make(
        "tr",
        {},
        make("th", { class: "num", scope: "col" }, gettext("Time")),
        make("th", { class: "num", scope: "col" }, pen.unit || gettext("Value")),
      );
      const row = ([at, value]) =>
        make(
          "tr",
          {},
          make("td", { class: "num" }, moment(at, until - from)),
          make("td", { class: "num" }, written(pen, value)),
        );
      const shown = known.filter((_, at) => at % step === 0).reverse();
      const caption = make("caption", {}, pen.name);
      return make("table", { class: "tbl" }, caption, make("thead", {}, head), make("tbody", {}, ...shown.map(row)));
    }),
  );
}
