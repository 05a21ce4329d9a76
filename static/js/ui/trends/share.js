// What is shown, for others and elsewhere: as a picture, as a link, as the plant was then.

import { fill, gettext } from "../../lib/words.js";
import { writeView } from "../../state/explorer.js";
import { toast } from "../toast.js";
import { rangeWords } from "./words.js";

const LEAD = 60; // s before the present that playing back begins at the latest

/** Takes the explorer's state, its view(), scene(), pens(), board, cursor, now(), and the overview's address. Gives what its buttons do. */
export function sharing({ state, view, scene, pens, board, cursor, now, overview }) {
  async function savePicture() {
    const { from, until: end } = view();
    const image = await board.picture(scene(), `${document.title.split(",").at(-1).trim()}: ${rangeWords(from, end)}`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(image);
    link.download = `trend-${new Date(end * 1000).toISOString().slice(0, 16).replace(/[-:]/g, "")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async function copyLink() {
    const { from, until: end, span } = view();
    const fixed = writeView({ ...state, span, end: state.end ?? end, tags: pens().map((pen) => pen.tag) });
    const address = new URL(fixed, location.href).href;
    try {
      await navigator.clipboard.writeText(address);
      toast(fill(gettext("Copied: a link to these sensors, %(range)s."), { range: rangeWords(from, end) }));
    } catch {
      toast(gettext("The browser does not let the link be copied; the address line holds it."));
    }
  }

  /** Goes to the plant as it was at the cursor, or at the end of what is shown. */
  function playBack() {
    const at = Math.floor(Math.min(cursor.at ?? view().until, now() - LEAD));
    location.assign(`${overview}?${new URLSearchParams({ at: new Date(at * 1000).toISOString() })}`);
  }

  return { "trend-png": savePicture, "trend-link": copyLink, "trend-play-back": playBack };
}
