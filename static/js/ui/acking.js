// Acknowledgements and comments on their way to the server, and what the person is told.

import { post } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const { ack, ackMany } = document.querySelector("#banner [data-ack]").dataset;

/**
 * Acknowledges alarms by number; calls `answered(alarm)` for a single one as the server then has it. Gives whether they
 * wait no longer, by whomever.
 */
export async function acknowledge(ids, answered = () => {}) {
  const { failure, words } = ids.length === 1 ? await one(ids[0], answered) : await many(ids);
  toast(failure ?? words);
  say(failure ?? words);
  return failure === null;
}

/** Gives what became of it, in words: who comes second is told who was first. */
async function one(id, answered) {
  const { body, failure } = await ask(ack.replace("/0/", `/${id}/`), { comment: "" });
  if (body.alarm) answered(body.alarm);
  return { failure, words: body.done ? fill(gettext("Alarm %(id)s acknowledged."), { id }) : body.message };
}

async function many(ids) {
  const { body, failure } = await ask(ackMany, new URLSearchParams(ids.map((id) => ["alarm", id])));
  return { failure, words: body.message };
}

/** Sends something; gives the answer's body, and in words why it was not done. */
async function ask(url, fields) {
  try {
    const answer = await post(url, fields);
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    const body = isJson ? await answer.json() : {};
    const { status } = answer;
    const words = fill(gettext("Ack failed, the server answered %(status)s."), { status });
    return { body, failure: answer.ok ? null : (body.error ?? words) };
  } catch {
    return { body: {}, failure: gettext("Ack failed, no connection.") };
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
    const { status } = answer;
    const words = fill(gettext("The comment was not taken, the server answered %(status)s."), { status });
    toast(answer.ok ? body.message : (body.error ?? words));
    if (answer.ok) field.value = "";
    return answer.ok;
  } catch {
    toast(gettext("The comment was not sent, no connection."));
    return false;
  }
}
