// The map's list: what is on the map, by name, to be searched and read without seeing it.

import { setAttribute, setText } from "../../lib/dom.js";
import { fill, gettext, ngettext } from "../../lib/words.js";
import { tally } from "../../state/alarms.js";
import { drawCounts } from "../symbols.js";

const LISTED = 50; // rows at once

/** Takes the list's panel, the spots by name, and what gives a spot's alarms. Gives { paint, only }. */
export function startList(panel, spots, alarmsOf) {
  const field = panel.querySelector("input");
  const list = panel.querySelector("ul");
  const count = panel.querySelector("[data-count]");
  const note = panel.querySelector("[data-note]");
  const pattern = panel.querySelector("template").content.firstElementChild;
  const rows = new Map([...list.children].map((row) => [row.dataset.code, row]));
  const byCode = new Map(spots.map((spot) => [spot.code, spot]));
  let among = null; // the members of a group that somebody opened

  // The pages that the server makes are for those without this script.
  panel.querySelector("[data-pages]")?.remove();

  function rowOf(spot) {
    const known = rows.get(spot.code);
    if (known) return known;
    const row = pattern.cloneNode(true);
    row.dataset.code = spot.code;
    const link = row.querySelector("a");
    link.setAttribute("href", spot.url);
    setText(link.querySelector("b"), spot.name);
    setText(link.querySelector(".muted"), spot.code);
    if (!spot.cell) link.querySelector(".hexg").remove();
    const button = row.querySelector("button");
    button.setAttribute("aria-label", fill(gettext("Show %(code)s on the map"), { code: spot.code }));
    rows.set(spot.code, row);
    return row;
  }

  function paint(spot) {
    const row = rows.get(spot.code);
    if (!row?.isConnected) return;
    const icon = row.querySelector(".hexg");
    if (icon) {
      setAttribute(icon, "class", `hexg ${spot.kind}${spot.stale ? " stale" : ""}`);
      setAttribute(icon.querySelector("use"), "href", `#m-${spot.kind}`);
    }
    const words = [spot.cell ? spot.word : null];
    if (spot.lost) words.push(fill(gettext("position %(age)s old"), { age: spot.lost }));
    else if (spot.x === null) words.push(gettext("no position"));
    const said = row.querySelector("[data-word]");
    setText(said, words.filter(Boolean).join(", "));
    said.classList.toggle("stale", Boolean(spot.cell) && spot.stale);
    drawCounts(row.querySelector("[data-counts]"), tally(alarmsOf(spot)), { size: "sm" });
    setAttribute(row.querySelector("button"), "aria-disabled", String(spot.x === null));
  }

  function find() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = ({ code, name, place }) => {
      const whole = `${code} ${name} ${place}`.toLowerCase();
      return words.every((word) => whole.includes(word));
    };
    const found = (among ?? spots).filter(matches);
    const listed = found.slice(0, LISTED);
    list.replaceChildren(...listed.map(rowOf));
    for (const spot of listed) paint(spot);
    setText(count, fill(ngettext("%(n)s asset", "%(n)s assets", found.length), { n: found.length }));
    const rest = found.length - listed.length;
    note.hidden = found.length > 0 && rest <= 0 && !among;
    if (!found.length) setText(note, gettext("Nothing on the map is called so."));
    else if (rest > 0) setText(note, fill(gettext("%(n)s more. Type to narrow the list."), { n: rest }));
    else if (among) setText(note, gettext("They stand at one place. Type to see others."));
  }

  field.addEventListener("input", () => {
    among = null;
    find();
  });
  field.form.addEventListener("submit", (event) => event.preventDefault());

  return {
    paint,
    /** Paints the rows that are listed. */
    paintAll() {
      for (const row of list.children) {
        const spot = byCode.get(row.dataset.code);
        if (spot) paint(spot);
      }
    },
    find,
    /** Lists these alone, until somebody searches. */
    only(items) {
      among = items;
      field.value = "";
      find();
      list.querySelector("a")?.focus();
    },
  };
}
