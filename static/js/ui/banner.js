// The most important unacknowledged alarm, the counts beside it and in the navigation, on every page.

import { onAct, onKeys } from "../lib/dispatch.js";
import { post, setAttribute, setText } from "../lib/dom.js";
import { held } from "../lib/held.js";
import { oncePerFrame } from "../lib/once.js";
import { fill, gettext } from "../lib/words.js";
import { group, isPresented, isUnacked, lookIn, lookOf, mostImportant, PRIORITY_WORDS, tally } from "../state/alarms.js";
import { spread, within } from "../state/flood.js";
import { clock, duration } from "../state/writing.js";
import { howMany, knowsAlarms } from "./known.js";
import { now, on, plant } from "./live.js";
import { areKnown, boundOf, load, placeOf, wasOf } from "./places.js";
import { say } from "./say.js";
import { alarmSymbol, drawCounts, inPhase, prioritySymbol } from "./symbols.js";
import { toast } from "./toast.js";

const MORE = { 1: gettext("+1 critical"), 2: gettext("+1 high"), 3: gettext("+1 medium") };

const banner = document.getElementById("banner");
const none = banner.querySelector(".none");
const form = banner.querySelector(".some");
const part = (selector) => form.querySelector(selector);
let shown = banner.dataset.alarm ? Number(banner.dataset.alarm) : null;
let look = null; // its symbol's
let written = null; // the alarm whose words are there, once it is known where it is
let ackUrl = form.getAttribute("action");

const addressOf = (id) => form.dataset.ack.replace("/0/", `/${id}/`);
const isHeld = held(form, () => plant.complete && draw());
const isPageHeld = held(document.getElementById("main"), showFloods);

function draw(force = false) {
  const alarm = mostImportant(plant.alarms.values());
  const current = shown === null ? null : plant.alarms.get(shown);
  // While the pointer or the focus is on an alarm that still waits, another one announces itself beside it.
  if (!force && alarm && current && alarm.id !== shown && isUnacked(current) && isPresented(current) && isHeld()) {
    show(current);
    const more = part(".more");
    setText(more, alarm.priority < current.priority ? MORE[alarm.priority] : "+1");
    more.hidden = false;
    return;
  }
  part(".more").hidden = true;
  none.hidden = alarm !== null;
  form.hidden = alarm === null;
  if (alarm) show(alarm);
  else showNone();
  shown = alarm?.id ?? null;
}

function showNone() {
  banner.className = "banner";
  look = written = null;
}

/** Draws an alarm as it stands: the one that is shown already may have been cleared since. */
function show(alarm) {
  const wanted = `${alarm.id}:${alarm.priority}:${lookOf(alarm)}`;
  if (look !== wanted) {
    look = wanted;
    banner.className = `banner p${alarm.priority}`;
    part(".symbol").replaceChildren(alarmSymbol(alarm, "lg"));
  }
  const { place, url } = placeOf(alarm.asset);
  drawCleared(alarm);
  // Until places are known the server's words stand, which knew them.
  if (alarm === written || (alarm.id === shown && !areKnown())) return;
  written = areKnown() ? alarm : null;
  setText(part(".msg"), alarm.message);
  setText(part(".reading"), wasOf(alarm));
  setText(part(".limit"), boundOf(alarm));
  const short = part(".short");
  short.replaceChildren([alarm.asset, wasOf(alarm)].filter(Boolean).join(", "), short.querySelector(".for"));
  setText(part(".place"), place ? `${place} / ` : "");
  setText(part(".code"), alarm.asset);
  setText(part(".at"), clock(Date.parse(alarm.raised)));
  part(".what").href = url || addressOf(alarm.id).replace(/ack$/, ""); // never another alarm's
  form.action = addressOf(alarm.id);
  ackUrl = addressOf(alarm.id);
}

/** One that has cleared says so, on a phone in the place of how long it stands. */
function drawCleared(alarm) {
  const word = alarm.cleared ? gettext("cleared") : "";
  setText(part(".cleared"), word);
  const lasting = part(".for");
  if (alarm.cleared) {
    delete lasting.dataset.since;
    setText(lasting, word);
  } else {
    const raised = Date.parse(alarm.raised);
    lasting.dataset.since = String(raised / 1000);
    setText(lasting, duration((now() - raised) / 1000));
  }
}

function counts() {
  const all = [...plant.alarms.values()];
  const whole = tally(all);
  const counted = document.getElementById("banner-counts");
  counted.hidden = !knowsAlarms();
  if (knowsAlarms()) drawCounts(counted, whole, { zeros: true });
  setText(document.getElementById("banner-unacked"), howMany(whole.unacked));
  const tab = document.getElementById("tab-alarms");
  if (tab) {
    setText(tab, String(whole.unacked));
    tab.hidden = whole.unacked === 0;
  }
  worstOf(document.getElementById("nav-alarms"), whole, true);
  const byArea = group(all, (alarm) => placeOf(alarm.asset).area);
  for (const link of document.querySelectorAll(".nav [data-area]")) {
    worstOf(link.querySelector(".cnt"), tally(byArea.get(link.dataset.area) ?? []), false);
  }
}

function worstOf(place, counted, always) {
  if (!place) return;
  const want = `${counted.worst}:${counted.worst && lookIn(counted, counted.worst)}:${counted.total}`;
  if (place.dataset.drawn === want) return;
  place.dataset.drawn = want;
  const number_ = document.createElement("b");
  number_.textContent = howMany(counted.total);
  const symbol = counted.worst ? [prioritySymbol(counted.worst, lookIn(counted, counted.worst), "sm")] : [];
  place.replaceChildren(...symbol, ...(counted.total || always ? [number_] : []));
}

// --- Flood ---------------------------------------------------------------------------------------------------------

const flood = document.getElementById("flood");
const from = Number(flood.dataset.from);
let raised = spread(JSON.parse(flood.dataset.raised), now());
let counting = null; // as the server told last: { floods, since, most }

function rate(time) {
  raised = within(raised, time);
  if (counting === null) return; // as the page came
  const { floods, since, most: count } = counting;
  const at = clock(since).slice(0, 5);
  const total = floods.reduce((sum, [, , , alarms]) => sum + alarms, 0);
  setText(flood.querySelector(".loud"), fill(gettext("FLOOD %(total)s alarms"), { total }));
  setText(flood.querySelector(".calm b"), howMany(count));
  setText(flood.querySelector(".since"), fill(gettext("since %(at)s"), { at }));
  flood.querySelectorAll(".seg i").forEach((segment, place) => segment.classList.toggle("on", place < count));
  const calm = gettext("%(count)s alarms since %(at)s, flood from %(from)s");
  const label = floods.length ? gettext("Alarm flood, %(total)s alarms so far") : calm;
  const figures = { count, at, from, total, recent: raised.length };
  setAttribute(flood, "aria-label", fill(label, figures));
  setAttribute(flood, "title", fill(flood.dataset.told, figures));
}

const floods = document.getElementById("floods");
let flooding = floods.hidden ? "" : floods.querySelector(".positions").textContent; // what is to be said of floods

/** Rows of [position, name, since, alarms], and [since, most] of the interval that runs. */
function drawFloods(rows, counted) {
  if (counted) {
    counting = { floods: rows, since: counted[0], most: counted[1] };
    rate(now());
  }
  flood.classList.toggle("is-flood", rows.length > 0);
  const words = rows.map(([, name, since, total]) =>
    fill(gettext("%(name)s: %(total)s alarms since %(at)s."), { name, total, at: clock(since) }),
  );
  const told = words.join(" ");
  if (Boolean(told) !== Boolean(flooding)) {
    say(told ? `${gettext("Alarm flood.")} ${told}` : gettext("The alarm flood is over."), Boolean(told));
  }
  flooding = told;
  if (floods.hidden !== Boolean(told) || !isPageHeld() || !isToldAbove()) showFloods();
  // Its place stays while the page is held; its words do not outlive it.
  else if (!told) sayOver(gettext("The alarm flood is over."));
}

/** Whether there is room for the banner's own part: on a small screen nothing but the words tells. */
const isToldAbove = () => flood.getClientRects().length > 0;

function sayOver(words) {
  setText(floods.querySelector(".over"), words);
  floods.classList.toggle("is-over", words !== "");
}

/**
 * The words over the page push all of it: they come and go while nobody points at anything in it, or is in it with the
 * keys. The part in the banner tells meanwhile.
 */
function showFloods() {
  if (flooding) setText(floods.querySelector(".positions"), flooding);
  sayOver("");
  floods.hidden = !flooding;
}

function onAlarm(change) {
  const { alarm, before } = change;
  if (!before && alarm.state !== "A") {
    raised.push(Date.parse(alarm.raised));
    const told = `${alarm.message}, ${alarm.asset}`;
    const priority = PRIORITY_WORDS[alarm.priority];
    say(fill(gettext("%(priority)s alarm: %(alarm)s"), { priority, alarm: told }), alarm.priority === 1);
  } else if (before && isUnacked(before) && !isUnacked(alarm) && alarm.acked_by) {
    const told = `${alarm.message}, ${alarm.asset}`;
    say(fill(gettext("Acknowledged by %(name)s: %(alarm)s"), { name: alarm.acked_by, alarm: told }));
  } else if (before?.active !== false && alarm.cleared && !before?.cleared) {
    say(fill(gettext("Cleared: %(alarm)s"), { alarm: `${alarm.message}, ${alarm.asset}` }));
  }
  draw();
  drawRest();
}

/** What may follow a moment later: hundreds of alarms at once are one drawing. */
const drawRest = oncePerFrame(() => {
  load().then(() => {
    draw();
    counts();
    inPhase();
  });
  counts();
  rate(now());
});

async function acknowledge(element, event) {
  event?.preventDefault();
  const button = part("[data-act=ack-banner]");
  if (shown === null || form.hidden || button.getAttribute("aria-disabled") === "true" || !ackUrl) return;
  // The alarm's own frame may come before the answer, and with it another alarm into the banner.
  const asked = shown;
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await post(ackUrl, { comment: "" });
    if (answer.ok) {
      toast(fill(gettext("Alarm %(number)s acknowledged."), { number: asked }));
      draw(true);
    } else {
      const told = answer.headers.get("Content-Type")?.includes("json") ? (await answer.json()).error : null;
      toast(told ?? fill(gettext("Ack failed, the server answered %(status)s."), answer));
    }
  } catch {
    toast(gettext("Ack failed, no connection."));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

onAct({ "ack-banner": acknowledge });
onKeys({ a: "ack-banner" });

export function start() {
  on("alarm", onAlarm);
  on("floods", drawFloods);
  on("snapshot", () => {
    draw();
    counts();
    load().then(() => {
      draw();
      counts();
      inPhase();
    });
  });
  setInterval(() => rate(now()), 10_000);
  inPhase();
}
