// A part of the page that somebody points at, presses, or is in with the keys: nothing in it may move until they leave.

let touched = false; // the last that was heard of was a finger: what it has tapped goes on to be :hover
for (const event of ["pointerdown", "pointermove"]) {
  document.addEventListener(event, ({ pointerType }) => (touched = pointerType === "touch"), { capture: true, passive: true });
}

/** Gives a function that tells whether an element is held; `left()` is called each time that it is held no longer. */
export function held(element, left = () => {}) {
  const isHeld = () =>
    (!touched && element.matches(":hover")) ||
    element.matches(":active") ||
    element.querySelector(":focus-visible") !== null ||
    element.matches(":focus-visible");
  // The focus that leaves may go to another place inside, and a click comes only after the finger has gone up.
  const look = () => setTimeout(() => isHeld() || left(), 0);
  for (const event of ["pointerleave", "pointerup", "focusout"]) element.addEventListener(event, look);
  return isHeld;
}
