// Whether it is known which alarms stood: not at a moment before the first that was ever recorded.

import { NO_VALUE } from "../state/writing.js";
import { plant } from "./live.js";

const { dataset } = document.body;

/** Played on to an alarm, the past is known from there. */
export function knowsAlarms() {
  if (plant.alarms.size) delete dataset.alarmsUnknown;
  return !("alarmsUnknown" in dataset);
}

/** A count of alarms, or a dash. */
export const howMany = (number) => (knowsAlarms() ? String(number) : NO_VALUE);
