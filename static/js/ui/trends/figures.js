// The shown range in figures, a row a pen; beside them what each pen read at the cursor.

import { make, setText } from "../../lib/dom.js";
import { fill, gettext } from "../../lib/words.js";
import { newestOf, readingAt } from "../../state/line.js";
import { NO_VALUE, number } from "../../state/writing.js";
import { written } from "./board.js";
import { penClass } from "./cursor.js";
import { clock, lasting } from "./words.js";

const LONG = 100_000; // s: more than a day, which is the longest to write

export class Figures {
  constructor(table, url, { onTakeOut }) {
    Object.assign(this, { table, url, body: table.tBodies[0], control: null });
    const head = document.getElementById("at-cursor");
    head.dataset.widest = fill(gettext("At cursor %(clock)s"), { clock: clock(0) });
    table.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) onTakeOut(button.closest("tr").dataset.tag);
    });
  }

  head(compared) {
    const then = document.getElementById("then");
    then.hidden = !compared;
    setText(then, compared);
    for (const cell of this.table.querySelectorAll("td[data-of=then]")) cell.hidden = !compared;
  }

  rows(pens) {
    const cell = (of, kind, most) => make("td", { class: kind, "data-of": of, "data-widest": most });
    this.body.replaceChildren(
      ...pens.map((pen) => {
        const out = fill(gettext("Take %(tag)s out"), { tag: pen.tag });
        const close = make("button", { type: "button", class: "btn icon quiet", "aria-label": out, title: out }, "×");
        const name = make("span", { class: "row" }, make("i", { class: penClass(pen) }), make("b", {}, pen.tag));
        return make(
          "tr",
          { "data-tag": pen.tag },
          make("td", { class: "nowrap" }, name),
          make("td", { class: "muted y" }, make("a", { href: pen.url }, [pen.name, pen.machine].join(", "))),
          cell("at", "num b", `${widest(pen)} ${pen.unit}`),
          cell("low", "num", widest(pen)),
          cell("mean", "num", widest(pen)),
          cell("high", "num", widest(pen)),
          cell("deviation", "num muted x", widest(pen)),
          make("td", { class: "num muted y", "data-of": "then", hidden: document.getElementById("then").hidden }),
          cell("outside", "num y", lasting(LONG)),
          cell("known", "num muted x", `${number(99.9, 1)} %`),
          make("td", { class: "num" }, close),
        );
      }),
    );
  }

  put(tag, of, words, unit = "", why = "", look = "") {
    const cell = this.body.querySelector(`tr[data-tag="${CSS.escape(tag)}"] [data-of=${of}]`);
    if (!cell) return;
    const drawn = `${words} ${unit} ${look}`;
    if (cell.dataset.words !== drawn) {
      cell.dataset.words = drawn;
      // A column that had to grow does not shrink again.
      const said = `${words} ${unit}`.trim();
      if (said.length > (cell.dataset.widest ?? "").length) cell.dataset.widest = said;
      const shown = [words, ...(unit ? [make("span", { class: "u" }, unit)] : [])];
      if (look.includes("stale")) shown.push(make("span", { class: "vh" }, `, ${gettext("stale")}`));
      cell.replaceChildren(...(look ? [make("span", { class: look }, ...shown)] : shown));
    }
    cell.title = why;
  }

  /** What each pen read at an instant; without one, the newest of the view, which looks old where it is. */
  drawAt(at, { pens, lines, until, isOld }) {
    const words = at === null ? gettext("Last") : fill(gettext("At cursor %(clock)s"), { clock: clock(at) });
    setText(document.getElementById("at-cursor"), words);
    for (const pen of pens) {
      const line = lines.get(pen.tag);
      const read = line && (at === null ? newestOf(line, until) : readingAt(line, at));
      const old = Boolean(read) && at === null && isOld(pen);
      // What was read then stays true; what is read last is a value as any other, which looks old when it is.
      const look = at !== null ? "was" : old ? "val stale" : "val";
      const why = old ? gettext("stale") : line && !read ? gettext("no data then") : "";
      this.put(pen.tag, "at", written(pen, read?.[1]), pen.unit, why, look);
    }
  }

  /** Reads the figures of a view, and the means of the period it is compared with. */
  async read(pens, { from, until }, back) {
    this.control?.abort();
    if (!pens.length) return;
    const control = (this.control = new AbortController());
    const [items, then] = await Promise.all([
      this.ask(pens, from, until, control),
      back ? this.ask(pens, from - back, until - back, control) : null,
    ]);
    if (control.signal.aborted || !items) return;
    for (const [place, found] of items.entries()) {
      this.draw(pens[place], found, until - from);
      if (then) this.put(pens[place].tag, "then", meanOf(pens[place], then[place]), "", gettext("mean of that time"));
    }
  }

  async ask(pens, from, until, control) {
    const query = new URLSearchParams(pens.map((pen) => ["sensor", pen.tag]));
    query.set("start", new Date(from * 1000).toISOString());
    query.set("end", new Date(until * 1000).toISOString());
    try {
      const options = { credentials: "same-origin", signal: control.signal, priority: "low" };
      const answer = await fetch(`${this.url}?${query}`, options);
      return answer.ok ? (await answer.json()).items : null;
    } catch {
      return null;
    }
  }

  draw(pen, found, span) {
    const { tag, decimals } = pen;
    if (found.readings === null) {
      const why = gettext("Too many readings for figures. Zoom in.");
      for (const of of ["low", "mean", "high", "deviation", "outside", "known"]) this.put(tag, of, NO_VALUE, "", why);
      return;
    }
    const spoken = Object.keys(pen.labels).length > 0;
    this.put(tag, "low", spoken ? NO_VALUE : written(pen, found.low));
    this.put(tag, "high", spoken ? NO_VALUE : written(pen, found.high));
    this.put(tag, "mean", meanOf(pen, found), "", spoken ? "" : gettext("mean over time"));
    this.put(tag, "deviation", spoken ? NO_VALUE : number(found.deviation, decimals + 1));
    const outside = found.outside === null ? NO_VALUE : lasting(found.outside);
    this.put(tag, "outside", outside, "", found.outside === null ? gettext("The sensor has no normal range.") : "");
    const share = Math.min(100, (100 * found.known) / span);
    this.put(tag, "known", number(share, share > 99.95 || share < 0.05 ? 0 : 1), "%");
  }
}

/** The longest of what a pen may read, which its columns keep room for. */
function widest(pen) {
  const said = Object.values(pen.labels);
  const ends = (pen.range ?? []).filter((end) => end !== null);
  const all = said.length ? said.map(String) : ends.map((end) => number(end, pen.decimals));
  return all.reduce((longest, one) => (one.length > longest.length ? one : longest), "");
}

function meanOf(pen, found) {
  return found.readings === null || Object.keys(pen.labels).length ? NO_VALUE : number(found.mean, pen.decimals);
}
