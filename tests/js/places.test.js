// The limit of an alarm that comes over the socket is written as the server writes it on the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { limitOf } from "../../static/js/ui/places.js";

const cases = JSON.parse(readFileSync(new URL("./limits.json", import.meta.url), "utf8"));

for (const { why, alarm, text } of cases) {
  test(`limit: ${why}`, () => assert.equal(limitOf(alarm), text));
}
