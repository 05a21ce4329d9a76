// The page's one live picture of the plant: the socket feeds it, drawing modules listen to it. In playback the player
// (ui/playback.js) feeds it instead, from the past, and turns the clock; whatever draws from the picture needs not know.

import { liveSocket } from "../lib/socket.js";
import { apply, nothing } from "../state/plant.js";
import { keptAt } from "./kept.js";

export const plant = nothing();

const { now: serverNow, subscribe, at } = document.body.dataset;
const suppressions = "suppressions" in document.body.dataset; // also the rules whose alarms are not presented
const summed = "summed" in document.body.dataset; // of values only the machines' states, and how fresh the plant is
// The page was made when its first byte left the server; that is how far this computer's clock is off.
const [navigation] = performance.getEntriesByType("navigation");
// A page that was kept says when it came.
let offset = Number(serverNow) - (keptAt ?? performance.timeOrigin + (navigation?.responseStart ?? 0));

/** The server's time in ms. */
export const serverTime = () => Date.now() + offset;
/** The moment that the page was made for, in ms, where that is not the present. */
export const past = at === undefined ? null : Number(at);
let clock = past === null ? serverTime : () => past;

/** The time in ms that the page tells of: the server's, in playback that of the player. */
export const now = () => clock();

/** Lets `now()` be another's: the player's. */
export function turnClock(turned) {
  clock = turned;
}

/** An address as of the moment that the page tells of. */
export function asOf(address) {
  if (past === null) return address;
  const found = new URL(address, location.href);
  found.searchParams.set("at", new Date(now()).toISOString());
  return found;
}

let spokenAt = keptAt === null ? null : Number(serverNow);

/** When the server last said something, by its own time in ms; null: it has not yet. */
export const lastHeard = () => spokenAt;
/** The moment up to which the page knows what it tells: now, and without a connection when the server was last heard. */
export const knownUntil = () => (isLost() ? (spokenAt ?? now()) : now());

const listeners = {
  snapshot: new Set(),
  values: new Set(),
  freshness: new Set(),
  alarm: new Set(),
  lost: new Set(),
  back: new Set(),
  next: new Set(),
  out: new Set(),
  floods: new Set(),
  suppression: new Set(),
  comment: new Set(),
  version: new Set(),
  hear: new Set(),
};

/**
 * Calls `listen` on snapshot(), values(tags), freshness(codes), alarm(change), suppression(change), comment(asset), lost(), back(),
 * next(ms), out(), floods(rows, [since, most]) or version(): the server's pages are newer than this one; and, for the player, hear().
 */
export function on(event, listen) {
  listeners[event].add(listen);
}

/** Tells all who listen; what one of them fails in stops neither the others nor the socket. */
function tell(event, ...what) {
  for (const listen of listeners[event]) {
    try {
      listen(...what);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Takes one frame of the socket, or of the past. */
export function take(frame) {
  if (past === null && frame.type === "beat" && frame.time) offset = frame.time - Date.now();
  spokenAt = now();
  if (frame.floods) tell("floods", frame.floods, frame.counted);
  if (frame.version && frame.version !== document.body.dataset.version) tell("version");
  const change = apply(plant, frame);
  if (change.everything) tell("snapshot");
  else if (change.tags?.length) tell("values", change.tags);
  else if (change.machines) tell("freshness", change.machines);
  else if (change.alarm) tell("alarm", change);
  else if (change.suppression) tell("suppression", change);
  else if (change.comment) tell("comment", change.comment);
}

const wanted = JSON.parse(subscribe || '""');
let assets = wanted === "all" ? null : wanted || [];

const asksFor = (codes) => ({
  assets: codes,
  alarms: "all",
  values: summed ? "states" : codes === null || codes.length > 0,
  freshness: summed,
  suppressions,
});

const socket = liveSocket({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live`,
  subscription: asksFor(assets),
  onFrame: take,
  onLost: () => tell("lost"),
  onBack: () => tell("back"),
  onNext: (ms) => tell("next", ms),
  onSignedOut: () => tell("out"),
});

export const hearsValues = assets === null || assets.length > 0;
export const connect = () => past === null && socket.start();
export const tryNow = () => socket.tryNow();
/** Whether the connection is lost: what the page shows does not move (ui/shell.js says so). */
export const isLost = () => document.documentElement.classList.contains("disc-on");
/** What the page hears values of: codes of assets, null for the whole plant. */
export const heard = () => assets;

/** Hears the values of these assets, by code, instead of those that the page began with. */
export function hear(codes) {
  assets = codes;
  if (past === null) socket.subscribe(asksFor(codes));
  else tell("hear");
}
