// Every page begins here: the frame, the banner, values, then what the page itself brings.

import { ready, start as startDispatcher } from "./lib/dispatch.js";
import { writeIn, writeWith } from "./state/writing.js";
import { start as startBanner } from "./ui/banner.js";
import { start as startFind } from "./ui/find.js";
import { start as startHorn } from "./ui/horn.js";
import { keptAt } from "./ui/kept.js";
import { past } from "./ui/live.js";
import { start as startSession } from "./ui/session.js";
import { start as startShell } from "./ui/shell.js";

// A page names its modules: <main data-modules="overview">.
const modules = {
  alarms: () => import("./ui/console/page.js"),
  area: () => import("./ui/area.js"),
  deliveries: () => import("./ui/deliveries.js"),
  machine: () => import("./ui/machine.js"),
  map: () => import("./ui/map/page.js"),
  onboarding: () => import("./ui/onboarding.js"),
  place: () => import("./ui/place.js"),
  overview: () => import("./ui/overview.js"),
  push: () => import("./ui/push.js"),
  rules: () => import("./ui/rules/page.js"),
  synoptic: () => import("./ui/synoptic/page.js"),
  synoptics: () => import("./ui/synoptics.js"),
  trends: () => import("./ui/trends/page.js"),
  values: () => import("./ui/values.js"),
};

writeWith(document.body.dataset.decimal || ".");
writeIn(document.body.dataset.zone || "UTC");
startDispatcher();
startBanner();
startHorn();
startFind();
// Only a clock of 12 hours needs it; where it cannot be read, the browser's own fields stay.
if (new Intl.DateTimeFormat(undefined, { hour: "numeric" }).resolvedOptions().hour12) {
  import("./ui/when.js").then((when) => when.start()).catch(() => {});
}
const named = (document.getElementById("main").dataset.modules ?? "").split(" ").filter((name) => name in modules);
if (document.querySelector("input[data-find-place]")) named.push("place");
if (document.querySelector("[data-tag]")) named.unshift("values");
// The page listens before the socket speaks.
const reading = Promise.all([
  past === null ? null : import("./ui/playback.js"), // of no use to a live page, which has only the way there
  ...named.map((name) => modules[name]()),
]);
// A page that was kept says what it is, and reads itself anew when the server is back, whatever of it was not kept.
const [playback, ...loaded] = await (keptAt === null ? reading : reading.catch(() => []));
for (const module of loaded) module.start();
startShell();
playback?.start();
startSession();
ready();
