// The pens' readings around the view: what is shown is read first, then what lies beside it, so that one can pan into it.

import { append, cut, joined, lineOf } from "../../state/line.js";

export const POINTS = 2000; // a pen and view
const HURRIED = 90; // ms that a view must stand before it is read, while it moves
const KEPT = 7; // views

/**
 * Holds `lines`, a line for each tag. Takes: the address of the history, how many points a view needs, the server's
 * time in seconds, and what to do when there is something new to draw (`onRead`) or nothing to be had (`onFailed`).
 */
export class Readings {
  constructor({ url, points, now, onRead, onFailed }) {
    Object.assign(this, { url, points, now, onRead, onFailed });
    this.lines = new Map();
    this.tags = [];
    this.from = this.until = this.span = 0; // what is held, and of how long a view
    this.open = false; // it reaches to now: newer readings may be appended
    this.view = null; // the request of a view, under way
    this.sides = { before: null, after: null };
    this.timer = null;
    this.meanwhile = []; // what came while readings were asked for, and may be in no answer
  }

  /** Tells what is looked at. `hurried` while it moves. */
  look(tags, from, until, { hurried = false } = {}) {
    this.wanted = { tags, from, until };
    if (!tags.length) return this.forget();
    clearTimeout(this.timer);
    const fits = sameTags(tags, this.tags) && (this.isWhole || isLike(until - from, this.span));
    if (fits && !this.view && this.isNear(from, until)) return this.extend(from, until);
    if (this.view && isComing(this.asked, this.wanted)) return undefined;
    if (hurried) this.timer = setTimeout(() => this.read(), HURRIED);
    else this.read();
    return undefined;
  }

  /** Whether a view is held, or so nearly that its missing side comes at once. */
  isNear(from, until) {
    const span = until - from;
    const end = Math.min(until, this.now());
    return from >= this.from - span / 2 && end <= this.until + span / 2 && from < this.until && until > this.from;
  }

  /** Whether nothing was thinned away. */
  get isWhole() {
    return [...this.lines.values()].every((line) => !line.thinned);
  }

  /** Whether all of a view has been read, as finely as it is shown. */
  holds(from, until) {
    const fine = this.isWhole || isLike(until - from, this.span);
    return this.tags.length > 0 && fine && from >= this.from - 1e-3 && Math.min(until, this.now()) <= this.until + 2;
  }

  forget() {
    this.stop();
    this.lines.clear();
    this.meanwhile.length = 0;
    this.tags = [];
    this.from = this.until = 0;
  }

  /** Reads what is looked at anew; until it is there, what is held stays. */
  renew() {
    if (this.tags.length && this.wanted) this.read();
  }

  stop() {
    clearTimeout(this.timer);
    this.view?.abort();
    for (const side of ["before", "after"]) {
      this.sides[side]?.abort();
      this.sides[side] = null;
    }
  }

  /** Reads the view that was last looked at; what was under way for another is given up. */
  async read() {
    this.asked = this.wanted;
    const { tags, from, until } = this.asked;
    this.stop();
    const control = (this.view = new AbortController());
    const items = await this.ask(tags, from, until, control, "high");
    if (this.view === control) this.view = null;
    if (!items) return;
    this.tags = [...tags];
    this.lines = new Map(items.map((item) => [item.sensor, lineOf(item, from, until)]));
    this.span = until - from;
    Object.assign(this, { from, until, open: until >= this.now() - 2 });
    this.catchUp();
    this.onRead();
    this.extend(this.wanted.from, this.wanted.until);
  }

  async ask(tags, from, until, control, priority) {
    const query = new URLSearchParams(tags.map((tag) => ["sensor", tag]));
    query.set("start", new Date(from * 1000).toISOString());
    query.set("end", new Date(until * 1000).toISOString());
    query.set("points", this.points());
    query.set("edges", "true");
    try {
      const answer = await fetch(`${this.url}?${query}`, {
        credentials: "same-origin",
        signal: control.signal,
        priority,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { items } = await answer.json();
      return control.signal.aborted ? null : items;
    } catch (error) {
      if (!control.signal.aborted) this.onFailed(error);
      return null;
    }
  }

  /** Reads what lies beside the view, as far as one pans next. */
  extend(from, until) {
    const span = until - from;
    if (this.view) return;
    if (this.from > from - span / 2) this.grow("before", this.from - this.span, this.from);
    const now = this.now();
    if (!this.open && this.until < Math.min(until + span / 2, now)) {
      this.grow("after", this.until, Math.min(this.until + this.span, now));
    }
  }

  async grow(side, from, until) {
    if (this.sides[side]) return;
    const control = (this.sides[side] = new AbortController());
    const items = await this.ask(this.tags, from, until, control, "low");
    if (this.sides[side] === control) this.sides[side] = null;
    if (!items) return;
    for (const item of items) {
      const part = lineOf(item, from, until);
      const line = this.lines.get(item.sensor);
      this.lines.set(item.sensor, side === "before" ? joined(part, line) : joined(line, part));
    }
    if (side === "before") this.from = from;
    else Object.assign(this, { until, open: until >= this.now() - 2 });
    this.catchUp();
    this.trim();
    this.onRead();
    if (this.wanted) this.look(this.wanted.tags, this.wanted.from, this.wanted.until, { hurried: true });
  }

  /** Lets go of what is far from the view. */
  trim() {
    const { from, until } = this.wanted;
    const room = ((KEPT - 1) / 2) * (until - from);
    const [first, last] = [Math.max(this.from, from - room), Math.min(this.until, until + room)];
    if (first === this.from && last === this.until) return;
    for (const [tag, line] of this.lines) this.lines.set(tag, cut(line, first, last));
    if (last < this.until) this.open = false;
    Object.assign(this, { from: first, until: last });
  }

  catchUp() {
    for (const one of this.meanwhile.splice(0)) this.note(...one);
  }

  /** Takes a newer reading than those that were read. */
  note(tag, reading, interval) {
    if (this.view || this.sides.after) this.meanwhile.push([tag, reading, interval]);
    const { time, value, quality } = reading;
    const line = this.lines.get(tag);
    if (!line || !this.open) return;
    append(line, time / 1000, quality === "bad" ? null : value, interval);
    line.until = Math.max(line.until, time / 1000);
  }

  /** What is open has been heard until now. */
  hear(now) {
    if (this.open) this.until = Math.max(this.until, now);
  }

  /** Whether so much was appended that the view is better read anew. */
  get isHeavy() {
    return [...this.lines.values()].some((line) => line.times.length > 3 * KEPT * POINTS);
  }
}

const sameTags = (some, others) => some.length === others.length && some.every((tag) => others.includes(tag));

/** Whether a view of one length is drawn well from what was read for another. */
const isLike = (span, read) => span >= read * 0.7 && span <= read * 1.6;

/** Whether what was asked for is as good as what is wanted by now. */
function isComing(asked, wanted) {
  const span = asked.until - asked.from;
  const near = Math.abs(asked.from - wanted.from) < span / 4 && isLike(wanted.until - wanted.from, span);
  return near && sameTags(asked.tags, wanted.tags);
}
