// Names, places and addresses of the plant's assets, for alarms that arrive while the page is open.

let asked = null;
let known = {};

/** Asks once; the browser keeps the answer until the plant model changes. */
export function load() {
  asked ??= fetch(document.body.dataset.places, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.json() : { places: {} }))
    .then((answer) => {
      known = answer.places;
    })
    .catch(() => {
      asked = null;
    });
  return asked;
}

/** { name, place, url, area } of an asset, as far as known. */
export function placeOf(code) {
  const [name, place, url, area] = known[code] ?? ["", "", "", null];
  return { name, place, url, area };
}
