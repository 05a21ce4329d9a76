// Acknowledgements and comments on their way to the server, and what the person is told.

import { post } from "../lib/dom.js";
import { fill, gettext, ngettext } from "../lib/words.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const AT_ONCE = 4;
const { ack } = document.querySelector("#banner [data-ack]").dataset;

/** Acknowledges alarms by number; calls `answered(alarm)` for each as the server then has it. */
export async function acknowledge(ids, answered = () => {}) {
  const left = [...ids];
  const told = new Set();
  let done = 0;
  async function next() {
    for (let id = left.shift(); id !== undefined; id = left.shift()) {
      const words = await one(id, answered);
      if (words === null) done += 1;
      else told.add(words);
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, next));
  const result =
    ids.length === 1
      ? fill(gettext("Alarm %(number)s acknowledged."), { number: ids[0] })
      : fill(ngettext("%(count)s alarm acknowledged.", "%(count)s alarms acknowledged.", done), { count: done });
  const words = [...(done ? [result] : []), ...told].join(" ");
  toast(words);
  say(words);
}

/** Gives null when it was done, else why not. */
async function one(id, answered) {
  try {
    const answer = await post(ack.replace("/0/", `/${id}/`), { comment: "" });
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    const body = isJson ? await answer.json() : {};
    if (body.alarm) answered(body.alarm);
    if (!answer.ok) return body.error ?? fill(gettext("Ack failed, the server answered %(status)s."), answer);
    return body.done ? null : body.message;
  } catch {
    return gettext("Ack failed, no connection.");
  }
}

/** Sends a comment's form; gives whether it arrived. */
export async function sendComment(form) {
  const field = form.querySelector("[name=comment]");
  if (!field.value.trim()) {
    field.focus();
    return false;
  }
  try {
    const answer = await post(form.action, { comment: field.value });
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    const body = isJson ? await answer.json() : {};
    const refused = fill(gettext("The comment was not taken, the server answered %(status)s."), answer);
    toast(answer.ok ? body.message : (body.error ?? refused));
    if (answer.ok) field.value = "";
    return answer.ok;
  } catch {
    toast(gettext("The comment was not sent, no connection."));
    return false;
  }
}
