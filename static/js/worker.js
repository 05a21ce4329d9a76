// The service worker: shows messages that come while no page is open, and opens their alarm.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

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
    icon: "/static/img/andon.svg",
    data: { url: own(url) },
  });
}

/** A message leads to a page of ours and nowhere else. */
function own(url) {
  const wanted = new URL(url, self.location.origin);
  return self.location.origin + wanted.pathname + wanted.search;
}

async function open(url) {
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === url);
  return there ? there.focus() : self.clients.openWindow(url);
}
