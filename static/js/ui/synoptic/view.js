// What part of a drawing is seen: nearer and further, pulled aside; what has the focus is in sight, badges can be read.

import { onAct, onKeys } from "../../lib/dispatch.js";
import { setAttribute } from "../../lib/dom.js";
import { inside, zoomed } from "../../state/synoptic.js";
import { parts, root, stage } from "./build.js";

const BADGE = { least: 14, most: 24, share: 1 / 60 }; // px, and of the drawing's width
const CORNERS = { "top-right": [1, 0], "top-left": [0, 0], "bottom-right": [1, 1], "bottom-left": [0, 1], center: [0.5, 0.5] };

const { x, y, width, height } = root.viewBox.baseVal;
export const whole = { x, y, width, height };
let view = whole;

export function look(next) {
  view = next;
  setAttribute(root, "viewBox", [view.x, view.y, view.width, view.height].map((part) => part.toFixed(2)).join(" "));
  const near = view.width < whole.width * 0.999;
  stage.classList.toggle("near", near);
  for (const button of document.querySelectorAll("[data-act=synoptic-fit], [data-act=synoptic-out]")) {
    setAttribute(button, "aria-disabled", String(!near));
  }
  placeBadges();
}

const middle = () => ({ x: view.x + view.width / 2, y: view.y + view.height / 2 });
const zoom = (factor, point = middle()) => look(zoomed(view, whole, factor, point));
const move = (right, down) => look(inside({ ...view, x: view.x + right * view.width, y: view.y + down * view.height }, whole));

function pointAt({ clientX, clientY }) {
  return new DOMPoint(clientX, clientY).matrixTransform(root.getScreenCTM().inverse());
}

/** One finger or the mouse moves what is near, two fingers zoom; a click stays a click. */
export function startPointers() {
  const down = new Map();
  let moved = 0;
  stage.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, event);
    moved = 0;
  });
  const up = (event) => down.delete(event.pointerId);
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) stage.addEventListener(name, up);
  stage.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const [from, to] = [pointAt(before), pointAt(event)];
    const others = [...down.values()].filter((one) => one.pointerId !== event.pointerId);
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    if (others.length === 1) {
      const fixed = pointAt(others[0]);
      zoom(Math.hypot(to.x - fixed.x, to.y - fixed.y) / Math.max(1e-6, Math.hypot(from.x - fixed.x, from.y - fixed.y)), fixed);
    } else if (moved > 4) look(inside({ ...view, x: view.x + from.x - to.x, y: view.y + from.y - to.y }, whole));
    down.set(event.pointerId, event);
  });
  stage.addEventListener("click", (event) => event.detail && moved > 4 && event.preventDefault(), true);
  stage.addEventListener("dragstart", (event) => event.preventDefault());
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), pointAt(event));
  }, { passive: false });
}

export function startKeys() {
  onAct({ "synoptic-in": () => zoom(1.5), "synoptic-out": () => zoom(1 / 1.5), "synoptic-fit": () => look(whole) });
  onKeys({ "+": "synoptic-in", "-": "synoptic-out", "0": "synoptic-fit" });
  const steps = { ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2] };
  stage.addEventListener("keydown", (event) => {
    if (!steps[event.key] || view.width >= whole.width * 0.999) return;
    event.preventDefault();
    move(...steps[event.key]);
  });
  // What has the focus is in sight.
  stage.addEventListener("focusin", ({ target }) => {
    if (target === stage || view.width >= whole.width * 0.999) return;
    const [seen, box] = [stage.getBoundingClientRect(), target.getBoundingClientRect()];
    if (box.left < seen.left || box.right > seen.right || box.top < seen.top || box.bottom > seen.bottom) {
      const at = pointAt({ clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 });
      look(inside({ ...view, x: at.x - view.width / 2, y: at.y - view.height / 2 }, whole));
    }
  });
}

/** Badges stand upright over everything, and are never too small to read. */
export function placeBadges() {
  const screen = root.getScreenCTM();
  if (!screen) return;
  const back = screen.inverse();
  const pixels = Math.hypot(screen.a, screen.b);
  const size = Math.max(BADGE.least, Math.min(BADGE.most, view.width * pixels * BADGE.share));
  for (const { badge, holder, box, binding } of parts) {
    const own = badge && holder.getScreenCTM();
    if (!own) continue;
    const matrix = back.multiply(own);
    const corners = [[0, 0], [1, 0], [0, 1], [1, 1]].map(([x, y]) =>
      new DOMPoint(box.x + x * box.width, box.y + y * box.height).matrixTransform(matrix),
    );
    const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
    const [right, down] = CORNERS[binding.corner || "top-right"];
    const x = Math.min(...xs) + right * (Math.max(...xs) - Math.min(...xs));
    const y = Math.min(...ys) + down * (Math.max(...ys) - Math.min(...ys));
    const scale = size / 16 / pixels;
    setAttribute(badge, "transform", `translate(${(x - 8 * scale).toFixed(2)} ${(y - 8 * scale).toFixed(2)}) scale(${scale.toFixed(4)})`);
  }
}
