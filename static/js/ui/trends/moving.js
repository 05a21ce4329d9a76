// Panning and zooming by hand: drag, wheel, two fingers, a rectangle with Shift. Buttons and keys are their twins.

const DRAG = 4; // px from which a press is a drag
const PER_NOTCH = 0.0015; // of the wheel

/**
 * Takes the chart and what to do: view(), timeOf(px), show(span, end) while it moves, zoom(factor, at, how),
 * point(at, pinned), and the element that marks a rectangle. Gives { isHeld }.
 */
export function startMoving(chart, { view, timeOf, isReady, show, zoom, point, select }) {
  const fingers = new Map();
  let begun = null; // where the first finger went down, and what was shown then
  let box = null; // where a rectangle began
  let pinch = null;

  const xOf = (event) => event.clientX - chart.getBoundingClientRect().left;
  const isOver = (event) => event.target.closest(".over > *, .empty, .cal");

  chart.addEventListener("pointerdown", (event) => {
    if (!isReady() || event.button !== 0 || isOver(event)) return;
    const x = xOf(event);
    fingers.set(event.pointerId, x);
    if (fingers.size === 2) {
      const [one, other] = fingers.values();
      pinch = { ...view(), one: timeOf(one), other: timeOf(other) };
      begun = null;
    } else if (event.shiftKey) box = x;
    else begun = { x, ...view(), perPixel: (timeOf(x + 1) - timeOf(x)), dragged: false };
  });

  chart.addEventListener("pointermove", (event) => {
    if (!isReady()) return;
    const x = xOf(event);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, x);
    if (pinch && fingers.size === 2) return pinched();
    if (box !== null) return drawBox(x);
    if (!begun) {
      if (event.pointerType !== "touch" && !isOver(event)) point(timeOf(x), false);
      return undefined;
    }
    if (!begun.dragged && Math.abs(x - begun.x) < DRAG) return undefined;
    if (!begun.dragged) {
      begun.dragged = true;
      chart.setPointerCapture(event.pointerId);
    }
    show(begun.span, begun.until - (x - begun.x) * begun.perPixel);
    return undefined;
  });

  function pinched() {
    const [one, other] = fingers.values();
    const seconds = Math.abs(pinch.other - pinch.one);
    const { width } = chart.getBoundingClientRect();
    const apart = Math.max(12, Math.abs(other - one));
    const perPixel = seconds / apart;
    const share = perPixel / (pinch.span / width);
    const span = pinch.span * share;
    const middle = (pinch.one + pinch.other) / 2;
    const place = ((one + other) / 2) / width;
    show(span, middle + (1 - place) * span);
  }

  function drawBox(x) {
    select.hidden = false;
    select.style.transform = `translateX(${Math.min(box, x)}px)`;
    select.style.width = `${Math.abs(x - box)}px`;
    select.style.height = `${chart.clientHeight - 68}px`;
  }

  function released(event) {
    const x = xOf(event);
    if (box !== null && Math.abs(x - box) >= 8) {
      const [from, until] = [timeOf(Math.min(box, x)), timeOf(Math.max(box, x))];
      show(until - from, until);
    } else if (begun && !begun.dragged && event.type === "pointerup") point(timeOf(x), true);
    fingers.delete(event.pointerId);
    select.hidden = true;
    [begun, box] = [null, null];
    if (fingers.size < 2) pinch = null;
  }
  chart.addEventListener("pointerup", released);
  chart.addEventListener("pointercancel", released);
  // A finger leaves the screen where it tapped; what it tapped stays.
  chart.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && fingers.size === 0 && point(null, false));

  chart.addEventListener(
    "wheel",
    (event) => {
      // Where more lanes are than have room the wheel scrolls, and zooms with Ctrl.
      const scrolls = chart.scrollHeight > chart.clientHeight + 1 && !event.ctrlKey && !event.shiftKey;
      if (!isReady() || scrolls) return;
      event.preventDefault();
      const { span, until } = view();
      const scale = event.deltaMode === 1 ? 16 : 1;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
        const x = xOf(event);
        const pixels = (event.deltaX || event.deltaY) * scale;
        show(span, until + pixels * (timeOf(x + 1) - timeOf(x)));
      } else zoom(Math.exp(event.deltaY * scale * PER_NOTCH), timeOf(xOf(event)), { moving: true });
    },
    { passive: false },
  );
  chart.addEventListener("dblclick", (event) => {
    if (isReady() && !isOver(event)) zoom(0.25, timeOf(xOf(event)), {});
  });
  return { isHeld: () => fingers.size > 0 };
}
