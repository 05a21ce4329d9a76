// Which parts of the plant are not heard: below them nothing is known. Pure; alerts/silence/queries.py is its twin.

/** Each asset's code and each sensor's tag, with the alarm that tells of its silence; the oldest counts. */
export function silentParts(alarms) {
  const parts = new Map();
  const telling = [...alarms].filter((alarm) => alarm.silent).sort((a, b) => a.id - b.id);
  for (const alarm of telling) {
    for (const part of alarm.silent.parts) if (!parts.has(part)) parts.set(part, alarm);
  }
  return parts;
}

/** The alarm that tells of the silence of a sensor or of what it belongs to; undefined while it is heard. */
export const silenceOf = (parts, tag) => parts.get(tag) ?? parts.get(tag.slice(0, tag.indexOf("/")));
