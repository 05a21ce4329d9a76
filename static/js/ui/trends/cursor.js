// The cursor: one instant through all lanes, with what each pen read then.

import { make } from "../../lib/dom.js";
import { readingAt } from "../../state/line.js";
import { say } from "../say.js";
import { written } from "./board.js";
import { moment } from "./words.js";

const line = document.getElementById("cursor");
const tip = document.getElementById("tip");

export class Cursor {
  constructor({ chart, board, scene }) {
    Object.assign(this, { chart, board, scene, at: null, pinned: null });
  }

  /** Puts it at an instant; null takes it back to where it was pinned, or away. */
  put(at, { pinned = false } = {}) {
    if (pinned) this.pinned = at;
    this.at = at ?? this.pinned;
    this.pointed = at !== null;
    this.draw();
  }

  draw() {
    const scene = this.scene();
    const seen = this.at !== null && this.at >= scene.from && this.at <= scene.until && scene.pens.length > 0;
    line.hidden = !seen;
    tip.hidden = !seen || !this.pointed || scene.moving;
    if (!seen) return;
    const { bottom } = this.board.plot;
    const x = this.board.xOf(this.at, scene);
    line.style.transform = `translateX(${x}px)`;
    line.style.height = `${bottom - 44}px`;
    if (tip.hidden) return;
    tip.replaceChildren(
      make("b", {}, moment(this.at, scene.until - scene.from)),
      ...scene.pens.map((pen) => {
        const read = scene.lines.get(pen.tag) && readingAt(scene.lines.get(pen.tag), this.at);
        const value = make("b", {}, written(pen, read?.[1]), pen.unit ? make("span", { class: "u" }, ` ${pen.unit}`) : "");
        return make("div", { class: "r" }, make("i", { class: penClass(pen) }), make("span", { class: "trunc" }, pen.name), value);
      }),
    );
    const room = this.chart.clientWidth;
    const width = tip.offsetWidth;
    tip.style.transform = `translateX(${x + 14 + width < room ? x + 14 : Math.max(0, x - 14 - width)}px)`;
  }

  /** Tells a screen reader what was stepped to. */
  say(at, read) {
    const words = read.map(([pen, found]) => `${pen.name} ${written(pen, found?.[1])} ${pen.unit}`.trim());
    say(`${moment(at)}: ${words.join(", ")}`);
  }
}

export const penClass = (pen) => `pen pen-${((pen.number - 1) % 6) + 1}${pen.number > 6 ? " d2" : ""}`;
