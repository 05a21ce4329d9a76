// What switching messages on in a browser needs to know; pure.

import { gettext } from "../lib/words.js";

/** Gives the bytes of base64url. */
export function bytesOf(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

/** Gives the fields that the server wants of a subscription's JSON. */
export function fieldsOf({ endpoint, keys }) {
  return { endpoint, key: keys.p256dh, secret: keys.auth };
}

/** Gives why messages cannot be switched on in this browser, in words; nothing where they can. */
export function hindrance({ secure, worker, push, permission }) {
  if (!secure) return gettext("Messages need a page with a certificate (https).");
  if (!worker || !push) {
    return gettext(
      "This browser takes no messages from pages. On an iPhone, put Andon on the home screen first.",
    );
  }
  if (permission === "denied") {
    return gettext("The browser was told not to show messages of this page. Allow them beside the address.");
  }
  return "";
}
