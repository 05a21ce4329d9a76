// One alarm beside the list, or as a page of its own: read from the server, with its trend and the value now.

import { lastAsked, parsed } from "../../lib/asked.js";
import { gettext } from "../../lib/words.js";
import { Lane } from "../lane.js";
import { asOf, hear, isLost, now, on, plant } from "../live.js";
import { onTheme } from "../plotting.js";
import { inPhase } from "../symbols.js";
import { toast } from "../toast.js";
import { refresh } from "../values.js";

const board = document.getElementById("console");
const drawer = document.getElementById("draw");
const address = (board ?? drawer).dataset.detail;
let lane = null;
let live = false; // the trend goes on to now
let heard = null; // the asset whose values the console hears

const reading = lastAsked();

/** The alarm that the drawer shows, on which its buttons act. */
export const detailOf = () => (drawer.dataset.alarm ? Number(drawer.dataset.alarm) : null);
let wanted = detailOf(); // the alarm that it is to show: until that is read, another is still there
export const isOpen = () => !board || !board.classList.contains("nod");
export const focusComment = () => drawer.querySelector("[name=comment]")?.focus();

function keepInAddress(id) {
  if (!board) return;
  const here = new URL(location.href);
  if (id === null) here.searchParams.delete("alarm");
  else here.searchParams.set("alarm", id);
  history.replaceState(null, "", here);
}

/** Shows an alarm. */
export async function openDrawer(id) {
  wanted = id;
  keepInAddress(id);
  board?.classList.remove("nod");
  await read();
}

/** Reads the alarm that is shown again, if it is this one; what is being typed and where one looks stay. */
export async function refreshDrawer(id = wanted) {
  if (id !== null && id === wanted && isOpen()) await read();
}

async function read() {
  const id = wanted;
  const answer = await reading.read(asOf(`${address.replace("/0/", `/${id}/`)}?fragment=1`));
  if (answer === null) return;
  const stays = detailOf() === id && drawer.hasChildNodes();
  if (answer.text !== null) fillWith(answer.text, id, stays);
  else if (!stays) {
    closeDrawer();
    toast(gettext("The alarm could not be read, try again."));
  }
}

function fillWith(text, id, stays) {
  const page = parsed(text);
  const before = drawer.querySelector("[name=comment]");
  const typed = stays ? (before?.value ?? "") : "";
  const hadFocus = stays && before !== null && document.activeElement === before;
  const scrolled = stays ? drawer.scrollTop : 0;
  const unfolded = stays && drawer.querySelector(".hides")?.open;
  drop();
  drawer.replaceChildren(...page.body.childNodes);
  drawer.dataset.alarm = id;
  const field = drawer.querySelector("[name=comment]");
  if (field) field.value = typed;
  if (hadFocus) field?.focus();
  const hides = drawer.querySelector(".hides");
  if (hides && unfolded) hides.open = true;
  drawer.scrollTop = scrolled;
  show();
}

export function closeDrawer() {
  reading.drop();
  wanted = null;
  board.classList.add("nod");
  drop();
  drawer.replaceChildren();
  drawer.dataset.alarm = "";
  keepInAddress(null);
}

function drop() {
  lane?.remove();
  lane = null;
}

function show() {
  inPhase();
  const place = drawer.querySelector("[data-trend-of]");
  if (place) drawTrend(place);
  refresh();
}

function drawTrend(place) {
  const trend = JSON.parse(place.dataset.trendOf);
  live = trend.until === null;
  const until = () => trend.until ?? now() / 1000;
  lane = new Lane(place, trend, 1, { from: () => trend.from, until, marks: () => trend.marks });
  lane.fetch();
  if (board && trend.asset !== heard) {
    heard = trend.asset;
    hear([heard]);
  }
}

export function start() {
  new ResizeObserver(() => lane?.resize()).observe(drawer);
  onTheme(() => lane && (lane.build(), lane.draw()));
  on("values", (tags) => {
    if (!lane || !tags.includes(lane.sensor.tag)) return;
    const newest = plant.values.get(lane.sensor.tag);
    if (live) lane.push(newest);
    else lane.note(newest);
  });
  on("back", () => lane?.fetch());
  setInterval(() => {
    if (lane && live && !document.hidden && !isLost()) lane.draw();
  }, 1000);
  drawer.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !event.target.matches("[name=comment]")) return;
    event.stopPropagation();
    event.target.blur();
  });
  if (!board) show();
}
