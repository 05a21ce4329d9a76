// What the end of a session asks for. Pure.

export const WARNING = 120_000; // ms before the end
const RENEW = 3_600_000; // ms before the end, where nobody is there to be asked

/**
 * Whether the page hangs on a wall display that only looks, where nobody is there to be asked. Takes the page's density
 * and what it says of the person: who may do anything, were it only at another time than the one shown, is asked.
 */
export const showsOnly = (density, said) => density === "wall" && "looksOnly" in said;

/**
 * Takes the ms that are left, whether the page shows only, and whether somebody is being asked.
 * Gives "stay", "warn", "leave" or null.
 */
export function whatToDo(left, alone, asked) {
  if (left === null) return null;
  if (left <= 0) return "leave";
  if (alone) return left < RENEW ? "stay" : null;
  return left <= WARNING && !asked ? "warn" : null;
}

/** Where one signs in again and comes back from. */
export const leaving = ({ pathname, search }) => `/sign-in?next=${encodeURIComponent(pathname + search)}`;
