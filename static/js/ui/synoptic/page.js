// A synoptic: the elements of a drawing follow the page's one picture of the plant.

import { painter } from "../../lib/painter.js";
import { isLost, on, plant } from "../live.js";
import { assetOfPart, build, byAsset, byTag, layText, parts, showing, stage } from "./build.js";
import { drawList, drawPart, hearAnew, hearOf, sortAlarms } from "./draw.js";
import { look, placeBadges, startKeys, startPointers, whole } from "./view.js";

const paint = painter(drawPart);
const paintList = painter(drawList);
const all = () => {
  for (const part of parts) paint(part);
};

function onSnapshot() {
  hearAnew();
  sortAlarms();
  all();
  drawList();
}

function onValues(tags) {
  for (const tag of tags) {
    hearOf(tag);
    for (const part of byTag.get(tag) ?? []) paint(part);
  }
  for (const code of new Set(tags.flatMap((tag) => assetOfPart.get(tag.slice(0, tag.indexOf("/"))) ?? []))) {
    for (const part of byAsset.get(code) ?? []) paint(part);
  }
}

/** An alarm waits for no paint clock, but only what shows it is drawn. */
function onAlarm({ alarm, before }) {
  sortAlarms();
  paintList("list");
  if (alarm.silent || before?.silent) all();
  const codes = assetOfPart.get(alarm.asset) ?? [];
  const shown = new Set(byTag.get(alarm.sensor));
  for (const code of codes) for (const part of byAsset.get(code) ?? []) shown.add(part);
  for (const part of showing) {
    const { asset, sensor } = part.binding.alarm;
    if (sensor ? sensor === alarm.sensor : codes.includes(asset)) shown.add(part);
  }
  for (const part of shown) drawPart(part);
}

export function start() {
  build();
  look(whole);
  startPointers();
  startKeys();
  on("snapshot", onSnapshot);
  on("values", onValues);
  on("alarm", onAlarm);
  if (plant.complete) onSnapshot();
  new ResizeObserver(placeBadges).observe(stage);
  document.fonts?.ready.then(() => {
    for (const part of parts) if (part.words) layText(part);
    placeBadges();
    if (plant.complete) all();
  });
  setInterval(() => {
    if (isLost() || !plant.complete) return;
    all();
    drawList();
  }, 1000);
}
