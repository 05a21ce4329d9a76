// Alarms and notes of the shown time: read around the view, and above the lanes as links and buttons that follow it.

import { make } from "../../lib/dom.js";
import { fill, gettext, ngettext } from "../../lib/words.js";
import { PRIORITY_WORDS } from "../../state/alarms.js";
import { clock } from "./words.js";

const { ack } = document.querySelector("#banner [data-ack]").dataset;
const MOST = 60; // links at once

export class Marks {
  constructor(url, over, { onRead, onNote }) {
    Object.assign(this, { url, over, onRead, onNote, alarms: [], notes: [], read_: null, control: null });
    this.drawn = "";
    over.addEventListener("click", (event) => {
      const id = Number(event.target.closest("button.note")?.dataset.note);
      const note = this.notes.find((one) => one.id === id);
      if (note) this.onNote(note);
    });
  }

  /** Reads what lies in the view and beside it, unless that is known. */
  async read(pens, { from, until, span }, { anew = false } = {}) {
    const tags = pens.map((pen) => pen.tag).join(" ");
    const held = this.read_;
    if (!anew && held?.tags === tags && from >= held.from && until <= held.until) return;
    this.control?.abort();
    if (!pens.length) {
      Object.assign(this, { alarms: [], notes: [], read_: null });
      return;
    }
    const control = (this.control = new AbortController());
    const wanted = { tags, from: from - span, until: until + span };
    const query = new URLSearchParams(pens.map((pen) => ["s", pen.tag]));
    query.set("start", new Date(wanted.from * 1000).toISOString());
    query.set("end", new Date(wanted.until * 1000).toISOString());
    try {
      const answer = await fetch(`${this.url}?${query}`, { credentials: "same-origin", signal: control.signal });
      if (!answer.ok) return;
      const { alarms, notes, more } = await answer.json();
      if (control.signal.aborted) return;
      Object.assign(this, { alarms, notes, read_: wanted });
      const words = fill(gettext("The newest %(n)s alarms of this time are marked; there are more."), { n: alarms.length });
      document.getElementById("drawn").textContent = more ? words : "";
      this.drawn = "";
      this.onRead();
    } catch {
      // What is marked stays; the next view asks again.
    }
  }

  /** Takes an alarm that was just raised. */
  add(alarm) {
    if (this.alarms.some((one) => one.id === alarm.id)) return;
    const time = Date.parse(alarm.raised) / 1000;
    this.alarms.push({ id: alarm.id, time, priority: alarm.priority, message: alarm.message, tag: alarm.sensor });
    this.onRead();
  }

  /** Puts the links over their symbols. */
  place(board, scene) {
    const { from, until } = scene;
    const inView = (one) => (one.to ?? one.time) >= from && (one.from ?? one.time) <= until;
    const clusters = scene.shows("alarms") ? scene.clusters.filter(inView).slice(-MOST) : [];
    const notes = scene.shows("notes") ? this.notes.filter(inView).slice(0, MOST) : [];
    const key = `${clusters.map(({ marks }) => marks.map(({ id }) => id)).join("|")} ${notes.map(({ id, text }) => id + text)}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.over.replaceChildren(...clusters.map(link), ...notes.map(button));
    }
    const { left, width } = board.plot;
    for (const [place, { time }] of clusters.entries()) {
      this.over.children[place].style.transform = `translateX(${board.xOf(time, scene) - 12}px)`;
    }
    for (const [place, note] of notes.entries()) {
      const x = Math.max(left, board.xOf(note.from, scene));
      const element = this.over.children[clusters.length + place];
      element.style.transform = `translateX(${x}px)`;
      element.style.maxWidth = `${Math.max(24, Math.min(160, left + width - x))}px`;
    }
  }
}

function link({ time, marks }) {
  const [worst] = [...marks].sort((one, other) => one.priority - other.priority);
  const more = marks.length - 1;
  const words = [
    `${clock(time)} ${PRIORITY_WORDS[worst.priority]}: ${worst.message}`,
    ...(more ? [fill(ngettext("and %(n)s more alarm", "and %(n)s more alarms", more), { n: more })] : []),
  ].join(", ");
  return make("a", { class: "mark", href: ack.replace("/0/ack", `/${worst.id}/`), title: words, "aria-label": words });
}

function button(note) {
  const words = `${note.text} (${[note.person, note.tag ?? note.asset].filter(Boolean).join(", ")})`;
  return make("button", { type: "button", class: "note", "data-note": note.id, title: words }, note.text);
}
