// The page without the server: what is kept, how old it is, and back as soon as the server answers.

import { make, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { age } from "../state/writing.js";

const AGAIN = 10_000; // ms
const list = document.getElementById("kept");
const titles = { "/": gettext("Overview"), "/alarms/": gettext("Alarms") };

async function draw() {
  const cache = await caches.open("andon-pages");
  const rows = [];
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    const when = Number((await cache.match(request)).headers.get("X-Andon-Kept"));
    const old = fill(gettext("%(age)s old"), { age: age((Date.now() - when) / 1000) });
    if (titles[pathname]) rows.push(make("li", {}, make("a", { href: pathname }, titles[pathname]), ` ${old}`));
  }
  list.replaceChildren(...rows);
  document.getElementById("none-kept").hidden = rows.length > 0;
}

async function tryAgain() {
  setText(document.getElementById("trying"), gettext("Trying"));
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (answer?.ok) location.reload();
  else setText(document.getElementById("trying"), "");
}

document.getElementById("again").addEventListener("click", tryAgain);
setInterval(tryAgain, AGAIN);
draw();
