// Parts of the plant that words lead to, in what the browser keeps of them. Pure.

/**
 * What holds all words in its code, name or place: the one that is called just so, those whose code begins so, the
 * rest: [{ code, name, place, url }]. Takes the places as ui/places.js gives them.
 */
export function findPlaces(places, text, most) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const called = words.join(" ");
  const exact = [];
  const begins = [];
  const others = [];
  for (const [code, [name, place, url]] of places) {
    const written = code.toLowerCase();
    const whole = `${written} ${name} ${place}`.toLowerCase();
    if (!words.every((word) => whole.includes(word))) continue;
    const nearness = written === called ? exact : written.startsWith(words[0] ?? "") ? begins : others;
    if (nearness.length < most) nearness.push({ code, name, place, url });
  }
  return [...exact, ...begins, ...others].slice(0, most);
}
