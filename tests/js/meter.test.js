// What a moving indicator says in words, drawn by the page's own module.
import assert from "node:assert/strict";
import { test } from "node:test";

/** An indicator as plant/drawing/values.py writes it, as far as the module looks at it. */
function indicator(tag, edges) {
  const said = {};
  const part = { setAttribute() {}, getAttribute: () => null };
  return {
    said,
    dataset: { tag, low: "0", high: "100", decimals: "0", unit: "°C", ...edges },
    classList: { contains: (name) => name === "mai", toggle() {} },
    getAttribute: (name) => said[name],
    setAttribute: (name, value) => (said[name] = value),
    querySelector: () => part,
    closest: () => null,
  };
}

test("a value that is a limit is past it on the limit's own side", async () => {
  const edges = { edgeLow: "20", edgeHigh: "80" };
  const cases = [
    [20, edges, "20 °C, low, limit 20"],
    [19, edges, "19 °C, low, limit 20"],
    [80, edges, "80 °C, high, limit 80"],
    [81, edges, "81 °C, high, limit 80"],
    [20, { edgeLow: "20", edgeHigh: "" }, "20 °C, low, limit 20"],
    [40, { edgeLow: "50", edgeHigh: "50" }, "40 °C, low, limit 50"],
  ];
  const drawn = cases.map(([, limits], number) => indicator(`m${number}/t`, limits));
  const frames = [];
  const dataset = { now: String(Date.now()) };
  Object.assign(globalThis, {
    document: { body: { dataset }, documentElement: { dataset: {} }, querySelectorAll: () => drawn },
    location: { protocol: "http:", host: "works.example" },
    requestAnimationFrame: (step) => frames.push(step),
    setInterval() {},
  });
  const { take } = await import("../../static/js/ui/live.js");
  const { start } = await import("../../static/js/ui/values.js");
  start();
  take({
    type: "snapshot",
    journal: 1,
    values: cases.map(([value], number) => [`m${number}/t`, Date.now(), value, "good"]),
    alarms: cases.map((_, number) => ({ id: number, sensor: `m${number}/t`, priority: 2, state: "B", suppressed: [] })),
  });
  frames.shift()(0);
  assert.deepEqual(drawn.map((one) => one.said["aria-valuetext"]), cases.map(([, , words]) => words));
});
