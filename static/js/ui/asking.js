// Forms that the server makes, in a dialog, and small ones on the page.

import { parsed } from "../lib/asked.js";
import { fill, gettext } from "../lib/words.js";
import { isLost } from "./live.js";
import { send } from "./sending.js";
import { inPhase } from "./symbols.js";
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
