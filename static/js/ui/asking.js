// Forms that the server makes, in a dialog, and small ones on the page: sent by script, told in a toast.

import { parsed } from "../lib/asked.js";
import { make, post } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { isLost } from "./live.js";
import { inPhase } from "./symbols.js";
import { say } from "./say.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("asking");
let done = () => {};

/** Shows the form at an address in the dialog; without one, the address itself is opened. */
export async function ask(address) {
  if (isLost()) {
    return toast(gettext("That is not possible without a connection."));
  }
  if (!dialog) return location.assign(address);
  const fragment = new URL(address, location.href);
  fragment.searchParams.set("fragment", "1");
  const answer = await fetch(fragment, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) {
    const forbidden = answer?.status === 403;
    const refused = gettext("You can look. An administrator can let you do this.");
    toast(forbidden ? refused : gettext("The form could not be read."));
    return undefined;
  }
  dialog.replaceChildren(...parsed(await answer.text()).body.childNodes);
  inPhase();
  drawEnd();
  dialog.showModal();
  dialog.querySelector("[name=reason]")?.focus();
  return undefined;
}

/** The button says until when: "Shelve until 19:36". */
function drawEnd() {
  const chosen = dialog.querySelector("input[name=minutes]:checked");
  const button = dialog.querySelector("footer .primary");
  if (!chosen || !button) return;
  button.dataset.word ??= button.textContent;
  const until = chosen.dataset.until?.slice(0, 5);
  const { word } = button.dataset;
  button.textContent = until
    ? fill(gettext("%(verb)s until %(time)s"), { verb: word, time: until })
    : fill(gettext("%(verb)s once"), { verb: word });
}

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

/** Begins to listen; `after` is called when something was done. */
export function start(after) {
  done = after;
  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("form[data-do]")) return;
    event.preventDefault();
    if (await send(event.target)) done();
  });
  dialog?.addEventListener("change", drawEnd);
}
