// The worker that keeps the last known state: every page brings it, tells it while it is live, and says when it is new.

const ASK_EVERY = 60_000; // ms; the worker itself asks the server less often

const { kept } = document.documentElement.dataset;

/** When the server made what is shown, by this computer's clock in ms; null on a page that came from the server. */
export const keptAt = kept === undefined ? null : Number(kept);

let registration = null;

/** Looks for a new version: the server may have been updated while it was away. */
export const lookForNew = () => registration?.update().catch(() => {});

/** Brings the worker; `isLive` tells whether what the page shows is true now, `onNew` is told that it is a newer one. */
export async function start(isLive, onNew) {
  const workers = navigator.serviceWorker;
  if (!workers) return; // a page without a certificate has none
  const known = workers.controller !== null;
  workers.addEventListener("controllerchange", () => {
    // The first worker of a browser is no new version.
    if (known) onNew();
  });
  registration = await workers.register("/worker.js", { scope: "/", updateViaCache: "none" }).catch(() => null);
  const tell = () => !document.hidden && isLive() && workers.controller?.postMessage("live");
  setInterval(tell, ASK_EVERY);
  workers.ready.then(() => setTimeout(tell, 2_000));
}
