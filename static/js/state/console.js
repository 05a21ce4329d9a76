// What a list of alarms shows of them, in which words; how many rules are not presented. Pure.

import { fill, gettext } from "../lib/words.js";
import { isPresented, isUnacked } from "./alarms.js";

// As plant/pages/alarms/filters.py has them.
const STATES = { standing: "BC", acked: "CF", cleared: "D", latched: "EF" };
const SWITCHES = { shelved: "shelved", suppressed: "by_design", out_of_service: "out_of_service" };

/** Whether a list is one of rules, not of alarms. */
export const isOfRules = (show) => show in SWITCHES;

/**
 * Whether a list, as it is narrowed, would show a new alarm. Takes the list's name, its filters as they stand in the
 * address, and what gives an asset's area.
 */
export function belongs(alarm, show, filters, areaOf) {
  if (!isPresented(alarm) || isOfRules(show) || show === "history") return false;
  if (show === "unacked" && !isUnacked(alarm)) return false;
  if (filters.older) return false; // it has only just come
  if (filters.priority && !filters.priority.split(",").includes(String(alarm.priority))) return false;
  if (filters.state && !STATES[filters.state].includes(alarm.state)) return false;
  if (filters.class && alarm.class !== filters.class) return false;
  if (filters.position && alarm.position !== filters.position) return false;
  if (filters.area && areaOf(alarm.asset) !== filters.area) return false;
  const text = `${alarm.message} ${alarm.sensor} ${alarm.asset}`.toLowerCase();
  return (filters.q ?? "").toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Whether a list of rules, as it is narrowed, shows one. A rule has no state, no age and no position of its own. */
export function belongsRule(row, show, filters, areaOf) {
  if (!row.suppressed.includes(SWITCHES[show])) return false;
  if (filters.priority && !filters.priority.split(",").includes(String(row.priority))) return false;
  if (filters.class && row.class !== filters.class) return false;
  if (filters.area && areaOf(row.asset) !== filters.area) return false;
  const why = [row.shelve_reason, row.out_reason, ...row.designed].join(" ");
  const text = `${row.rule} ${row.asset} ${why}`.toLowerCase();
  return (filters.q ?? "").toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** How an alarm stands, in a word. Takes its symbol's look; zero: it is over. */
export function wordOf(alarm, look) {
  if (look === "zero") return gettext("Over");
  if (look === "shelved") return gettext("Shelved");
  if (look === "suppressed") return gettext("Suppressed");
  if (look === "returned") return gettext("Cleared");
  if (alarm.state === "E") return gettext("Latched, unacked");
  if (alarm.state === "F") return gettext("Latched, acked");
  if (look === "unack") return gettext("Unacked");
  return alarm.acked ? gettext("Acked") : gettext("Active");
}

/** Who acknowledged an alarm, for its row; nothing where nobody did. */
export const whoAcked = (alarm) => (alarm?.acked_by ? fill(gettext("by %(who)s"), { who: alarm.acked_by }) : "");

/** Counts what is not presented by list: { shelved, suppressed, out_of_service }. */
export function countHidden(rows) {
  const found = { shelved: 0, suppressed: 0, out_of_service: 0 };
  for (const row of rows) {
    for (const [list, name] of Object.entries(SWITCHES)) if (row.suppressed.includes(name)) found[list] += 1;
  }
  return found;
}

/** Whether a rule is not presented for the reason of a list. */
export const isHiddenIn = (row, show) => row.suppressed.includes(SWITCHES[show]);
