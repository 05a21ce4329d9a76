// Keys and sequences of keys to actions. Pure.

const PATIENCE = 900; // ms between the two keys of a sequence

/** Whether a key types something: a letter, a digit, a sign. */
export const types = (key) => [...key].length === 1;

/** Takes { "a": action, "g o": action }. Gives a function (key, ms) → action or null. */
export function reader(bindings) {
  const starts = new Set(
    Object.keys(bindings)
      .filter((keys) => keys.includes(" "))
      .map((keys) => keys.split(" ")[0]),
  );
  let first = null;
  let since = 0;
  return (key, now) => {
    const pressed = key.length === 1 ? key.toLowerCase() : key;
    if (first !== null && now - since < PATIENCE) {
      const action = bindings[`${first} ${pressed}`];
      first = null;
      if (action) return action;
    }
    first = null;
    if (bindings[pressed]) return bindings[pressed];
    if (starts.has(pressed)) {
      first = pressed;
      since = now;
    }
    return null;
  };
}
