// Colours live in tokens.css only, and the light theme by choice is the light theme by system.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const css = new URL("../../static/css/", import.meta.url);
const tokens = readFileSync(new URL("tokens.css", css), "utf8");
const values = (block) =>
  [...block.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name, value]) => `${name}: ${value}`).sort();

test("both ways into the light theme give the same colours", () => {
  const chosen = tokens.match(/:root\[data-theme="light"\] \{(.*?)\n\}/s)[1];
  const system = tokens.match(/:root:not\(\[data-theme\]\) \{(.*?)\n  \}/s)[1];
  assert.ok(values(chosen).length > 40);
  assert.deepEqual(values(chosen), values(system));
});

test("no colour is written outside the tokens", () => {
  const files = readdirSync(css, { recursive: true }).filter((name) => name.endsWith(".css") && name !== "tokens.css");
  const found = files.flatMap((name) =>
    [...readFileSync(new URL(name, css), "utf8").matchAll(/#[0-9a-f]{3,8}\b(?![^{]*\{)|\b(?:rgb|hsl)a?\(/gi)].map(
      ([colour]) => `${name}: ${colour}`,
    ),
  );
  assert.deepEqual(
    found.filter((line) => !line.includes("#hatch")),
    [],
  );
});

test("every token that is used exists", () => {
  const known = new Set([...tokens.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  const files = readdirSync(css, { recursive: true }).filter((name) => name.endsWith(".css"));
  const texts = files.map((name) => readFileSync(new URL(name, css), "utf8"));
  for (const text of texts) for (const [, name] of text.matchAll(/(--[\w-]+):/g)) known.add(name);
  const used = new Set(texts.flatMap((text) => [...text.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name)));
  assert.deepEqual(
    [...used].filter((name) => !known.has(name)),
    [],
  );
});
