// The few things that every drawing module does. Text is set as text, never as HTML.

import { gettext } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_KEPT = 32_768; // characters of a form; browsers refuse to keep more than 64 KiB alive at once

/** Sets text only when it differs: nothing repaints without a change. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element && element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setClass(element, value) {
  setAttribute(element, "class", value);
}

/** Makes an HTML element: make("p", { class: "why" }, "text", child). */
export function make(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Makes an SVG element. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** What the server wrote into the page with json_script, or `otherwise`. */
export function pageData(id, otherwise) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : otherwise;
}

export const csrfToken = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";

/**
 * Sends a form's fields; gives the answer. From the past nothing is sent: it would be done to the present. `own`: it
 * acts on nothing but what is the reader's own, their theme and their session.
 */
export async function post(url, fields, { own = false } = {}) {
  if (document.body.dataset.at && !own) {
    return Response.json({ error: gettext("You look at the past. Go back to live first.") }, { status: 409 });
  }
  const body = new URLSearchParams(fields);
  return fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": csrfToken(), "X-Requested-With": "fetch", Accept: "application/json" },
    body,
    keepalive: String(body).length < MOST_KEPT, // what was asked for is done though the page is left
    credentials: "same-origin",
  });
}
