// Priority symbols for what arrives while the page is open; plant/drawing/symbols.py is the twin.

import { svg } from "../lib/dom.js";
import { gettext } from "../lib/words.js";
import { lookIn, lookOf, PRIORITIES, PRIORITY_WORDS } from "../state/alarms.js";

/** Each priority's shape on the 16 × 16 grid. */
export const SHAPES = {
  1: ["rect", { x: 1.3, y: 1.3, width: 13.4, height: 13.4, rx: 1.2 }],
  2: ["path", { d: "M8 .9 15.5 14.7H.5z" }],
  3: ["path", { d: "M8 15.1.5 1.3h15z" }],
  4: ["circle", { cx: 8, cy: 8, r: 6.9 }],
};
const DIGIT_Y = { 1: 11.4, 2: 13, 3: 9.9, 4: 11.4 };
const CLASSES = {
  unack: "unack",
  ack: "",
  returned: "hollow",
  shelved: "off",
  suppressed: "off dash",
  zero: "off",
  plain: "",
};
const WORDS = {
  unack: gettext("unacknowledged"),
  ack: gettext("acknowledged"),
  returned: gettext("cleared, unacknowledged"),
  shelved: gettext("shelved"),
  suppressed: gettext("suppressed"),
  zero: gettext("none"),
  plain: "",
};

/** A priority's symbol; look and size as in plant/drawing/symbols.py. */
export function prioritySymbol(priority, look = "plain", size = "") {
  const [name, shape] = SHAPES[priority];
  const digit = svg("text", { x: 8, y: DIGIT_Y[priority] });
  digit.textContent = String(priority);
  const symbol = svg(
    "svg",
    {
      class: ["pr", `p${priority}`, CLASSES[look], size].filter(Boolean).join(" "),
      viewBox: "0 0 16 16",
      role: "img",
      "aria-label": [PRIORITY_WORDS[priority], WORDS[look]].filter(Boolean).join(", "),
    },
    svg(name, { class: "sh", ...shape }),
    digit,
  );
  inPhase(symbol);
  return symbol;
}

/** An alarm's symbol as it stands now. */
export const alarmSymbol = (alarm, size = "") => prioritySymbol(alarm.priority, lookOf(alarm), size);

/** Lets an element look as its worst alarm does; null: none stands. */
export function markPriority(element, priority) {
  for (const one of PRIORITIES) element.classList.toggle(`p${one}`, one === priority);
  element.classList.toggle("al", priority !== null);
}

/** Draws a tally as symbols with numbers into `place`; only what differs is drawn anew. */
export function drawCounts(place, counted, { zeros = false, size = "", most = 4 } = {}) {
  const shown = PRIORITIES.filter((priority) => zeros || counted[priority].active).slice(0, most);
  const want = shown
    .map((priority) => `${priority}:${lookIn(counted, priority)}:${counted[priority].active}`)
    .join(" ");
  if (place.dataset.drawn === want) return;
  place.dataset.drawn = want;
  place.replaceChildren(
    ...shown.map((priority) => {
      const { active } = counted[priority];
      const part = document.createElement("span");
      part.className = active ? "pcount" : "pcount zero";
      part.dataset.priority = priority;
      const number = document.createElement("span");
      number.textContent = String(active);
      part.append(prioritySymbol(priority, lookIn(counted, priority), size), number);
      return part;
    }),
  );
}

const FEW = 8; // beyond that the whole page is looked through once
let roots = new Set(); // where symbols have just come

/** All flashing symbols of the page share one phase. */
export function inPhase(root = document.documentElement) {
  if (!roots.size) requestAnimationFrame(align);
  roots.add(root);
}

function align() {
  const found = roots.size > FEW ? [document.documentElement] : [...roots];
  roots = new Set();
  for (const root of found) {
    for (const animation of root.getAnimations({ subtree: true })) {
      if (animation.animationName?.startsWith("flash") && animation.startTime !== 0) animation.startTime = 0;
    }
  }
}
