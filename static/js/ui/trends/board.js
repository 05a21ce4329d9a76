// The picture: all lanes on one canvas under one time axis. Lanes: a pen each; or one plot with an axis for each unit.
// A canvas of its own, not uPlot: a frame of twelve lanes is one clear and twelve strokes, and the lanes share their axis.

import { fill, gettext } from "../../lib/words.js";
import { labelKey } from "../../state/freshness.js";
import { axisWidth, numberMarks, reach, timeMarks } from "../../state/axis.js";
import { byUnit } from "../../state/explorer.js";
import { extremes, newestOf } from "../../state/line.js";
import { number } from "../../state/writing.js";
import { drawMark, inside, widthOf } from "../plotting.js";
import * as strokes from "./strokes.js";

const STRIP = 44; // px above the lanes: the alarms' symbols, the notes
const TIMES = 24; // px below them
const HEAD = 22; // px above each lane for its name
const LOWEST = 44; // px that a lane keeps
const AXIS = 50; // px of a value's axis, more where its labels are wider
const BESIDE = 9; // px of that around a label
const SMALL = 560; // px of width from which there is room for more

const { zone } = document.body.dataset;
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const dayFormat = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
const monthFormat = new Intl.DateTimeFormat(language, { month: "short", year: "numeric", timeZone: "UTC" });
const WORDS = { date: (ms) => dayFormat.format(ms), month: (ms) => monthFormat.format(ms) };

/** A pen's value as it is read: in the sensor's digits, or in its words. */
export function written(pen, value) {
  if (value === null || value === undefined) return number(null);
  const { labels } = pen;
  return Object.keys(labels).length ? (labels[labelKey(value)] ?? labelKey(value)) : number(value, pen.decimals);
}

const isDiscrete = (pen) => Object.keys(pen.labels).length > 0;

export class Board {
  constructor(place) {
    this.place = place;
    this.canvas = place.querySelector("canvas");
    this.ctx = this.canvas.getContext("2d");
    this.look = strokes.style();
    this.reached = new Map(); // how far each scale went in the last picture
    this.boxes = [];
    this.scales = [];
  }

  restyle() {
    this.look = strokes.style();
  }

  /** Fits the canvas to its place; gives whether it changed. */
  fit(lanes) {
    const width = this.place.clientWidth;
    const least = STRIP + TIMES + lanes * (HEAD + LOWEST);
    const height = Math.max(this.place.clientHeight, least);
    const ratio = devicePixelRatio;
    if (this.width === width && this.height === height && this.ratio === ratio) return;
    Object.assign(this, { width, height, ratio });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
  }

  get plot() {
    const [first, last] = [this.boxes[0], this.boxes.at(-1)];
    return { left: first.left, width: first.width, top: STRIP, bottom: last.top + last.height };
  }

  timeOf(x, { from, until }) {
    const { left, width } = this.plot;
    return from + ((x - left) / width) * (until - from);
  }

  xOf(at, { from, until }) {
    const { left, width } = this.plot;
    return left + ((at - from) / (until - from)) * width;
  }

  /** Draws a scene: see page.js for what it holds. */
  draw(scene) {
    const groups = scene.layout === "one" ? [scene.pens] : scene.pens.map((pen) => [pen]);
    this.fit(groups.length);
    this.ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.ctx.clearRect(0, 0, this.width, this.height);
    this.paint(this.ctx, groups, scene);
  }

  /** The same as a picture of its own, with a heading. */
  picture(scene, heading) {
    const canvas = document.createElement("canvas");
    const ctx = canvas.getContext("2d");
    const ratio = Math.max(2, this.ratio);
    const top = 34;
    canvas.width = this.width * ratio;
    canvas.height = (this.height + top) * ratio;
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = this.look["bg-1"];
    ctx.fillRect(0, 0, this.width, this.height + top);
    strokes.text(ctx, this.look, heading, 12, 24, { weight: 620, size: 13, colour: "ink-1" });
    ctx.translate(0, top);
    this.paint(ctx, scene.layout === "one" ? [scene.pens] : scene.pens.map((pen) => [pen]), scene);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  layOut(groups, scene) {
    const small = this.width < SMALL;
    const units = groups.map((pens) => (scene.layout === "one" ? byUnit(pens) : [pens]));
    const axes = Math.max(...units.map((some) => some.length));
    const leftAxes = Math.ceil(axes / 2);
    const weights = groups.map((pens) => (pens.every(isDiscrete) ? 0.6 : 1));
    const free = this.height - STRIP - TIMES - groups.length * HEAD;
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    const heights = weights.map((weight) => (free * weight) / whole);
    this.scales = units.map((some, place) => some.map((pens) => this.scaleOf(pens, scene, heights[place])));
    const axis = this.widthOfAxes(small ? 42 : AXIS, scene);
    const left = 4 + axis * leftAxes;
    const right = (small ? 74 : 92) + axis * (axes - leftAxes);
    let top = STRIP;
    this.boxes = heights.map((height) => {
      const box = { left, top: top + HEAD, width: this.width - left - right, height };
      top = box.top + box.height;
      return box;
    });
    this.axisWidth = axis;
  }

  /** All axes are as wide as the widest number; while one moves they only widen. Words are cut off instead. */
  widthOfAxes(least, { moving }) {
    const labels = this.scales.flat().flatMap(({ marks, decimals }) => marks.map((value) => number(value, decimals)));
    const width = axisWidth(labels, (words) => widthOf(words, `400 11px ${this.look.font}`), least, BESIDE);
    return moving ? Math.max(width, this.axisWidth ?? 0) : width;
  }

  /** How far a scale goes, and its marks; while one moves it only widens, so that nothing jumps under the hand. */
  scaleOf(pens, scene, height) {
    const { from, until, back, moving } = scene;
    const key = pens.map((pen) => pen.tag).join(" ");
    if (isDiscrete(pens[0])) {
      const known = Object.keys(pens[0].labels).map(Number);
      const [low, high] = [Math.min(...known), Math.max(...known)];
      return { pens, low: low - 0.4, high: high + 0.4, discrete: true, marks: [] };
    }
    let [low, high] = [null, null];
    for (const pen of pens) {
      const found = [scene.lines.get(pen.tag) && extremes(scene.lines.get(pen.tag), from, until)];
      const past = back && scene.past.get(pen.tag);
      if (past) found.push(extremes(past, from - back, until - back));
      for (const span of found.filter(Boolean)) {
        low = Math.min(low ?? Infinity, span[0]);
        high = Math.max(high ?? -Infinity, span[1]);
      }
    }
    const normal = pens.flatMap((pen) => pen.normal ?? []);
    const limits = scene.shows("limits") ? pens.flatMap((pen) => pen.limits) : [];
    const decimals = Math.min(...pens.map((pen) => pen.decimals));
    let span = reach(low, high, { normal, limits, decimals });
    const before = this.reached.get(key);
    if (moving && before) span = [Math.min(span[0], before[0]), Math.max(span[1], before[1])];
    this.reached.set(key, span);
    const finest = Math.max(...pens.map((pen) => pen.decimals));
    const marks = numberMarks(...span, Math.max(2, height / 26), finest);
    return { pens, low: span[0], high: span[1], discrete: false, ...marks };
  }

  paint(ctx, groups, scene) {
    if (!groups.length || !groups[0].length) return;
    this.layOut(groups, scene);
    const { look } = this;
    const { from, until, now } = scene;
    const { left, width, bottom } = this.plot;
    const k = width / (until - from);
    const xOf = (at) => left + (at - from) * k;
    xOf.now = now;
    const marks = timeMarks(from, until, width / (this.width < SMALL ? 84 : 92), zone, WORDS);
    const xs = marks.map(([at]) => xOf(at));
    for (const [place, pens] of groups.entries()) {
      const box = this.boxes[place];
      this.paintLane(ctx, box, this.scales[place], scene, { xOf, xs });
      if (scene.layout === "one") this.paintHeads(ctx, box, pens);
      else this.paintHead(ctx, box, pens[0]);
    }
    for (const [at, words] of marks) strokes.text(ctx, look, words, xOf(at), bottom + 17, { align: "center" });
    if (scene.shows("notes")) this.paintNotes(ctx, scene, xOf);
    if (scene.shows("alarms")) this.paintAlarms(ctx, scene, xOf);
    if (now < until) {
      ctx.fillStyle = look["ink-1"];
      ctx.globalAlpha = 0.035;
      ctx.fillRect(xOf(now), STRIP, xOf(until) - xOf(now), bottom - STRIP);
      ctx.globalAlpha = 1;
    }
  }

  paintLane(ctx, box, scales, scene, { xOf, xs }) {
    const { look } = this;
    const { from, until, back } = scene;
    const ends = [];
    for (const [place, scale] of scales.entries()) {
      const yOf = (value) => box.top + box.height - ((value - scale.low) / (scale.high - scale.low)) * box.height;
      const ticks = this.paintAxis(ctx, box, scale, place, yOf);
      if (place === 0) strokes.grid(ctx, look, box, xs, ticks);
      inside(ctx, box, () => {
        if (scales.length === 1 && scale.pens.length === 1 && scale.pens[0].normal) {
          const [low, high] = scale.pens[0].normal;
          strokes.band(ctx, look, box, low === null ? box.top + box.height : yOf(low), high === null ? box.top : yOf(high));
          strokes.grid(ctx, look, box, xs, ticks);
        }
        for (const pen of scale.pens) {
          const known = scene.lines.get(pen.tag);
          if (known) strokes.bad(ctx, look, box, known.bad, xOf, gettext("bad"));
        }
        if (scene.shows("limits")) {
          const lines = scale.pens.flatMap((pen) =>
            pen.limits.map((limit) => ({ ...limit, words: `${limit.name} ${number(limit.value, pen.decimals)}` })),
          );
          strokes.limits(ctx, look, box, lines, yOf);
        }
        for (const pen of scale.pens) {
          const drawn = { xOf, yOf, from, until, pen: pen.number, steps: scale.discrete };
          const past = back && scene.past.get(pen.tag);
          if (past) strokes.line(ctx, look, box, past, { ...drawn, back });
          const known = scene.lines.get(pen.tag);
          if (known) strokes.line(ctx, look, box, known, drawn);
        }
      });
      for (const pen of scale.pens) ends.push(...this.endOf(pen, scene, box, xOf, yOf));
    }
    this.paintEnds(ctx, box, ends, scales.length);
  }

  /** The newest value of the view, at the line's end; hatched where it is not the present's. */
  endOf(pen, scene, box, xOf, yOf) {
    const known = scene.lines.get(pen.tag);
    const newest = known && newestOf(known, scene.until);
    if (!newest) return [];
    const x = xOf(newest[0]);
    const y = Math.max(box.top, Math.min(box.top + box.height, yOf(newest[1])));
    const seen = x >= box.left && x <= box.left + box.width;
    if (!seen && !isDiscrete(pen)) return [];
    const words = written(pen, newest[1]);
    return [{ x: seen ? x : null, y, pen: pen.number, words, unit: pen.unit, old: scene.isOld(pen) }];
  }

  paintEnds(ctx, box, ends, axes) {
    ends.sort((one, other) => one.y - other.y);
    let least = box.top + 4;
    for (const one of ends) {
      one.labelY = Math.max(one.y, least);
      least = one.labelY + 14;
    }
    let most = box.top + box.height;
    for (const one of ends.toReversed()) {
      one.labelY = Math.min(one.labelY, most);
      most = one.labelY - 14;
    }
    const shifted = { ...box, width: box.width + (axes - Math.ceil(axes / 2)) * this.axisWidth };
    for (const one of ends) strokes.end(ctx, this.look, { ...box, ...shifted }, one);
  }

  /** An axis of numbers or of words, left and right by turns; gives where its marks are. */
  paintAxis(ctx, box, scale, place, yOf) {
    const { look, axisWidth } = this;
    const onLeft = place % 2 === 0;
    const away = Math.floor(place / 2) * axisWidth;
    const x = onLeft ? box.left - 7 - away : box.left + box.width + 7 + away;
    const shown = { align: onLeft ? "right" : "left" };
    const [pen] = scale.pens;
    if (this.scalesOf(box) > 1) {
      if (scale.pens.length === 1) shown.colour = strokes.penColour(look, pen.number);
      const unit = scale.discrete ? pen.name : pen.unit || gettext("none");
      strokes.text(ctx, look, fitting(ctx, look, unit, axisWidth - 8), x, box.top - 7, { ...shown, weight: 560 });
    }
    if (scale.discrete) {
      const words = Object.entries(pen.labels).map(([value, word]) => [Number(value), String(word)]);
      let last = Infinity;
      for (const [value, word] of words.sort(([one], [other]) => one - other)) {
        const y = yOf(value) + 4;
        if (last - y < 11) continue; // there is no room for each word
        strokes.text(ctx, look, fitting(ctx, look, word, axisWidth - 8), x, y, shown);
        last = y;
      }
      return words.map(([value]) => yOf(value));
    }
    const { marks, decimals } = scale;
    for (const value of marks) strokes.text(ctx, look, number(value, decimals), x, yOf(value) + 4, shown);
    return marks.map(yOf);
  }

  scalesOf(box) {
    return this.scales[this.boxes.indexOf(box)].length;
  }

  paintHead(ctx, box, pen) {
    const width = strokes.text(ctx, this.look, pen.tag, box.left, box.top - 7, { weight: 620, colour: "ink-1" });
    const rest = [pen.name, pen.unit].filter(Boolean).join(", ");
    strokes.text(ctx, this.look, fitting(ctx, this.look, rest, box.width - width), box.left + width + 7, box.top - 7);
  }

  paintHeads(ctx, box, pens) {
    let x = box.left;
    for (const pen of pens) {
      ctx.fillStyle = strokes.penColour(this.look, pen.number);
      ctx.fillRect(x, box.top - 22, 12, 2.5);
      x += 17 + strokes.text(ctx, this.look, pen.tag, x + 17, box.top - 18, { weight: 620, colour: "ink-1" }) + 14;
      if (x > box.left + box.width - 60) return;
    }
  }

  paintNotes(ctx, { notes, from, until }, xOf) {
    const { look } = this;
    const { bottom, left, width } = this.plot;
    for (const note of notes) {
      if (note.to < from || note.from > until) continue;
      const x = xOf(note.from);
      if (note.to > note.from) {
        const begin = Math.max(left, x);
        ctx.fillStyle = look["ink-2"];
        ctx.globalAlpha = 0.09;
        ctx.fillRect(begin, STRIP, Math.min(left + width, xOf(note.to)) - begin, bottom - STRIP);
        ctx.globalAlpha = 1;
      }
      if (x >= left) strokes.upright(ctx, x, STRIP - 18, bottom, look["ink-3"], [2, 3]);
    }
  }

  paintAlarms(ctx, { clusters, from, until }, xOf) {
    const { bottom } = this.plot;
    for (const { marks } of clusters) {
      for (const { time, priority } of marks) {
        if (time < from || time > until) continue;
        ctx.globalAlpha = 0.8;
        strokes.upright(ctx, xOf(time), STRIP, bottom, this.look[`p${priority}-line`]);
        ctx.globalAlpha = 1;
      }
    }
    for (const { time, marks } of clusters) {
      if (time < from || time > until) continue;
      drawMark(ctx, xOf(time), 4, Math.min(...marks.map((mark) => mark.priority)), 1);
      if (marks.length > 1) {
        strokes.text(ctx, this.look, String(marks.length), xOf(time) + 9, 15, { weight: 560, colour: "ink-1" });
      }
    }
  }

  /** What the picture shows, in a sentence a pen. */
  summary({ pens, lines, from, until }) {
    return pens
      .map((pen) => {
        const found = lines.get(pen.tag) && extremes(lines.get(pen.tag), from, until);
        if (!found) return fill(gettext("%(name)s: no data in this range"), { name: pen.name });
        const [low, high] = found.map((value) => written(pen, value));
        return fill(gettext("%(name)s between %(low)s and %(high)s %(unit)s"), { name: pen.name, low, high, unit: pen.unit });
      })
      .join(". ");
  }
}

/** Words as far as they fit into a width. */
function fitting(ctx, look, words, width) {
  ctx.font = `400 11px ${look.font}`;
  if (ctx.measureText(words).width <= width) return words;
  let short = words;
  while (short && ctx.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return short ? `${short}…` : "";
}
