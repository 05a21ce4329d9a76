// The words of the interface in the reader's language. Django's catalogue of this page's language, where it is loaded,
// gives the translation; without it (in tests, in English) a text stands for itself.

const catalogue = () => globalThis.django;

/** @returns `text` in the reader's language. */
export const gettext = (text) => catalogue()?.gettext?.(text) ?? text;

/** @returns the form of `one` or `many` that `count` asks for, in the reader's language. */
export const ngettext = (one, many, count) =>
  catalogue()?.ngettext?.(one, many, count) ?? (count === 1 ? one : many);

/** @returns `text` with each %(name)s replaced: fill("%(n)s alarms", {n: 3}). */
export const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
