// Of what was asked for one after another only the last counts, in whatever order the answers come.

const fetchIt = (address) => fetch(address, { credentials: "same-origin" });

/**
 * Gives a reader: `read(address)` gives { text }, with null in it where the server gave none; and null instead where
 * something else was asked for since. `drop()` lets what is under way no longer count.
 */
export function lastAsked(ask = fetchIt) {
  let asked = 0;
  return {
    async read(address) {
      const mine = (asked += 1);
      let text = null;
      try {
        const answer = await ask(address);
        if (answer.ok) text = await answer.text();
      } catch {
        text = null; // no connection
      }
      return mine === asked ? { text } : null;
    },
    drop() {
      asked += 1;
    },
  };
}
