import assert from "node:assert/strict";
import { test } from "node:test";
import { condition } from "../../static/js/state/freshness.js";
import { apply, nothing } from "../../static/js/state/plant.js";
import { silenceOf, silentParts } from "../../static/js/state/silence.js";

const tells = (id, parts) => ({
  id,
  state: "B",
  rule: "",
  asset: "site",
  message: "No data from source edge-1",
  silent: { since: "2026-03-01T06:00:00Z", parts },
});

test("a sensor is not heard when it, or what it belongs to, is not", () => {
  const parts = silentParts([tells(1, ["press"]), tells(2, ["pump/flow"]), { id: 3, silent: null }]);
  assert.equal(silenceOf(parts, "press/temp").id, 1);
  assert.equal(silenceOf(parts, "pump/flow").id, 2);
  assert.equal(silenceOf(parts, "pump/temp"), undefined);
});

test("the oldest silence is the one that is named", () => {
  assert.equal(silentParts([tells(7, ["press"]), tells(2, ["press"])]).get("press").id, 2);
});

test("a machine that is not heard is unknown, however fresh its last word", () => {
  const after = { stale: 5000, offline: 120_000 };
  assert.deepEqual(condition(1000, 900, after, { value: 1 }, {}, true), {
    kind: "offline",
    word: "no data",
    stale: false,
  });
});

test("silence begins and ends with its alarm, in an old snapshot as in a fresh one", () => {
  const snapshot = (journal, alarms = []) => ({ type: "snapshot", values: [], alarms, journal });
  const alarm = tells(1, ["press"]);
  const old = nothing();
  apply(old, snapshot(4));
  apply(old, { type: "alarm", journal: 5, alarm });
  assert.ok(old.silent.has("press"));
  const fresh = nothing();
  apply(fresh, snapshot(5, [alarm]));
  assert.deepEqual([...fresh.silent.keys()], [...old.silent.keys()]);
  apply(old, { type: "alarm", journal: 6, alarm: { ...alarm, state: "D", silent: null } });
  assert.equal(old.silent.size, 0);
});
