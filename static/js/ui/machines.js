// The machines of a page follow the live picture: each is drawn when what it says changes, and once a second as it ages.

import { painter } from "../lib/painter.js";
import { gettext } from "../lib/words.js";
import { group } from "../state/alarms.js";
import { readAnew } from "../state/freshness.js";
import { isLost, on, plant } from "./live.js";

export const KINDS = ["running", "idle", "stopped", "fault", "reporting", "offline"];
export const KIND_WORDS = {
  running: gettext("running"),
  idle: gettext("idle"),
  stopped: gettext("stopped"),
  fault: gettext("fault"),
  reporting: gettext("reporting"),
  offline: gettext("offline"),
};

/** How many of the cells there are of each kind. */
export function countKinds(cells) {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  for (const cell of cells) counts[cell.kind] += 1;
  return counts;
}

/**
 * Takes the cells, as readCell in honeycomb.js gives them, and draw(cell). Gives { cellOf, alarmsOf(cell),
 * start({ anew, alarms, second }) }: `anew()` is called after a snapshot, and after whatever may change any machine;
 * `alarms()` after an alarm; `second()` once a second.
 */
export function follow(cells, draw) {
  const cellOf = new Map(cells.flatMap((cell) => cell.codes.map((code) => [code, cell])));
  const paint = painter(draw);
  let alarms = new Map();

  function sortAlarms() {
    alarms = group(plant.alarms.values(), (alarm) => cellOf.get(alarm.asset));
  }

  function takeFreshness(codes) {
    if (!plant.complete) return; // what was heard before the picture is in it
    for (const code of codes) {
      const cell = cellOf.get(code);
      if (!cell) continue;
      const first = cell.newest === null;
      cell.newest = Math.max(cell.newest ?? 0, plant.machines.get(code));
      if (first || cell.kind === "offline" || cell.stale) paint(cell);
    }
  }

  function takeValues(tags) {
    if (!plant.complete) return;
    for (const tag of tags) {
      const cell = cellOf.get(tag.slice(0, tag.indexOf("/")));
      if (!cell) continue;
      const { time } = plant.values.get(tag);
      const first = cell.newest === null;
      if (first || time > cell.newest) cell.newest = time;
      // Of a machine's values only its state changes its look.
      if (first || tag === cell.stateTag || cell.kind === "offline" || cell.stale) paint(cell);
    }
  }

  return {
    cellOf,
    alarmsOf: (cell) => alarms.get(cell) ?? [],
    start({ anew, alarms: drawAlarms, second }) {
      on("snapshot", () => {
        readAnew(cells, (code) => cellOf.get(code), plant.values, plant.machines);
        sortAlarms();
        cells.forEach(paint);
        drawAlarms();
        anew();
      });
      on("values", takeValues);
      on("freshness", takeFreshness);
      on("alarm", ({ alarm, before, gone }) => {
        sortAlarms();
        // What is not heard any more, or heard again, may be any machine.
        if (alarm.silent || before?.silent) {
          cells.forEach(paint);
          anew();
        }
        for (const code of new Set([alarm.asset, ...gone.map((other) => other.asset)])) {
          const cell = cellOf.get(code);
          if (cell) draw(cell);
        }
        drawAlarms();
      });
      setInterval(() => {
        if (!plant.complete || isLost()) return;
        cells.forEach(paint);
        second();
      }, 1000);
    },
  };
}
