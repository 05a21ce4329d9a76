// Notes: what people say about a time of a sensor or its asset. Everybody reads them, each changes their own.

import { csrfToken, make } from "../../lib/dom.js";
import { fill, gettext } from "../../lib/words.js";
import { fromField } from "../../state/zone.js";
import { say } from "../say.js";
import { toast } from "../toast.js";
import { setWhen } from "../when.js";

const dialog = document.getElementById("note-dialog");
const { zone } = document.body.dataset;
const byId = (id) => document.getElementById(id);

export class Notes {
  constructor(url, { onChange }) {
    Object.assign(this, { url, onChange, note: null });
  }

  /** Asks for a new note at an instant. */
  add(pens, at) {
    const assets = [...new Map(pens.map((pen) => [pen.asset, pen.machine])).entries()];
    byId("note-of").replaceChildren(
      ...pens.map((pen) => make("option", { value: `sensor ${pen.tag}` }, `${pen.tag}, ${pen.name}`)),
      ...assets.map(([code, name]) => make("option", { value: `asset ${code}` }, `${code}, ${name}`)),
    );
    this.show(null, { text: "", from: at, to: at, own: true });
  }

  /** Shows a note; its writer may change it. */
  open(note) {
    const of = note.tag ?? note.asset;
    byId("note-of").replaceChildren(make("option", { value: "" }, of));
    this.show(note, note);
  }

  show(note, { text, from, to, own }) {
    this.note = note;
    byId("note-title").textContent = note ? gettext("Note") : gettext("New note");
    byId("note-by").textContent = note ? fill(gettext("By %(person)s"), { person: note.person || "–" }) : "";
    byId("note-text").value = text;
    setWhen(byId("note-from"), from, zone);
    setWhen(byId("note-to"), to, zone);
    byId("note-of").disabled = note !== null;
    for (const id of ["note-text", "note-from", "note-to"]) byId(id).readOnly = !own;
    dialog.querySelector("[data-act=trend-note-save]").hidden = !own;
    dialog.querySelector("[data-act=trend-note-delete]").hidden = !note || !own;
    this.problem("");
    dialog.showModal();
    byId("note-text").focus();
  }

  problem(words) {
    const line = dialog.querySelector(".problem");
    line.hidden = !words;
    line.textContent = words;
    byId("note-text").toggleAttribute("aria-invalid", Boolean(words));
  }

  async save() {
    const [start, end] = ["note-from", "note-to"].map((id) => fromField(byId(id).value, zone));
    const text = byId("note-text").value.trim();
    if (!text) return this.problem(gettext("Write what you want to say."));
    if (start === null || end === null || end < start) return this.problem(gettext("The time ends before it starts."));
    const times = { start: new Date(start * 1000).toISOString(), end: new Date(end * 1000).toISOString() };
    const [kind, of] = byId("note-of").value.split(" ");
    const body = this.note ? { ...times, text } : { ...times, text, [kind]: of };
    return this.send(this.note ? "PATCH" : "POST", body, gettext("Note saved."));
  }

  remove() {
    return this.send("DELETE", null, gettext("Note deleted."));
  }

  async send(method, body, done) {
    const address = this.note ? `${this.url}/${this.note.id}` : this.url;
    try {
      const answer = await fetch(address, {
        method,
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        body: body && JSON.stringify(body),
        credentials: "same-origin",
      });
      if (!answer.ok) return this.problem((await answer.json().catch(() => ({}))).error ?? String(answer.status));
    } catch {
      return this.problem(gettext("It was not done, no connection."));
    }
    dialog.close();
    toast(done);
    say(done);
    return this.onChange();
  }
}
