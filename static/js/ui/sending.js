// Forms that are sent by script: what came of it is told in a toast, what is refused in the dialog it was written in.

import { make, post } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("asking");

/** Sends a form and tells what came of it; gives whether something was done. */
export async function send(form) {
  const button = form.querySelector("button:not([type=button])");
  if (button?.getAttribute("aria-disabled") === "true") return false;
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await post(form.action, new FormData(form));
    const isJson = answer.headers.get("Content-Type")?.includes("json");
    const body = isJson ? await answer.json() : {};
    const failed = fill(gettext("It was not done, the server answered %(status)s."), answer);
    const words = body.message ?? body.error ?? failed;
    if (dialog?.open && form.closest("dialog") === dialog && !answer.ok) refuse(form, words);
    else {
      dialog?.close();
      toast(words);
    }
    say(words);
    return answer.ok;
  } catch {
    toast(gettext("It was not done, no connection."));
    return false;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

function refuse(form, words) {
  form.querySelector(".problem")?.remove();
  const field = form.querySelector("[name=reason]");
  const problem = make("p", { class: "problem", role: "alert" }, words);
  if (!field) return form.querySelector(".body").append(problem);
  field.setAttribute("aria-invalid", "true");
  field.after(problem);
  return field.focus();
}
