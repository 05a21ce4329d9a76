// Find: `/` opens it at once. What looks for the words (ui/finding.js) is read once the page stands, at the latest then.

import { onAct, onKeys } from "../lib/dispatch.js";
import { readWhenAsked } from "../lib/once.js";
import { gettext } from "../lib/words.js";

const READ_AFTER = 2_000; // ms in which the page is drawn first

const dialog = document.getElementById("find");
const field = dialog.querySelector("input");
const read = readWhenAsked(() => import("./finding.js"));

function notThere() {
  const hint = dialog.querySelector(".hint");
  hint.hidden = false;
  hint.textContent = gettext("Find needs the connection to the plant server.");
}

function open() {
  dialog.showModal();
  field.select();
  read().then((finding) => dialog.open && finding.begin(), notThere);
}

/** Enter is of the words that stand there, though nothing may look for them yet. */
function enter(event) {
  // The field of a dialog has the focus for some ms after it was closed.
  if (event.key !== "Enter" || event.isComposing || !dialog.open) return;
  event.preventDefault();
  const words = field.value;
  read().then((finding) => dialog.open && field.value === words && finding.enter(), notThere);
}

export function start() {
  field.addEventListener("keydown", enter);
  onAct({ find: open });
  onKeys({ "/": "find" });
  setTimeout(() => read().catch(() => {}), READ_AFTER);
}
