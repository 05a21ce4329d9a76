// The end of the session: said two minutes before, and put off by one click. A wall display that only looks stays signed in.

import { onAct } from "../lib/dispatch.js";
import { post, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { leaving, showsOnly, whatToDo } from "../state/session.js";
import { clock, duration } from "../state/writing.js";
import { serverTime } from "./live.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("session-end");
const { body, documentElement: root } = document;
let ends = Number(body.dataset.sessionEnds) || null;
let asking = false;

const alone = () => showsOnly(root.dataset.density, body.dataset);

async function ask(fields) {
  const answer = await post("/session", fields, { own: true });
  if (!answer.ok) throw new Error(String(answer.status));
  const said = await answer.json();
  ends = said.ends;
  // Its account may do more by now than when the page was made.
  if (fields.wall && !said.stays) delete body.dataset.looksOnly;
}

/** Says whether the browser shows the wall: there the session of a display that only looks does not run out. */
export function sayWall() {
  if ("looksOnly" in body.dataset) ask({ wall: root.dataset.density === "wall" ? "1" : "" }).catch(() => {});
}

async function stay() {
  if (asking) return;
  asking = true;
  try {
    await ask(alone() ? { wall: "1" } : {});
    dialog.close();
  } catch {
    toast(gettext("You are not signed in any longer than before, no connection."));
  } finally {
    asking = false;
  }
}

function look() {
  const left = ends === null ? null : ends - serverTime();
  switch (whatToDo(left, alone(), dialog.open)) {
    case "stay":
      stay();
      break;
    case "warn":
      dialog.showModal();
      break;
    case "leave":
      location.assign(leaving(location));
      break;
    default:
  }
  if (dialog.open) {
    const words = gettext("You are signed out at %(time)s, in %(left)s.");
    setText(document.getElementById("session-when"), fill(words, { time: clock(ends), left: duration(left / 1000) }));
  }
}

export function start() {
  if (ends === null) return;
  onAct({ "session-stay": stay });
  setInterval(look, 1000);
}
