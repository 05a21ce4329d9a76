// Trends: a lane per sensor, one cursor through all of them; limits, normal band and alarms drawn in; live at the end.

import { onAct, onKeys } from "../lib/dispatch.js";
import { make, pageData, setText } from "../lib/dom.js";
import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { clock, number } from "../state/writing.js";
import { now, on, plant, plantOffset } from "./live.js";

const HEIGHT = 150;
const PENS = 6;
const AXIS = 58; // px
const POINTS = 2000;

let place;
let sensors = [];
let marks = [];
let lanes = [];
let span = 900; // seconds that are shown
let end = null; // null: live

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const edge = () => end ?? now() / 1000;

class Lane {
  constructor(sensor, pen) {
    this.sensor = sensor;
    this.pen = pen;
    this.times = [];
    this.values = [];
    this.read = make("span", { class: "read" });
    this.box = make("div", {});
    this.nothing = make("p", { class: "nothing", hidden: true }, "No data in this range");
    this.element = make(
      "div",
      { class: `lane pen-${pen}`, "data-tag": sensor.tag },
      make("h3", {}, make("i", { class: "pen" }), sensor.name, make("span", { class: "u" }, sensor.unit), this.read),
      this.box,
      this.nothing,
    );
    place.append(this.element);
    this.build();
  }

  build() {
    this.plot?.destroy();
    const { decimals } = this.sensor;
    const grid = { stroke: token("--grid"), width: 1 };
    const axis = { stroke: token("--ink-3"), font: "11px Inter, sans-serif", grid, ticks: { show: false } };
    this.plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { sync: { key: "trends" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
        scales: { x: { time: true, range: () => [edge() - span, edge()] }, y: { range: (_, low, high) => this.range(low, high) } },
        axes: [
          { ...axis, values: (_, splits) => splits.map((at) => this.label(at)), size: 24 },
          { ...axis, size: AXIS, values: (_, splits) => splits.map((value) => number(value, decimals)) },
        ],
        series: [{}, { stroke: token(`--pen-${this.pen}`), width: 1.6, points: { show: false }, spanGaps: false }],
        hooks: {
          drawClear: [(plot) => this.drawUnder(plot)],
          draw: [(plot) => this.drawOver(plot)],
          setCursor: [() => this.drawRead()],
          setSelect: [(plot) => zoomTo(plot)],
        },
      },
      [this.times, this.values],
      this.box,
    );
  }

  /** The y range: the data, and limits that are near enough to matter. */
  range(low, high) {
    if (low === null || high === null) [low, high] = this.sensor.normal ?? [0, 1];
    const reach = Math.max(high - low, 1e-9);
    for (const { value } of this.sensor.limits) {
      if (value > high && value - high < 2 * reach + Math.abs(high) * 0.25) high = value;
      if (value < low && low - value < 2 * reach + Math.abs(low) * 0.25) low = value;
    }
    const margin = Math.max((high - low) * 0.08, 10 ** -this.sensor.decimals);
    return [low - margin, high + margin];
  }

  label(at) {
    const text = clock(at * 1000, plantOffset);
    if (span > 172_800) return new Date(at * 1000 + plantOffset * 60_000).toISOString().slice(5, 10);
    return span > 1200 ? text.slice(0, 5) : text;
  }

  drawUnder(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (this.sensor.normal) {
      const [low, high] = this.sensor.normal.map((value) => plot.valToPos(value, "y", true));
      ctx.fillStyle = token("--track");
      ctx.fillRect(bbox.left, high, bbox.width, low - high);
    }
    ctx.font = `${11 * devicePixelRatio}px Inter, sans-serif`;
    for (const { value, priority, name } of this.sensor.limits) {
      const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = token(`--p${priority}-line`);
      ctx.lineWidth = devicePixelRatio * 1.2;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.fillStyle = token("--ink-2");
      const under = y - bbox.top < 16 * devicePixelRatio;
      ctx.fillText(
        `${name} ${number(value, this.sensor.decimals)}`,
        bbox.left + 6 * devicePixelRatio,
        y + (under ? 12 : -4) * devicePixelRatio,
      );
    }
    ctx.restore();
  }

  drawOver(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    for (const { time, priority } of marks) {
      const x = Math.round(plot.valToPos(time, "x", true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = token(`--p${priority}-line`);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  drawRead() {
    const at = this.plot.cursor.idx;
    const known = at === null || at === undefined ? this.values.length - 1 : at;
    const value = this.values[known];
    const { unit, decimals } = this.sensor;
    const when = at === null || at === undefined || !this.times[at] ? "" : `${clock(this.times[at] * 1000, plantOffset)}  `;
    setText(this.read, value == null ? "–" : `${when}${number(value, decimals)} ${unit}`);
  }

  async fetch() {
    const until = edge();
    const query = new URLSearchParams({
      start: new Date((until - span) * 1000).toISOString(),
      end: new Date(until * 1000 + 1000).toISOString(),
      points: POINTS,
    });
    const asked = `${span}:${end}`;
    this.asked = asked;
    try {
      const answer = await fetch(`${this.sensor.history}?${query}`, { credentials: "same-origin" });
      if (!answer.ok || this.asked !== asked) return;
      const found = await answer.json();
      this.times = found.times.map((ms) => ms / 1000);
      this.values = found.values;
      this.draw();
    } catch {
      setText(this.nothing, "The history could not be read, no connection.");
      this.nothing.hidden = false;
    }
  }

  /** Appends the newest value; a silence of three intervals is a gap. */
  push(reading) {
    const at = reading.time / 1000;
    const last = this.times.at(-1);
    if (last !== undefined && at <= last) return;
    const { interval } = this.sensor;
    if (last !== undefined && interval && at - last > Math.max(3 * interval, 5)) {
      this.times.push(last + interval);
      this.values.push(null);
    }
    this.times.push(at);
    this.values.push(reading.quality === "bad" ? null : reading.value);
    const from = edge() - span;
    if (this.times.length > 2 * POINTS && this.times[POINTS >> 1] < from) {
      this.times.splice(0, POINTS >> 1);
      this.values.splice(0, POINTS >> 1);
    }
  }

  draw() {
    this.plot.setData([this.times, this.values]);
    this.nothing.hidden = this.values.some((value) => value !== null);
    this.drawRead();
  }
}

function zoomTo(plot) {
  const { left, width } = plot.select;
  if (width < 8) return;
  const from = plot.posToVal(left, "x");
  const until = plot.posToVal(left + width, "x");
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  end = until;
  span = Math.max(1, until - from);
  fetchAll();
}

function fetchAll() {
  for (const button of document.querySelectorAll("[data-act=trend-range]")) {
    button.setAttribute("aria-pressed", String(end === null && Number(button.dataset.span) === span));
  }
  place.setAttribute("data-live", String(end === null));
  return Promise.all(lanes.map((lane) => lane.fetch())).then(() => drawTable());
}

function choose() {
  const wanted = [...document.querySelectorAll("[data-trend]:checked")].map((box) => box.dataset.trend);
  for (const lane of lanes) if (!wanted.includes(lane.sensor.tag)) lane.element.remove();
  lanes = lanes.filter((lane) => wanted.includes(lane.sensor.tag));
  for (const tag of wanted) {
    if (lanes.some((lane) => lane.sensor.tag === tag)) continue;
    const used = lanes.map((lane) => lane.pen);
    const pen = Array.from({ length: PENS }, (_, at) => at + 1).find((one) => !used.includes(one)) ?? 1;
    lanes.push(new Lane(sensors.find((sensor) => sensor.tag === tag), pen));
  }
  fetchAll();
}

function drawTable() {
  const table = document.getElementById("trend-rows");
  if (table.hidden) return;
  const parts = lanes.map((lane) => {
    const rows = lane.times.map((at, place_) => [at, lane.values[place_]]).filter(([, value]) => value !== null);
    const step = Math.max(1, Math.floor(rows.length / 100));
    return make(
      "table",
      { class: "tbl" },
      make("caption", {}, `${lane.sensor.name}, ${lane.sensor.unit}`),
      ...rows
        .filter((_, at) => at % step === 0)
        .map(([at, value]) =>
          make(
            "tr",
            {},
            make("td", { class: "num" }, clock(at * 1000, plantOffset)),
            make("td", { class: "num" }, number(value, lane.sensor.decimals)),
          ),
        ),
    );
  });
  table.replaceChildren(...parts);
}

function moveCursor(step) {
  const lane = lanes[0];
  if (!lane?.times.length) return;
  const at = Math.max(0, Math.min(lane.times.length - 1, (lane.plot.cursor.idx ?? lane.times.length) + step));
  lane.plot.setCursor({ left: lane.plot.valToPos(lane.times[at], "x"), top: HEIGHT / 3 });
}

function zoom(factor) {
  span = Math.max(10, Math.min(366 * 86_400, span * factor));
  fetchAll();
}

export function startTrends() {
  place = document.getElementById("trends");
  sensors = pageData("trend-sensors", []);
  marks = pageData("trend-marks", []);
  span = Number(place.dataset.span);
  onAct({
    "trend-range": (element) => {
      end = null;
      span = Number(element.dataset.span);
      history.replaceState(null, "", `?t=${element.dataset.key}`);
      fetchAll();
    },
    "trend-table": () => {
      const table = document.getElementById("trend-rows");
      table.hidden = !table.hidden;
      document.querySelector("[data-act=trend-table]").setAttribute("aria-pressed", String(!table.hidden));
      drawTable();
    },
    "trend-live": () => {
      end = null;
      span = Number(place.dataset.span);
      fetchAll();
    },
    "trend-in": () => zoom(0.5),
    "trend-out": () => zoom(2),
  });
  onKeys({ v: "trend-table", 0: "trend-live", "+": "trend-in", "-": "trend-out" });
  place.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    moveCursor(step * (event.shiftKey ? 10 : 1));
  });
  document.addEventListener("change", (event) => event.target.matches("[data-trend]") && choose());
  new ResizeObserver(() => {
    for (const lane of lanes) lane.plot.setSize({ width: Math.max(200, place.clientWidth), height: HEIGHT });
  }).observe(place);
  new MutationObserver(() => lanes.forEach((lane) => (lane.build(), lane.draw()))).observe(document.documentElement, {
    attributeFilter: ["data-theme", "data-density"],
  });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", () =>
    lanes.forEach((lane) => (lane.build(), lane.draw())),
  );
  on("snapshot", () => fetchAll());
  on("alarm", ({ alarm, before }) => {
    if (before || !lanes.some((lane) => lane.sensor.tag === alarm.sensor)) return;
    marks.push({ time: Date.parse(alarm.raised) / 1000, priority: alarm.priority, tag: alarm.sensor });
  });
  on("values", (tags) => {
    for (const lane of lanes) if (tags.includes(lane.sensor.tag)) lane.push(plant.values.get(lane.sensor.tag));
  });
  // A live trend moves on once a second; what is drawn then has come within it.
  setInterval(() => {
    if (end === null && !document.hidden && !document.documentElement.classList.contains("disc-on")) {
      for (const lane of lanes) lane.draw();
    }
  }, 1000);
  choose();
}
