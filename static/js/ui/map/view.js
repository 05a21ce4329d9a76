// What part of the ground is seen: pulled and brought nearer by mouse, touch, wheel, keys and buttons.

import { onAct, onKeys } from "../../lib/dispatch.js";
import { oncePerFrame } from "../../lib/once.js";
import { CLOSEST, fit, nearer, pulled } from "../../state/map.js";

const STEP = 80; // px a key moves
const TIMES = 1.5; // a key or button brings nearer
const DRAGGED = 5; // px after which a press is no click

/**
 * Takes the frame that takes the pointer, `whole()` giving the rectangle of everything, draw(view, width, height), the
 * view to begin with if there is one, and what is told of each view that a person chose; null: everything again.
 * Gives { redraw(), refit(), show(box), goTo(x, y, scale) }.
 */
export function startView(frame, whole, draw, first, onChosen) {
  let view = first;
  let touched = first !== null; // by a person: a change of the window then keeps what they look at
  const size = () => [frame.clientWidth, frame.clientHeight];

  const redraw = oncePerFrame(() => {
    const [width, height] = size();
    if (!width || !height) return;
    view ??= fit(whole(), width, height);
    draw(view, width, height);
  });

  function become(next) {
    view = next;
    touched = true;
    onChosen(view);
    redraw();
  }

  const middle = (event) => {
    const box = frame.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };

  // --- Pointers ----------------------------------------------------------------------------------------------------

  const fingers = new Map();
  let moved = 0;

  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    if (event.target.closest("button")) return;
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, middle(event));
  });
  frame.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before || !view) return;
    const now = middle(event);
    const [right, down] = [now[0] - before[0], now[1] - before[1]];
    moved += Math.hypot(right, down);
    if (moved < DRAGGED) return;
    // Only now: a captured pointer clicks on nothing.
    if (!frame.hasPointerCapture(event.pointerId)) frame.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, now);
    if (fingers.size === 1) become(pulled(view, right, down));
    else if (fingers.size === 2) {
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const apart = (point) => Math.max(Math.hypot(point[0] - other[0], point[1] - other[1]), 8);
      const centre = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
      become(pulled(nearer(view, apart(now) / apart(before), ...centre), right / 2, down / 2));
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    frame.addEventListener(end, (event) => fingers.delete(event.pointerId));
  }
  frame.addEventListener(
    "click",
    (event) => {
      if (moved < DRAGGED) return;
      event.preventDefault();
      event.stopPropagation();
      moved = 0;
    },
    true,
  );
  frame.addEventListener("dragstart", (event) => event.preventDefault());
  frame.addEventListener("dblclick", (event) => {
    if (view && !event.target.closest("a, button")) become(nearer(view, 2, ...middle(event)));
  });
  frame.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (view) become(nearer(view, Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), ...middle(event)));
    },
    { passive: false },
  );

  // --- Keys and buttons --------------------------------------------------------------------------------------------

  const all = () => {
    view = null;
    touched = false;
    onChosen(null);
    redraw();
  };
  onAct({
    "map-nearer": () => view && become(nearer(view, TIMES)),
    "map-farther": () => view && become(nearer(view, 1 / TIMES)),
    "map-all": all,
  });
  onKeys({ "+": "map-nearer", "=": "map-nearer", "-": "map-farther", 0: "map-all" });
  frame.addEventListener("keydown", (event) => {
    const [right, down] =
      { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key] ?? [];
    if (right === undefined || !view) return;
    event.preventDefault();
    become(pulled(view, right, down));
  });

  new ResizeObserver(() => {
    if (!touched) view = null;
    redraw();
  }).observe(frame);

  return {
    redraw,
    /** Shows everything anew, unless a person has chosen what to look at. */
    refit() {
      if (!touched) view = null;
      redraw();
    },
    /** Shows a rectangle as large as it fits. */
    show: (box) => become(fit(box, ...size(), CLOSEST)),
    /** Puts a point into the middle, at least so near. */
    goTo: (x, y, scale) => become({ x, y, scale: Math.max(scale, view?.scale ?? 0) }),
  };
}
