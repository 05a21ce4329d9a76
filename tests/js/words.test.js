// A text stands for itself until the reader's language has one for it.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { fill, gettext, ngettext } from "../../static/js/lib/words.js";

const polish = {
  form: (n) => Number(n === 1 ? 0 : n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14) ? 1 : 2),
  texts: { "%(n)s alarm": ["%(n)s alarm", "%(n)s alarmy", "%(n)s alarmów"], Acknowledge: "Potwierdź" },
};

afterEach(() => delete globalThis.words);

test("without a language's words a text stands for itself", () => {
  assert.equal(gettext("Acknowledge"), "Acknowledge");
  assert.deepEqual([1, 2].map((n) => ngettext("%(n)s alarm", "%(n)s alarms", n)), ["%(n)s alarm", "%(n)s alarms"]);
});

test("a text is given in the reader's language, in the form that a number asks for", () => {
  globalThis.words = polish;
  assert.deepEqual([gettext("Acknowledge"), gettext("Shelve")], ["Potwierdź", "Shelve"]);
  const said = [1, 3, 12, 22].map((n) => fill(ngettext("%(n)s alarm", "%(n)s alarms", n), { n }));
  assert.deepEqual(said, ["1 alarm", "3 alarmy", "12 alarmów", "22 alarmy"]);
  assert.equal(gettext("%(n)s alarm"), "%(n)s alarm");
  assert.equal(ngettext("one sensor", "%(n)s sensors", 1), "one sensor");
});
