// The end of the session: said two minutes before, and put off by one click. A wall that only shows stays signed in.

import { onAct } from "../lib/dispatch.js";
import { post, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { leaving, whatToDo } from "../state/session.js";
import { clock, duration } from "../state/writing.js";
import { serverTime } from "./live.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("session-end");
const { body, documentElement: root } = document;
let ends = Number(body.dataset.sessionEnds) || null;
let asking = false;

const showsOnly = () => root.dataset.density === "wall" && !("mayAck" in body.dataset);

async function stay() {
  if (asking) return;
  asking = true;
  try {
    const answer = await post("/session", {});
    if (!answer.ok) throw new Error(String(answer.status));
    ends = (await answer.json()).ends;
    dialog.close();
  } catch {
    toast(gettext("You are not signed in any longer than before, no connection."));
  } finally {
    asking = false;
  }
}

function look() {
  const left = ends === null ? null : ends - serverTime();
  switch (whatToDo(left, showsOnly(), dialog.open)) {
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
