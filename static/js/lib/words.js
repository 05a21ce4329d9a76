// The words of the interface in the reader's language. The script of that language (plant/pages/words.py), where it is
// loaded, holds the translations; without it (in tests, in English) a text stands for itself.

const found = (text) => globalThis.words?.texts[text];

/** @returns `text` in the reader's language. */
export const gettext = (text) => [found(text) ?? text].flat()[0];

/** @returns the form of `one` or `many` that `count` asks for, in the reader's language. */
export function ngettext(one, many, count) {
  const forms = found(one);
  return forms ? [forms].flat()[globalThis.words.form(count)] : count === 1 ? one : many;
}

/** @returns `text` with each %(name)s replaced: fill("%(n)s alarms", {n: 3}). */
export const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
