// One sensor's trend: normal band and limits behind, alarms marked, the newest value beside its name.

import { make, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { axisWidth, reach, stepsFrom } from "../state/axis.js";
import { isStale } from "../state/freshness.js";
import { namePlaces } from "../state/names.js";
import { silenceOf } from "../state/silence.js";
import { clock, day, number } from "../state/writing.js";
import { now, plant } from "./live.js";
import { drawMark, inside, token, widthOf } from "./plotting.js";

const HEIGHT = 118; // px of the plot alone
const TIMES = 24; // px for the labels below it
const MARKS = 20; // px for the alarms' symbols above it
const SCALE = 58; // px for the labels beside it, more where they are wider
const BESIDE = 14; // px of that around a label
const DAY = 86_400; // s
export const POINTS = 2000;

const { zone } = document.body.dataset;
export class Lane {
  /**
   * Takes the place to draw in, the sensor as plant/pages/trend.py tells of it, the pen's number, and the view:
   * { from(), until(), marks(), select(plot)?, sync? }, times in seconds. `first` and `last` of several lanes carry
   * the marks' symbols and the times. Lanes of one view stand under each other: their axes are as wide as the widest.
   */
  constructor(place, sensor, pen, view, { first = true, last = true } = {}) {
    Object.assign(this, { sensor, pen, view, first, last, times: [], values: [], newest: null, isRead: false });
    this.read = make("span", { class: "read" });
    this.box = make("div", { class: "plot" });
    this.nothing = make("p", { class: "nothing", hidden: true }, gettext("No data in this range"));
    const unit = sensor.unit ? make("span", { class: "u" }, sensor.unit) : "";
    this.element = make(
      "div",
      { class: `lane pen-${pen}`, "data-tag": sensor.tag, role: "img", "aria-label": sensor.name },
      make("div", { class: "lane-head" }, make("i", { class: "pen" }), make("b", {}, sensor.name), unit, this.read),
      this.box,
      this.nothing,
    );
    place.append(this.element);
    this.view.lanes = [...(this.view.lanes ?? []), this];
    this.build();
  }

  /** How high the plot alone is, in px. */
  get plotHeight() {
    return HEIGHT;
  }

  /** How far the values' axis reaches, around these. */
  range(low, high) {
    return reach(low, high, this.sensor);
  }

  get size() {
    const height = this.plotHeight + (this.first ? MARKS : 4) + (this.last ? TIMES : 0);
    return { width: Math.max(200, this.element.clientWidth), height };
  }

  /** How wide the values' axis is: for the widest label that any lane of the view had. */
  axisWidth(labels) {
    if (!labels) return this.view.scale ?? SCALE;
    const font = `11px ${token("--font")}`;
    const needed = axisWidth(labels, (words) => widthOf(words, font), SCALE, BESIDE);
    if (needed > (this.view.scale ?? SCALE)) {
      this.view.scale = needed;
      // uPlot is in the middle of this lane's axes; the others follow.
      queueMicrotask(() => this.view.lanes.forEach((lane) => lane !== this && lane.plot.redraw(false, true)));
    }
    return this.view.scale ?? SCALE;
  }

  /** Draws from scratch: a new theme, another place among the lanes. */
  build({ first = this.first, last = this.last } = {}) {
    Object.assign(this, { first, last });
    this.plot?.destroy();
    const grid = { stroke: token("--grid"), width: 1 };
    const axis = { stroke: token("--ink-3"), font: `11px ${token("--font")}`, grid, ticks: { show: false } };
    const pen = token(`--pen-${this.pen}`);
    const { decimals } = this.sensor;
    this.plot = new uPlot(
      {
        ...this.size,
        padding: [this.first ? MARKS : 4, 20, this.last ? 0 : 2, 0],
        legend: { show: false },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
        cursor: {
          sync: this.view.sync ? { key: this.view.sync } : undefined,
          drag: { x: Boolean(this.view.select), y: false, setScale: false },
          points: { size: 7 },
        },
        scales: {
          x: { time: true, range: () => [this.view.from(), this.view.until()] },
          y: { range: (_, low, high) => this.range(low, high) },
        },
        axes: [
          {
            ...axis,
            size: this.last ? TIMES : 0,
            values: (_, splits) => splits.map((at) => (this.last ? this.label(at) : "")),
          },
          {
            ...axis,
            size: (_, labels) => this.axisWidth(labels),
            space: 28,
            incrs: stepsFrom(decimals),
            values: (_, splits) => splits.map((value) => number(value, decimals)),
          },
        ],
        series: [
          {},
          {
            stroke: pen,
            width: 1.6,
            spanGaps: false,
            // A reading between two gaps has no line; it is drawn as a dot.
            points: { show: true, size: 3, fill: pen, width: 0, filter: (plot) => this.alone(plot) },
          },
        ],
        hooks: {
          drawClear: [(plot) => this.drawNormal(plot)],
          drawAxes: [(plot) => this.drawLimits(plot)], // over the grid, which would hide a limit at a round value
          draw: [(plot) => this.drawOver(plot)],
          setCursor: [() => this.drawRead()],
          setSelect: this.view.select ? [(plot) => plot.select.width >= 8 && this.view.select(plot)] : [],
        },
      },
      [this.times, this.values],
      this.box,
    );
  }

  alone(plot) {
    const values = plot.data[1];
    const found = [];
    for (let at = 0; at < values.length; at += 1) {
      if (values[at] != null && values[at - 1] == null && values[at + 1] == null) found.push(at);
    }
    return found;
  }

  resize() {
    this.plot.setSize(this.size);
  }

  label(at) {
    const span = this.view.until() - this.view.from();
    const text = clock(at * 1000);
    if (span <= 600) return text;
    if (span <= 1.5 * DAY) return text.slice(0, 5);
    const date = day(at * 1000, now());
    return text.startsWith("00:00") ? date : `${date} ${text.slice(0, 5)}`;
  }

  drawNormal({ ctx, bbox, valToPos }) {
    if (!this.sensor.normal) return;
    inside(ctx, bbox, () => {
      const open = [bbox.top + bbox.height, bbox.top];
      const [low, high] = this.sensor.normal.map((end, at) => (end === null ? open[at] : valToPos(end, "y", true)));
      ctx.fillStyle = token("--track");
      ctx.fillRect(bbox.left, high, bbox.width, low - high);
    });
  }

  drawLimits({ ctx, bbox, valToPos }) {
    const ratio = devicePixelRatio;
    const bottom = bbox.top + bbox.height;
    const { decimals } = this.sensor;
    const drawn = this.sensor.limits
      .map((limit) => ({ ...limit, y: Math.round(valToPos(limit.value, "y", true)) + 0.5 }))
      .filter(({ y }) => y >= bbox.top && y <= bottom)
      .map((limit) => ({ ...limit, text: `${limit.name} ${number(limit.value, decimals)}` }));
    inside(ctx, bbox, () => {
      ctx.font = `${11 * ratio}px ${token("--font")}`;
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.lineJoin = "round";
      for (const { y, priority } of drawn) {
        ctx.strokeStyle = token(`--p${priority}-line`);
        ctx.lineWidth = ratio * 1.2;
        ctx.setLineDash([6 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
      }
      ctx.setLineDash([]);
      const names = drawn.map(({ y, text }) => ({ y: y / ratio, width: ctx.measureText(text).width / ratio }));
      const box = { top: bbox.top / ratio, bottom: bottom / ratio, width: bbox.width / ratio - 6 };
      for (const [place, spot] of namePlaces(names, box).entries()) {
        if (!spot) continue;
        const [x, base] = [bbox.left + (6 + spot.x) * ratio, spot.base * ratio];
        const { text } = drawn[place];
        ctx.strokeStyle = token("--bg-1"); // keeps the grid off the letters
        ctx.lineWidth = 4 * ratio;
        ctx.strokeText(text, x, base);
        ctx.fillStyle = token("--ink-2");
        ctx.fillText(text, x, base);
      }
    });
  }

  drawOver({ ctx, bbox, valToPos }) {
    const ratio = devicePixelRatio;
    ctx.save();
    for (const { time, priority, over = false } of this.view.marks()) {
      const x = Math.round(valToPos(time, "x", true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = token(`--p${priority}-line`);
      ctx.lineWidth = ratio;
      // A return to normal is drawn as its symbol is: an outline.
      ctx.setLineDash(over ? [3 * ratio, 3 * ratio] : []);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      if (this.first) drawMark(ctx, x, bbox.top - 16 * ratio, priority, ratio, over);
    }
    ctx.restore();
  }

  /** The value under the cursor, else the newest one; old values are hatched. */
  drawRead() {
    const { unit, decimals, interval } = this.sensor;
    const at = this.plot?.cursor.idx;
    const pointed = at !== null && at !== undefined && this.times[at] !== undefined;
    const last = this.newest ?? { time: (this.times.at(-1) ?? 0) * 1000, value: this.values.at(-1) };
    const value = pointed ? this.values[at] : last.value;
    const when = pointed ? `${clock(this.times[at] * 1000)}  ` : "";
    setText(this.read, value == null ? `${when}–` : `${when}${number(value, decimals)} ${unit}`.trim());
    this.read.classList.toggle("live", !pointed);
    const old = isStale(now(), last.time, interval) || silenceOf(plant.silent, this.sensor.tag) !== undefined;
    this.read.classList.toggle("stale", !pointed && value != null && old);
  }

  /** Fetches the view's readings; an answer that comes after the view has moved is dropped. */
  async fetch() {
    const [from, until] = [this.view.from(), this.view.until()];
    const query = new URLSearchParams({
      start: new Date(from * 1000).toISOString(),
      end: new Date(until * 1000).toISOString(),
      points: POINTS,
    });
    const asked = Symbol("asked");
    this.asked = asked;
    try {
      const answer = await fetch(`${this.sensor.history}?${query}`, { credentials: "same-origin" });
      if (this.asked !== asked) return;
      if (!answer.ok) throw new Error(String(answer.status));
      const found = await answer.json();
      if (this.asked !== asked) return;
      this.times = found.times.map((ms) => ms / 1000);
      this.values = found.values;
      // What came while it was asked for may be in no answer.
      const newest = this.newest?.time / 1000; // NaN, which is in no range, where there is none
      if (newest >= this.view.from() && newest <= this.view.until()) this.push({ ...this.newest, quality: "good" });
      this.isRead = true;
      setText(this.nothing, gettext("No data in this range"));
      this.draw();
    } catch {
      if (this.asked !== asked) return;
      setText(this.nothing, gettext("The history could not be read. It is read again when the connection is back."));
      this.isRead = true;
      this.nothing.hidden = false;
    }
  }

  /** Takes the newest value for the number beside the name. */
  note(reading) {
    this.newest = { time: reading.time, value: reading.quality === "bad" ? null : reading.value };
  }

  /** Appends the newest value; a silence of three intervals is a gap. */
  push(reading) {
    this.note(reading);
    const at = reading.time / 1000;
    const last = this.times.at(-1);
    if (last !== undefined && at <= last) return;
    const { interval } = this.sensor;
    if (last !== undefined && interval && at - last > Math.max(3 * interval, 5)) {
      this.times.push(last + interval);
      this.values.push(null);
    }
    this.times.push(at);
    this.values.push(this.newest.value);
    if (this.times.length > 2 * POINTS && this.times[POINTS >> 1] < this.view.from()) {
      this.times.splice(0, POINTS >> 1);
      this.values.splice(0, POINTS >> 1);
    }
  }

  draw() {
    this.plot.setData([this.times, this.values]);
    this.nothing.hidden = !this.isRead || this.values.some((value) => value !== null);
    this.drawRead();
    this.element.setAttribute("aria-label", this.summary());
  }

  /** What the picture shows, in one sentence. */
  summary() {
    const known = this.values.filter((value) => value !== null);
    const { name, unit, decimals } = this.sensor;
    if (!known.length && !this.isRead) return name;
    if (!known.length) return fill(gettext("%(name)s: no data in this range"), { name });
    const [low, high] = known.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    return fill(gettext("%(name)s between %(low)s and %(high)s %(unit)s, last %(last)s"), {
      name,
      unit,
      low: number(low, decimals),
      high: number(high, decimals),
      last: number(known.at(-1), decimals),
    });
  }

  remove() {
    this.asked = null;
    this.view.lanes = this.view.lanes.filter((lane) => lane !== this);
    this.plot.destroy();
    this.element.remove();
  }
}
