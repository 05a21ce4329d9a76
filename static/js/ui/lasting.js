// How long an alarm has stood, where it is listed: it counts on until the alarm clears, and then says that it has.

import { setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { duration } from "../state/writing.js";
import { knownUntil } from "./live.js";

/** Writes it into a place, which the shell lets count on while the alarm stands. */
export function drawLasting(place, alarm) {
  const raised = Date.parse(alarm.raised);
  if (alarm.cleared) {
    delete place.dataset.since;
    const time = duration((Date.parse(alarm.cleared) - raised) / 1000);
    setText(place, fill(gettext("cleared after %(time)s"), { time }));
  } else {
    place.dataset.since = String(raised / 1000);
    setText(place, duration((knownUntil() - raised) / 1000));
  }
}
