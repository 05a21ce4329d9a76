// The log of messages: rows that are still on their way change in place until it is known what became of them.

import { readPage } from "../lib/asked.js";

const EVERY = 2000; // ms
const MOST = 60; // then the page is left alone

const log = document.getElementById("log");
const address = new URL(log?.dataset.source ?? location.href, location.href);
let asked = 0;

const moving = () => [...(log?.querySelectorAll("tr[data-moving]") ?? [])];

async function look() {
  if (!document.hidden) {
    address.searchParams.set("fragment", "1");
    const page = await readPage(address);
    if (page !== null) take(page);
    asked += 1;
  }
  plan();
}

function take(fresh) {
  for (const row of moving()) {
    const newer = fresh.getElementById(row.id);
    // A row under the focus keeps it.
    if (newer && newer.innerHTML !== row.innerHTML && !row.contains(document.activeElement)) row.replaceWith(newer);
  }
}

function plan() {
  if (moving().length && asked < MOST) setTimeout(look, EVERY);
}

export function start() {
  plan();
}
