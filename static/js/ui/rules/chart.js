// The rule editor's charts: the history with the limits over it, which are dragged there, and the worst burst close up.

import { make, pageData, setText } from "../../lib/dom.js";
import { gettext } from "../../lib/words.js";
import { fieldText, readNumber } from "../../state/sentence.js";
import { number } from "../../state/writing.js";
import { Lane } from "../lane.js";
import { now } from "../live.js";
import { onTheme, token } from "../plotting.js";
import { field, form, kind, place, sensors, sign, text, unit } from "./fields.js";

const TALL = 250; // px of the chart's plot
const FLAT = 130; // px of the burst's, and of further sensors'
const DAY = 86_400; // s

class Board extends Lane {
  get plotHeight() {
    return this.tall ?? (this.first ? TALL : FLAT);
  }

  /** While a limit is dragged, the scale stands still under the hand. */
  range(low, high) {
    return this.held ?? super.range(low, high);
  }

  /** The limits once more over the grid and the line: they are what the page is about. */
  drawOver(plot) {
    super.drawOver(plot);
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.lineWidth = devicePixelRatio * 1.2;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { value, priority } of this.sensor.limits) {
      const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = token(`--p${priority}-line`);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** Only what is pointed at: the end of a history is no value of now. */
  drawRead() {
    super.drawRead();
    if (this.plot?.cursor.idx == null) {
      setText(this.read, "");
      this.read.classList.remove("live", "stale");
    }
  }
}

export let days = 30;
export let trend = pageData("rule-trend", null);
let lanes = [];
let zoomed = null;
let grips = [];

const view = {
  from: () => trend.end - days * DAY,
  until: () => trend.end,
  marks: () => trend.marks,
  sync: "rule",
};

const LIMITS = { high: ["limit"], low: ["limit"], outside: ["low", "high"] };
const limitFields = () => LIMITS[kind()] ?? []; // those that are drawn as levels

/** The levels of the rule on its sensor's own scale, with the field that each stands in. */
function levels() {
  const priority = Number(form.querySelector("[name=priority]:checked")?.value ?? 3);
  return limitFields().flatMap((name) => {
    const value = trend?.own[name] ?? readNumber(text(name));
    const label = form.querySelector(`label[for="f-${name}"]`).textContent;
    return value === null ? [] : [{ value, priority, name: label, field: name }];
  });
}

/** Where the alarm returns, in the burst's chart. */
function returns() {
  const deadband = readNumber(text("deadband"));
  const [level] = levels();
  if (!deadband || !level || kind() === "outside") return [];
  const value = kind() === "high" ? level.value - deadband : level.value + deadband;
  return [{ ...level, value, name: gettext("returns at") }];
}

export function drawLimits() {
  const [first] = lanes;
  if (!first) return;
  first.sensor.limits = levels();
  first.plot.redraw(!first.held);
  if (zoomed) {
    zoomed.sensor.limits = [...levels(), ...returns()];
    zoomed.plot.redraw();
  }
  placeGrips();
}

function placeGrips() {
  const [first] = lanes;
  if (!first) return;
  for (const grip of grips) {
    const level = first.sensor.limits.find((one) => one.field === grip.dataset.field);
    grip.hidden = !level;
    if (!level) continue;
    const y = first.plot.valToPos(level.value, "y");
    grip.hidden = y < 0 || y > first.plot.over.clientHeight;
    grip.style.top = `${y}px`;
    for (const end of ["min", "max"]) grip.setAttribute(`aria-value${end}`, String(first.plot.scales.y[end] ?? 0));
    grip.setAttribute("aria-valuenow", String(level.value));
    grip.setAttribute("aria-valuetext", `${number(level.value, first.sensor.decimals)} ${unit()}`.trim());
  }
}

function setField(name, value) {
  const input = field(name);
  input.value = fieldText(value, lanes[0].sensor.decimals, sign);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A grip that there is to be stays the one it is: somebody may hold it, or move it by keys. */
export function makeGrips() {
  const [first] = lanes;
  const may = first && !form.querySelector("fieldset.all").disabled;
  const names = may ? limitFields().filter((one) => !(one in trend.own)) : [];
  const stay = grips.map((grip) => grip.dataset.field).join() === names.join();
  if (stay && grips.every((grip) => first.plot.over.contains(grip))) return placeGrips();
  for (const grip of grips) grip.remove();
  grips = [];
  for (const name of names) {
    const grip = make("div", {
      class: "grip",
      role: "slider",
      tabindex: 0,
      "data-field": name,
      "aria-orientation": "vertical",
      "aria-label": form.querySelector(`label[for="f-${name}"]`).textContent,
      "aria-valuemin": 0,
      "aria-valuemax": 0,
      "aria-valuenow": readNumber(text(name)) ?? 0,
    });
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      event.stopPropagation();
      grip.focus();
      grip.setPointerCapture(event.pointerId);
      first.held = [first.plot.scales.y.min, first.plot.scales.y.max];
    });
    grip.addEventListener("pointermove", (event) => {
      if (!first.held) return;
      const { top, height } = first.plot.over.getBoundingClientRect();
      const y = Math.max(0, Math.min(height, event.clientY - top));
      setField(name, first.plot.posToVal(y, "y"));
    });
    const release = () => {
      if (!first.held) return;
      first.held = null;
      first.draw();
      drawLimits();
    };
    grip.addEventListener("pointerup", release);
    grip.addEventListener("pointercancel", release);
    grip.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      const value = readNumber(text(name));
      if (!step || value === null) return;
      event.preventDefault();
      setField(name, value + step * (event.shiftKey ? 10 : 1) * 10 ** -first.sensor.decimals);
    });
    first.plot.over.append(grip);
    grips.push(grip);
  }
  // A picture has nothing in it that takes the focus.
  first?.element.setAttribute("role", grips.length ? "group" : "img");
  return placeGrips();
}

function drawTrend() {
  const box = place("charts");
  box.hidden = !trend?.lanes.length;
  if (box.hidden) return;
  const same = lanes.map((lane) => lane.sensor.tag).join() === trend.lanes.map((one) => one.tag).join();
  if (same) {
    for (const lane of lanes) lane.fetch().then(placeGrips);
  } else {
    for (const lane of lanes) lane.remove();
    lanes = trend.lanes.map((sensor, at) => {
      const pen = at + 1;
      const lane = new Board(box, { ...sensor, limits: at ? [] : levels() }, pen, view, {
        first: at === 0,
        last: at === trend.lanes.length - 1,
      });
      lane.fetch().then(placeGrips);
      return lane;
    });
  }
  drawZoom();
  drawLimits();
  makeGrips();
}

/** The sensor's history alone, while the rule cannot be tried: one sees it before one writes a limit. */
export function drawBare() {
  const bare = sensors[text("sensor_key")]?.trend;
  if (!bare || trend?.lanes[0]?.tag === bare.tag) return;
  trend = { code: "", end: now() / 1000, lanes: [bare], marks: [], burst: null, own: {} };
  drawTrend();
}

function drawZoom() {
  zoomed?.remove();
  zoomed = null;
  const { burst } = trend;
  place("zoom").hidden = !burst;
  if (!burst) return;
  setText(place("zoom-head"), place("figures")?.dataset.burst ?? "");
  const about = { from: () => burst.from, until: () => burst.until, marks: () => burst.marks };
  zoomed = new Board(place("zoomed"), { ...trend.lanes[0], limits: [...levels(), ...returns()] }, 1, about);
  zoomed.tall = FLAT;
  zoomed.resize();
  zoomed.fetch();
}

/** Draws what a backtest found. */
export function showTrend(found) {
  trend = found;
  drawTrend();
}

/** Shows the newest days of the history, as many as these. */
export function showDays(count) {
  days = count;
  for (const lane of lanes) lane.fetch().then(placeGrips);
}

export function startChart() {
  new ResizeObserver(() => {
    for (const lane of [...lanes, zoomed]) lane?.resize();
    if (lanes.length) placeGrips();
  }).observe(place("backtest"));
  onTheme(() => {
    for (const lane of [...lanes, zoomed]) {
      lane?.build();
      lane?.draw();
    }
    makeGrips();
  });
  if (trend) drawTrend();
}
