// The rule editor: the sentence follows the fields, the backtest follows both, limits are dragged in the history.

import { parsed } from "../lib/asked.js";
import { onAct, onKeys } from "../lib/dispatch.js";
import { csrfToken, make, pageData, setText } from "../lib/dom.js";
import { fill, gettext } from "../lib/words.js";
import { lineReader } from "../state/lines.js";
import { fieldText, readNumber, sentence } from "../state/sentence.js";
import { settled } from "../state/settled.js";
import { number } from "../state/writing.js";
import { Lane } from "./lane.js";
import { now } from "./live.js";
import { onTheme, token } from "./plotting.js";
import { say } from "./say.js";

const AFTER = 400; // ms without a change
const SLOW = 1000; // ms after which it says that it runs
const TALL = 250; // px of the chart's plot
const FLAT = 130; // px of the burst's, and of further sensors'
const DAY = 86_400; // s

const form = document.getElementById("rule-form");
const { words, sensors } = pageData("rule-words", { words: {}, sensors: {} });
const sign = document.body.dataset.decimal || ".";
const place = (id) => document.getElementById(id);
const field = (name) => form.elements[name];

// --- The sentence and the fields ---------------------------------------------------------------------------------------

const text = (name) => field(name)?.value?.trim() ?? "";
const kind = () => text("kind");
const unit = () => sensors[text("sensor_key")]?.unit ?? "";

function shown() {
  const found = {};
  for (const box of form.querySelectorAll(".inpu")) {
    const input = box.querySelector("input");
    found[input.name] = input.value.trim() ? `${input.value.trim()} ${box.querySelector(".u").textContent}`.trim() : "";
  }
  if (readNumber(text("on_delay")) === 0) found.on_delay = "";
  const whiles = [...form.querySelectorAll("input[name^=while-]")].map((one) => one.value.trim()).filter(Boolean);
  return {
    ...found,
    value: sensors[text("sensor_key")]?.labels[text("value")] ?? found.value,
    sensor_key: sensors[text("sensor_key")]?.name ?? "",
    reference: text("reference"),
    expression: text("expression"),
    suppress_when: whiles.join(gettext(" or ")),
    priority: form.querySelector("[name=priority]:checked")?.dataset.word ?? "",
  };
}

function drawFields() {
  for (const box of form.querySelectorAll("[data-kinds]")) box.hidden = !box.dataset.kinds.split(" ").includes(kind());
  for (const box of form.querySelectorAll("[data-unit]")) setText(box, unit());
  place("sentence").replaceChildren(
    ...sentence(words, kind(), shown()).map(([part, name]) =>
      name ? make("a", { href: `#f-${name}`, "data-act": "to-field", "data-to": name }, part) : part,
    ),
  );
}

/** What is wrong, and what is worth a second look, under the fields. */
function drawNotes(errors, advice) {
  for (const note of document.querySelectorAll("[data-note]")) {
    const name = note.dataset.note;
    const box = note.querySelector("span");
    note.dataset.hint ??= box.textContent;
    const said = errors[name] ?? advice[name] ?? note.dataset.hint;
    setText(box, said);
    note.hidden = !said;
    note.classList.toggle("wrong", name in errors);
    note.classList.toggle("warns", !(name in errors) && name in advice);
    const input = field(name);
    if (input instanceof HTMLElement) input.toggleAttribute("aria-invalid", false);
    if (input instanceof HTMLElement && name in errors) input.setAttribute("aria-invalid", "true");
  }
  if (Object.keys(errors).some((name) => place(`f-${name}`)?.closest("details"))) {
    form.querySelector("details").open = true;
  }
}

// --- The chart -----------------------------------------------------------------------------------------------------------

class Board extends Lane {
  get plotHeight() {
    return this.tall ?? (this.first ? TALL : FLAT);
  }

  /** While a limit is dragged, the scale stands still under the hand. */
  range(low, high) {
    return this.held ?? super.range(low, high);
  }

  /** The limits once more over the grid and the line: they are what the page is about. */
  drawOver(plot) {
    super.drawOver(plot);
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.lineWidth = devicePixelRatio * 1.2;
    ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { value, priority } of this.sensor.limits) {
      const y = Math.round(plot.valToPos(value, "y", true)) + 0.5;
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = token(`--p${priority}-line`);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  }

  /** Only what is pointed at: the end of a history is no value of now. */
  drawRead() {
    super.drawRead();
    if (this.plot?.cursor.idx == null) {
      setText(this.read, "");
      this.read.classList.remove("live", "stale");
    }
  }
}

let days = 30;
let trend = pageData("rule-trend", null);
let lanes = [];
let zoomed = null;
let grips = [];

const view = {
  from: () => trend.end - days * DAY,
  until: () => trend.end,
  marks: () => trend.marks,
  sync: "rule",
};

const LIMITS = { high: ["limit"], low: ["limit"], outside: ["low", "high"] };
const limitFields = () => LIMITS[kind()] ?? []; // those that are drawn as levels

/** The levels of the rule on its sensor's own scale, with the field that each stands in. */
function levels() {
  const priority = Number(form.querySelector("[name=priority]:checked")?.value ?? 3);
  return limitFields().flatMap((name) => {
    const value = trend?.own[name] ?? readNumber(text(name));
    const label = form.querySelector(`label[for="f-${name}"]`).textContent;
    return value === null ? [] : [{ value, priority, name: label, field: name }];
  });
}

/** Where the alarm returns, in the burst's chart. */
function returns() {
  const deadband = readNumber(text("deadband"));
  const [level] = levels();
  if (!deadband || !level || kind() === "outside") return [];
  const value = kind() === "high" ? level.value - deadband : level.value + deadband;
  return [{ ...level, value, name: gettext("returns at") }];
}

function drawLimits() {
  const [first] = lanes;
  if (!first) return;
  first.sensor.limits = levels();
  first.plot.redraw(!first.held);
  if (zoomed) {
    zoomed.sensor.limits = [...levels(), ...returns()];
    zoomed.plot.redraw();
  }
  placeGrips();
}

function placeGrips() {
  const [first] = lanes;
  if (!first) return;
  for (const grip of grips) {
    const level = first.sensor.limits.find((one) => one.field === grip.dataset.field);
    grip.hidden = !level;
    if (!level) continue;
    const y = first.plot.valToPos(level.value, "y");
    grip.hidden = y < 0 || y > first.plot.over.clientHeight;
    grip.style.top = `${y}px`;
    for (const end of ["min", "max"]) grip.setAttribute(`aria-value${end}`, String(first.plot.scales.y[end] ?? 0));
    grip.setAttribute("aria-valuenow", String(level.value));
    grip.setAttribute("aria-valuetext", `${number(level.value, first.sensor.decimals)} ${unit()}`.trim());
  }
}

function setField(name, value) {
  const input = field(name);
  input.value = fieldText(value, lanes[0].sensor.decimals, sign);
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

/** A grip that there is to be stays the one it is: somebody may hold it, or move it by keys. */
function makeGrips() {
  const [first] = lanes;
  const may = first && !form.querySelector("fieldset.all").disabled;
  const names = may ? limitFields().filter((one) => !(one in trend.own)) : [];
  const stay = grips.map((grip) => grip.dataset.field).join() === names.join();
  if (stay && grips.every((grip) => first.plot.over.contains(grip))) return placeGrips();
  for (const grip of grips) grip.remove();
  grips = [];
  for (const name of names) {
    const grip = make("div", {
      class: "grip",
      role: "slider",
      tabindex: 0,
      "data-field": name,
      "aria-orientation": "vertical",
      "aria-label": form.querySelector(`label[for="f-${name}"]`).textContent,
      "aria-valuemin": 0,
      "aria-valuemax": 0,
      "aria-valuenow": readNumber(text(name)) ?? 0,
    });
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      event.stopPropagation();
      grip.focus();
      grip.setPointerCapture(event.pointerId);
      first.held = [first.plot.scales.y.min, first.plot.scales.y.max];
    });
    grip.addEventListener("pointermove", (event) => {
      if (!first.held) return;
      const { top, height } = first.plot.over.getBoundingClientRect();
      const y = Math.max(0, Math.min(height, event.clientY - top));
      setField(name, first.plot.posToVal(y, "y"));
    });
    const release = () => {
      if (!first.held) return;
      first.held = null;
      first.draw();
      drawLimits();
    };
    grip.addEventListener("pointerup", release);
    grip.addEventListener("pointercancel", release);
    grip.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      const value = readNumber(text(name));
      if (!step || value === null) return;
      event.preventDefault();
      setField(name, value + step * (event.shiftKey ? 10 : 1) * 10 ** -first.sensor.decimals);
    });
    first.plot.over.append(grip);
    grips.push(grip);
  }
  // A picture has nothing in it that takes the focus.
  first?.element.setAttribute("role", grips.length ? "group" : "img");
  return placeGrips();
}

function drawTrend() {
  const box = place("charts");
  box.hidden = !trend?.lanes.length;
  if (box.hidden) return;
  const same = lanes.map((lane) => lane.sensor.tag).join() === trend.lanes.map((one) => one.tag).join();
  if (same) {
    for (const lane of lanes) lane.fetch().then(placeGrips);
  } else {
    for (const lane of lanes) lane.remove();
    lanes = trend.lanes.map((sensor, at) => {
      const pen = at + 1;
      const lane = new Board(box, { ...sensor, limits: at ? [] : levels() }, pen, view, {
        first: at === 0,
        last: at === trend.lanes.length - 1,
      });
      lane.fetch().then(placeGrips);
      return lane;
    });
  }
  drawZoom();
  drawLimits();
  makeGrips();
}

/** The sensor's history alone, while the rule cannot be tried: one sees it before one writes a limit. */
function drawBare() {
  const bare = sensors[text("sensor_key")]?.trend;
  if (!bare || trend?.lanes[0]?.tag === bare.tag) return;
  trend = { code: "", end: now() / 1000, lanes: [bare], marks: [], burst: null, own: {} };
  drawTrend();
}

function drawZoom() {
  zoomed?.remove();
  zoomed = null;
  const { burst } = trend;
  place("zoom").hidden = !burst;
  if (!burst) return;
  setText(place("zoom-head"), place("figures")?.dataset.burst ?? "");
  const about = { from: () => burst.from, until: () => burst.until, marks: () => burst.marks };
  zoomed = new Board(place("zoomed"), { ...trend.lanes[0], limits: [...levels(), ...returns()] }, 1, about);
  zoomed.tall = FLAT;
  zoomed.resize();
  zoomed.fetch();
}

let asWritten = {}; // the settings that the options are other ones to
let keepOptions = false;

// --- The backtest --------------------------------------------------------------------------------------------------------

function adopt(id, html) {
  place(id).replaceChildren(...parsed(html).body.childNodes);
}

function showPeriod() {
  for (const box of document.querySelectorAll("[data-period]")) box.hidden = Number(box.dataset.period) !== days;
  for (const button of document.querySelectorAll("[data-act=rule-period]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.days) === days));
  }
}

function trouble(said) {
  setText(place("trouble"), said);
  place("trouble").hidden = !said;
}

function take(part) {
  if (part.advice) drawNotes({}, part.advice);
  if (part.trouble) trouble(part.trouble);
  if (part.progress !== undefined) place("progress").value = part.progress;
  if (part.result !== undefined) {
    adopt("result", part.result);
    adopt("details", part.details);
    if (!keepOptions) place("options").replaceChildren();
    trend = part.trend;
    const { ranged, took } = place("figures").dataset;
    setText(place("backtest-head"), `${gettext("Backtest")}, ${ranged}`);
    setText(place("took"), took);
    field("machine").value = trend.code;
    showPeriod();
    drawTrend();
    const [whole] = [...document.querySelectorAll("[data-period='30']")];
    say(fill(gettext("Backtest: %(count)s alarms in 30 days"), { count: whole.querySelector(".n").textContent }));
  }
  if (part.options !== undefined && !keepOptions) {
    adopt("options", part.options);
    asWritten = settings();
  }
}

async function run(signal) {
  trouble("");
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "trial");
  body.set("csrfmiddlewaretoken", csrfToken());
  body.set("seen", field("seen").value);
  let answer;
  try {
    answer = await fetch(location.href, {
      method: "POST",
      headers: { "X-Requested-With": "fetch" },
      body,
      credentials: "same-origin",
      signal,
    });
    if (answer.status === 422) {
      drawNotes((await answer.json()).errors, {});
      drawBare();
      trouble(gettext("The rule cannot be tried as it is written: see the marked fields."));
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const read = lineReader(take);
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      if (!signal.aborted) read(value);
    }
  } catch (error) {
    if (signal.aborted) return;
    trouble(gettext("The backtest failed. Run it again when the connection is back."));
    throw error;
  }
}

const backtest = settled({
  wait: AFTER,
  slow: SLOW,
  work: run,
  onSlow: () => {
    place("progress").removeAttribute("value");
    place("running").hidden = false;
    place("result").classList.add("old");
  },
  onEnd: () => {
    place("running").hidden = true;
    place("result").classList.remove("old");
  },
});

// --- What people do ------------------------------------------------------------------------------------------------------

function changed({ target }) {
  if (target.name === "reason") return;
  place("unsaved").hidden = false;
  keepOptions = false;
  press(null);
  drawFields();
  drawLimits();
  if (target.name === "kind") makeGrips();
  backtest.changed();
}

function toField(name) {
  const input = place(`f-${name}`);
  input.closest("details")?.setAttribute("open", "");
  const goal = name === "priority" ? form.querySelector("[name=priority]:checked") : input;
  goal.focus();
  goal.select?.();
}

function press(chosen) {
  for (const option of document.querySelectorAll(".opt")) {
    option.setAttribute("aria-pressed", String(option === chosen));
  }
}

/** Takes the settings of an option; the others stay, so that one may go from one to the next and back. */
function takeOption(option, change) {
  for (const [name, value] of Object.entries(change)) field(name).value = String(value).replace(".", sign);
  place("unsaved").hidden = false;
  keepOptions = true;
  press(option);
  drawFields();
  drawLimits();
  backtest.now().catch(() => {});
}

const settings = () => Object.fromEntries(["deadband", "on_delay", "off_delay"].map((name) => [name, text(name)]));

export function start() {
  document.documentElement.classList.add("scripted");
  drawFields();
  showPeriod();
  asWritten = settings();
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    const what = event.submitter?.value;
    if (event.submitter?.name === "do" && what !== "trial") return;
    event.preventDefault();
    backtest.now().catch(() => {});
  });
  onAct({
    "to-field": (element) => toField(element.dataset.to),
    "rule-run": () => backtest.now().catch(() => {}),
    "rule-period": (element) => {
      days = Number(element.dataset.days);
      showPeriod();
      for (const lane of lanes) lane.fetch().then(placeGrips);
    },
    "rule-machine": (element) => {
      field("machine").value = element.value;
      backtest.now().catch(() => {});
    },
    "rule-take": (element) => takeOption(element, { ...asWritten, ...JSON.parse(element.value) }),
    "rule-as-written": (element) => takeOption(element, asWritten),
    "rule-save": (element) => {
      if (text("reason")) return form.requestSubmit(element);
      const errors = { reason: gettext("Write why, then save: it is kept with the old values and your name.") };
      drawNotes(errors, {});
      field("reason").focus();
      return undefined;
    },
  });
  onKeys({ r: "rule-run" });
  new ResizeObserver(() => {
    for (const lane of [...lanes, zoomed]) lane?.resize();
    if (lanes.length) placeGrips();
  }).observe(place("backtest"));
  onTheme(() => {
    for (const lane of [...lanes, zoomed]) {
      lane?.build();
      lane?.draw();
    }
    makeGrips();
  });
  // What is under way when one leaves has nowhere to be shown; who comes back to the page as it was has it tried anew.
  addEventListener("pagehide", backtest.stop);
  addEventListener("pageshow", (event) => event.persisted && backtest.now().catch(() => {}));
  if (trend) drawTrend();
  else backtest.now().catch(() => {});
}
