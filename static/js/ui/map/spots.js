// The assets on the map: each a hexagon with its state and a badge with its worst alarm; those too close stand together.

import { make, setAttribute, setClass, setText, svg } from "../../lib/dom.js";
import { fill, gettext, ngettext } from "../../lib/words.js";
import { lookIn, tally, worst } from "../../state/alarms.js";
import { around, CLOSEST, CLUSTER, clusters, stepOf } from "../../state/map.js";
import { age } from "../../state/writing.js";
import { ALARM_WORDS } from "../alarmwords.js";
import { drawLasting } from "../lasting.js";
import { now } from "../live.js";
import { alarmSymbol, inPhase, prioritySymbol } from "../symbols.js";

const BEYOND = 40; // px outside the frame in which symbols are drawn as well
const LETTER = 6.6; // px, about, of a code
const MOST_NAMED = 150; // symbols in view; of more, none is named
const TIP_AFTER = 150; // ms
const LISTED_IN_TIP = 6;

const corners = (radius) =>
  Array.from({ length: 6 }, (_, corner) => {
    const angle = ((60 * corner - 90) * Math.PI) / 180;
    return `${(radius * Math.cos(angle)).toFixed(1)},${(radius * Math.sin(angle)).toFixed(1)}`;
  }).join(" ");
const HEXAGON = corners(10);
const WIDE_HEXAGON = corners(14);

/** What a screen reader says of some alarms: "critical alarm, unacknowledged"; nothing when there are none. */
function saying(counted) {
  if (!counted.worst) return [];
  const said = [ALARM_WORDS[counted.worst]];
  if (counted[counted.worst].unacked) said.push(gettext("unacknowledged"));
  return said;
}

/** The classes that an alarm adds. */
function alarmClasses(counted) {
  if (!counted.worst) return [];
  return ["al", `p${counted.worst}`, ...(lookIn(counted, counted.worst) === "unack" ? ["un"] : [])];
}

/** Draws the worst priority with its digit, and with `count` how many alarms there are, at the upper right. */
function drawBadge(badge, counted, count) {
  const look = counted.worst ? lookIn(counted, counted.worst) : "";
  const want = counted.worst ? `${counted.worst} ${look} ${count ? counted.total : ""}` : "";
  if (badge.dataset.drawn === want) return;
  badge.dataset.drawn = want;
  badge.replaceChildren();
  if (!counted.worst) return;
  const symbol = prioritySymbol(counted.worst, look);
  for (const [name, value] of Object.entries({ x: 4, y: -20, width: 16, height: 16, "aria-hidden": "true" }))
    symbol.setAttribute(name, value);
  symbol.removeAttribute("role");
  badge.append(symbol);
  if (count && counted.total > 1) {
    const number = svg("text", { class: "sum", x: 23, y: -8 });
    number.textContent = String(counted.total);
    badge.append(number);
  }
  inPhase(badge);
}

/**
 * Takes the group to draw into, the frame, the spots with x and y in metres (null where nobody knows), what gives a
 * spot's alarms, and what opens a group of them. Gives { draw, paint, paintAll, light, around }.
 */
export function startSpots(group, frame, spots, alarmsOf, open) {
  const fixed = spots.filter((spot) => spot.cell && !spot.moves);
  const loose = spots.filter((spot) => !spot.cell || spot.moves);
  let step = null;
  let groups = [];
  let shown = new Map(); // key → { key, node, items, x, y, ... }
  let partOf = new Map(); // spot → what stands for it in view
  let lit = null;

  function regroup() {
    const placed = fixed.filter((spot) => spot.x !== null);
    groups = clusters(placed, step).map(({ x, y, items }) => ({
      key: items.length > 1 ? `${items[0].code} ${items.length} ${step}` : items[0].code,
      x,
      y,
      items,
    }));
  }

  // --- Drawing -----------------------------------------------------------------------------------------------------

  function makeNode({ key, items }) {
    if (items.length > 1) return makeCluster(key, items);
    const [spot] = items;
    const node = svg(
      "a",
      { href: spot.url, tabindex: -1, "data-code": spot.code },
      svg("circle", { class: "hit", r: 15 }),
    );
    if (spot.cell) {
      if (spot.moves) node.append(svg("circle", { class: "mover", r: 14 }));
      node.append(svg("polygon", { class: "hex", points: HEXAGON }), svg("use", { class: "mk" }));
    }
    node.append(svg("g", { class: "badge" }), svg("text", { class: "code", y: spot.cell ? 23 : 4 }));
    return node;
  }

  /** The symbol stands beside the button, whose name says in words what the symbol's digit does. */
  function makeCluster(key, items) {
    const node = svg(
      "g",
      { "data-group": key },
      svg(
        "g",
        { role: "button" },
        svg("circle", { class: "hit", r: 19 }),
        svg("polygon", { class: "hex", points: WIDE_HEXAGON }),
        svg("text", { class: "count", y: 4 }),
      ),
      svg("g", { class: "badge", transform: "translate(3 -2)", "aria-hidden": "true" }),
    );
    node.addEventListener("click", () => open(items));
    return node;
  }

  function paintPart(part) {
    if (part.items.length > 1) return paintCluster(part);
    const { node, items } = part;
    const [spot] = items;
    const counted = tally(alarmsOf(spot));
    const names = ["spot", ...(spot.cell ? ["hexg", spot.kind] : ["place"]), ...alarmClasses(counted)];
    if (spot.stale) names.push("stale");
    if (spot.lost) names.push("lost");
    if (spot === lit) names.push("lit");
    if (part.named) names.push("named");
    setClass(node, names.join(" "));
    if (spot.cell) setAttribute(node.querySelector(".mk"), "href", `#m-${spot.kind}`);
    drawBadge(node.querySelector(".badge"), counted, false);
    setText(node.querySelector(".code"), spot.cell ? labelOf(spot) : spot.name);
    const state = spot.cell ? [spot.word] : [];
    const old = spot.stale && !counted.worst ? [gettext("data is old")] : [];
    const where = spot.lost ? [fill(gettext("position %(age)s old"), { age: spot.lost })] : [];
    setAttribute(node, "aria-label", [spot.code, ...state, ...saying(counted), ...old, ...where].join(", "));
    return undefined;
  }

  const labelOf = (spot) => (spot.lost ? `${spot.code}, ${spot.lost}` : spot.code);

  function paintCluster({ node, items }) {
    const counted = tally(items.flatMap(alarmsOf));
    const off = items.filter((spot) => spot.kind === "offline").length;
    const names = ["spot", "cluster", "hexg", ...alarmClasses(counted)];
    if (off === items.length) names.push("offline");
    else if (items.some((spot) => spot.stale)) names.push("aged");
    if (items.includes(lit)) names.push("lit");
    setClass(node, names.join(" "));
    setText(node.querySelector(".count"), String(items.length));
    drawBadge(node.querySelector(".badge"), counted, true);
    const said = [
      fill(ngettext("%(n)s machine", "%(n)s machines", items.length), { n: items.length }),
      ...(off ? [fill(gettext("%(n)s offline"), { n: off })] : []),
      ...(counted.total ? [fill(ngettext("%(n)s alarm", "%(n)s alarms", counted.total), { n: counted.total })] : []),
      ...saying(counted),
    ];
    setAttribute(node.firstChild, "aria-label", said.join(", "));
  }

  /** Names what there is room for: what moves and what has an alarm first. Gives the room that is taken. */
  function nameParts(parts, scale) {
    const boxes = [];
    const named = new Set();
    const first = (part) => (part.items[0].moves ? 0 : alarmsOf(part.items[0]).length ? 1 : part.items[0].cell ? 2 : 3);
    const singles = parts.filter(({ items }) => items.length === 1).sort((a, b) => first(a) - first(b));
    const crowded = parts.length > MOST_NAMED;
    for (const part of parts) {
      const [x, y] = [part.x * scale, part.y * scale];
      if (part.items[0].cell) boxes.push([x - 13, y - 13, x + 13, y + 13, part]);
    }
    for (const part of singles) {
      const [spot] = part.items;
      if (crowded && !spot.moves && spot.cell) continue;
      const half = (((spot.cell ? labelOf(spot) : spot.name).length + 1) * LETTER) / 2;
      const [x, y] = [part.x * scale, part.y * scale + (spot.cell ? 19 : 0)];
      const box = [x - half, y - 7, x + half, y + 7, part];
      const free = boxes.every(
        (other) => other[4] === part || other[2] < box[0] || other[0] > box[2] || other[3] < box[1] || other[1] > box[3],
      );
      if (!free) continue;
      boxes.push(box);
      named.add(part);
    }
    for (const part of parts) {
      part.named = named.has(part);
      part.node.classList.toggle("named", part.named);
    }
    return boxes;
  }

  /** Draws what is in view. Gives the room that it takes, as [left, top, right, bottom] in px of the ground. */
  function draw(view, width, height) {
    const wanted = stepOf(view.scale);
    if (wanted !== step) {
      step = wanted;
      regroup();
    }
    group.setAttribute(
      "transform",
      `translate(${(width / 2 - view.x * view.scale).toFixed(1)} ${(height / 2 - view.y * view.scale).toFixed(1)})`,
    );
    const far = [width / 2 + BEYOND, height / 2 + BEYOND];
    const seen = ({ x, y }) =>
      x !== null && Math.abs(x - view.x) * view.scale < far[0] && Math.abs(y - view.y) * view.scale < far[1];
    const single = loose.filter(seen).map((spot) => ({ key: spot.code, x: spot.x, y: spot.y, items: [spot] }));
    const next = new Map();
    for (const part of [...groups.filter(seen), ...single]) {
      const known = shown.get(part.key);
      const node = known?.node ?? makeNode(part);
      next.set(part.key, { ...part, node });
      node.setAttribute(
        "transform",
        `translate(${(part.x * view.scale).toFixed(1)} ${(part.y * view.scale).toFixed(1)})`,
      );
      if (!known) {
        group.append(node);
        paintPart(next.get(part.key));
      }
    }
    for (const [key, { node }] of shown) if (!next.has(key)) node.remove();
    shown = next;
    partOf = new Map([...shown.values()].flatMap((part) => part.items.map((spot) => [spot, part])));
    return nameParts([...shown.values()], view.scale);
  }

  // --- Tip ---------------------------------------------------------------------------------------------------------

  let tip = null;
  let timer = null;

  function hide() {
    clearTimeout(timer);
    tip?.remove();
    tip = null;
  }

  function tipOf(part) {
    const row = (...parts) => make("div", { class: "r" }, ...parts);
    const quiet = (text) => make("span", { class: "muted" }, text);
    const alarms = part.items.flatMap(alarmsOf);
    const rows = part.items.slice(0, part.items.length > 1 ? LISTED_IN_TIP : 1).flatMap((spot) => {
      const first = row(make("b", {}, spot.code), quiet(spot.name));
      const parts = [spot.cell ? spot.word : null];
      if (spot.lost) parts.push(fill(gettext("position %(age)s old"), { age: spot.lost }));
      else if (spot.newest && (spot.stale || spot.kind === "offline"))
        parts.push(fill(gettext("last reading %(age)s ago"), { age: age((now() - spot.newest) / 1000) }));
      const said = parts.filter(Boolean).join(", ");
      if (part.items.length > 1) {
        if (said) first.append(make("span", { class: "end muted" }, said));
        return [first];
      }
      return said ? [first, row(quiet(said))] : [first];
    });
    const more = part.items.length - LISTED_IN_TIP;
    if (part.items.length > 1 && more > 0) rows.push(row(quiet(fill(gettext("and %(n)s more"), { n: more }))));
    for (const alarm of worst(alarms, 2)) {
      const lasting = make("span", { class: "end muted" });
      drawLasting(lasting, alarm);
      const asset = part.items.length > 1 ? `${alarm.asset}: ` : "";
      rows.push(row(alarmSymbol(alarm), make("span", {}, asset + alarm.message), lasting));
    }
    return make("div", { class: "tip" }, ...rows);
  }

  function show(node) {
    hide();
    const part = shown.get(node.dataset.group ?? node.dataset.code);
    if (!part) return;
    tip = tipOf(part);
    document.body.append(tip);
    const at = node.querySelector(".hit").getBoundingClientRect();
    const below = at.bottom + tip.offsetHeight + 8 <= innerHeight;
    tip.style.left = `${Math.max(8, Math.min(innerWidth - tip.offsetWidth - 8, at.left + at.width / 2 + 6))}px`;
    tip.style.top = `${below ? at.bottom + 4 : at.top - tip.offsetHeight - 4}px`;
  }

  group.addEventListener("pointerover", (event) => {
    const node = event.target.closest(".spot");
    hide();
    if (node && event.pointerType !== "touch") timer = setTimeout(() => show(node), TIP_AFTER);
  });
  group.addEventListener("pointerout", hide);
  frame.addEventListener("pointerdown", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  return {
    draw,
    /** Paints one spot, or what stands for it, if it is in view. */
    paint(spot) {
      const part = partOf.get(spot);
      if (part) paintPart(part);
    },
    /** Paints everything in view. */
    paintAll() {
      for (const part of shown.values()) paintPart(part);
    },
    /** Marks one spot, or none: what the list points at. */
    light(spot) {
      const before = lit;
      lit = spot;
      for (const one of [before, spot]) if (one) this.paint(one);
    },
    /** How near one must come to see a spot by itself. */
    alone(spot) {
      const others = fixed.filter((other) => other !== spot && other.x !== null);
      const nearest = Math.min(...others.map(({ x, y }) => Math.hypot(x - spot.x, y - spot.y)));
      return Math.min(Math.max((1.5 * CLUSTER) / nearest, 1), CLOSEST);
    },
    /** The rectangle around some spots. */
    around: (items) => around(items.filter(({ x }) => x !== null).map(({ x, y }) => [x, y])),
  };
}
