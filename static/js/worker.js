// The service worker: keeps the last known state of the overview and the alarms, and shows messages that come while no
// page is open. plant/pages/browsers.py puts before it what it keeps, as `self.andon`, and with it its version.

const { version, root, files, offline, pages, life } = self.andon;
const FILES = `andon-files-${version}`;
const PAGES = "andon-pages";
const WHEN = "X-Andon-Kept"; // ms since 1970, of a kept page
const WHOSE = "X-Andon-Session"; // of a page: another session's pages are never shown with it
const PATIENCE = 3_000; // ms in which the server may answer before a file is taken from what is kept
const EVERY = 240_000; // ms between two askings for the pages that are kept

// --- Coming and going ------------------------------------------------------------------------------------------------

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keepFiles());
});

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

/** A file that cannot be read now is read when a page asks for it. */
async function keepFiles() {
  const cache = await caches.open(FILES);
  // What the page has read already under its version is not asked for twice.
  const how = (address) => (address.startsWith(root) ? "default" : "reload");
  const ask = (address) => cache.add(new Request(address, { cache: how(address) })).catch(() => {});
  await Promise.all([offline, ...files].map(ask));
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== FILES && name !== PAGES).map((name) => caches.delete(name)));
  await self.clients.claim();
}

// --- What pages ask for ----------------------------------------------------------------------------------------------

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(navigate(event, pathname));
  else if (request.method === "GET" && isFile(pathname)) event.respondWith(file(event));
});

const isFile = (pathname) => pathname.startsWith("/static/") || pathname.startsWith("/words/");

/** What is kept may fail, as on a full disk: nothing that the server answers depends on it. */
const aside = (keeping) => keeping.catch(() => {});

/**
 * The address of a file holds its version: what the server said is to be kept there for good is not asked for again. Of
 * the rest the server comes first: what it says is never mixed with what was kept before.
 */
async function file(event) {
  const { request } = event;
  const known = new URL(request.url).pathname.startsWith(root) ? await aside(keptFile(request)) : null;
  if (isForGood(known)) return known;
  let keeping = null;
  const asked = fetch(request).then((answer) => {
    if (answer.ok) keeping = aside(keepFile(request, answer.clone()));
    return answer;
  });
  event.waitUntil(aside(asked.then(() => keeping)));
  const first = await Promise.race([asked.catch(() => null), new Promise((done) => setTimeout(done, PATIENCE))]);
  return first ?? (await aside(keptFile(request))) ?? asked;
}

const isForGood = (answer) => answer?.headers.get("Cache-Control")?.includes("immutable") ?? false;
const keepFile = async (request, answer) => (await caches.open(FILES)).put(request, answer);

/** A page that was kept by another version finds the files of this one. */
async function keptFile(request) {
  const address = typeof request === "string" ? request : request.url;
  return (await caches.open(FILES)).match(address.replace(/\/static\/[0-9a-f]{12}\//, root), { ignoreSearch: true });
}

async function navigate(event, pathname) {
  const { request } = event;
  // Who signs out, and who comes to the door, leaves nothing behind in this browser.
  const leaves = pathname === "/sign-out" || pathname.startsWith("/sign-in");
  if (leaves) await aside(forget());
  const asked = generation;
  try {
    const answer = await fetch(request);
    // Until the server had answered, somebody was still signed in.
    if (leaves) await aside(forget());
    if (request.method === "GET" && pages.includes(pathname)) {
      event.waitUntil(aside(keep(request.url, answer.clone(), asked)));
    }
    return answer;
  } catch {
    const known = request.method === "GET" ? await aside(last(request.url)) : null;
    return known ?? (await aside(keptFile(offline))) ?? Response.error();
  }
}

// --- The last known state --------------------------------------------------------------------------------------------

let generation = 0; // raised whenever the pages are deleted

function forget() {
  generation += 1;
  return caches.delete(PAGES);
}

/**
 * Keeps a page as it was, with its time and whose it is; pages of another session go before. One that was asked for
 * before the pages were deleted is not kept.
 */
async function keep(address, answer, asked) {
  const whose = answer.headers.get(WHOSE);
  const url = new URL(address);
  if (!answer.ok || answer.redirected || !whose || url.search) return;
  let cache = await caches.open(PAGES);
  for (const request of await cache.keys()) {
    const other = await cache.match(request);
    if (other?.headers.get(WHOSE) !== whose) {
      await caches.delete(PAGES);
      cache = await caches.open(PAGES);
      break;
    }
  }
  const headers = { "Content-Type": "text/html; charset=utf-8", [WHEN]: String(Date.now()), [WHOSE]: whose };
  const text = await answer.text();
  if (asked === generation) await cache.put(url.pathname, new Response(text, { headers }));
}

/** A kept page, marked as old before anything of it is drawn; null where there is none, or its session is over. */
async function last(address) {
  const url = new URL(address);
  const kept = url.search ? null : await (await caches.open(PAGES)).match(url.pathname);
  if (!kept) return null;
  const when = Number(kept.headers.get(WHEN));
  if (Date.now() - when > life * 1000) {
    await forget();
    return null;
  }
  const page = (await kept.text())
    .replace("<html ", `<html class="disc-on" data-kept="${when}" `)
    .replace('id="not-live" hidden', 'id="not-live"');
  return new Response(page, { headers: { "Content-Type": "text/html; charset=utf-8" } });
}

let renewed = 0;

/** A page that is live says so now and then; then the kept pages are brought up to date. */
self.addEventListener("message", (event) => {
  if (event.data !== "live" || Date.now() - renewed < EVERY) return;
  renewed = Date.now();
  event.waitUntil(Promise.all(pages.map(renew)));
});

async function renew(pathname) {
  const address = new URL(pathname, self.location.origin).href;
  const asked = generation;
  const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  if (answer) await aside(keep(address, answer, asked));
}

// --- Messages --------------------------------------------------------------------------------------------------------

self.addEventListener("push", (event) => {
  event.waitUntil(show(said(event.data)));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});

/** A browser stops delivering to a worker that shows nothing, so something is shown in any case. */
function said(data) {
  const otherwise = { title: "Andon", body: "", url: "/alarms/", tag: "andon", stays: false };
  try {
    return { ...otherwise, ...data.json() };
  } catch {
    return otherwise;
  }
}

function show({ title, body, url, tag, stays }) {
  return self.registration.showNotification(title, {
    body,
    tag,
    renotify: true,
    requireInteraction: stays,
    icon: `${root}img/andon-192.png`,
    data: { url: own(url) },
  });
}

/** A message leads to a page of ours and nowhere else. */
function own(url) {
  const wanted = new URL(url, self.location.origin);
  return self.location.origin + wanted.pathname + wanted.search;
}

async function open(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((page) => page.url === url);
  return there ? there.focus() : self.clients.openWindow(url);
}
