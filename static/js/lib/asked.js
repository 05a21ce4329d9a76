// What is asked of the server: pages, and of what was asked for one after another only the last.

const fetchIt = (address) => fetch(address, { credentials: "same-origin" });

/** What the server wrote, as a document; nothing of it runs or is loaded. */
export const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

/** Reads a page, or a piece of one; null where the server gave none. */
export async function readPage(address) {
  const answer = await fetchIt(address).catch(() => null);
  return answer?.ok ? parsed(await answer.text()) : null;
}

/**
 * Of what is asked one after another only the last counts, in whatever order the answers come.
 *
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
