// The trend explorer's pure parts: addresses, axes, lines, clocks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axisWidth, numberMarks, reach, stepsFrom, timeMarks } from "../../static/js/state/axis.js";
import { backBy, byUnit, clustered, readSpan, readView, writeSpan, writeView, zoomed } from "../../static/js/state/explorer.js";
import { append, cut, extremes, isOver, joined, lineOf, newestOf, placeOf, readingAt, shows, stepped } from "../../static/js/state/line.js";
import { namePlaces } from "../../static/js/state/names.js";
import { ahead, fromField, instant, toField } from "../../static/js/state/zone.js";

const USUAL = { span: 28_800, most: 12 };
const WORDS = {
  date: (ms) => new Date(ms).toISOString().slice(5, 10),
  month: (ms) => new Date(ms).toISOString().slice(0, 7),
};
const at = (text) => Date.parse(text) / 1000;

test("an address gives the view that wrote it", () => {
  const views = [
    { tags: ["press-01/temp", "press-02/flow"], span: 5400, end: null, compare: "week", layout: "one", hidden: ["limits"] },
    { tags: ["a/b"], span: 0.25, end: 1_767_225_600.5, compare: 1_209_600, layout: "lanes", hidden: [] },
    { tags: [], span: 604_800, end: null, compare: null, layout: "lanes", hidden: ["alarms", "notes"] },
  ];
  for (const view of views) assert.deepEqual(readView(writeView(view), USUAL), view);
  assert.equal(writeView(views[0]), "?s=press-01/temp&s=press-02/flow&t=90m&c=week&layout=one&off=limits");
});

test("an address that makes no sense shows what is usual", () => {
  const found = readView("?s=a/b&s=a/b&t=soon&from=yesterday&to=2026-01-01&c=-5&layout=pie&off=all", USUAL);
  assert.deepEqual(found, { tags: ["a/b"], span: 28_800, end: null, compare: null, layout: "lanes", hidden: [] });
  assert.deepEqual(readView("?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", USUAL).end, null);
  assert.equal(readView(`?${Array.from({ length: 20 }, (_, n) => `s=a/${n}`).join("&")}`, USUAL).tags.length, 12);
});

test("a span is written in its largest unit", () => {
  assert.deepEqual([5400, 28_800, 86_400, 2_592_000, 45].map(writeSpan), ["90m", "8h", "1d", "30d", "45s"]);
  assert.deepEqual(["90m", "8h", "30d", "45s", "8", "0h", "9999999d"].map(readSpan), [5400, 28_800, 2_592_000, 45, null, null, null]);
});

test("a zoom leaves the instant under the pointer where it is", () => {
  const next = zoomed({ from: 1000, span: 100 }, 0.5, 1025, 5000);
  assert.deepEqual(next, { span: 50, end: 1062.5 });
  assert.equal((1025 - (next.end - next.span)) / next.span, 0.25);
  // What reaches into the future follows the present.
  assert.equal(zoomed({ from: 1000, span: 100 }, 4, 1090, 1100).end, null);
});

test("a compared period lies back by its own length, a day, a week or what was picked", () => {
  assert.deepEqual(["previous", "day", "week", 77, null].map((one) => backBy(one, 3600)), [3600, 86_400, 604_800, 77, 0]);
});

test("each unit has an axis, and a sensor of words has its own", () => {
  const pen = (tag, unit, labels = {}) => ({ tag, unit, labels });
  const groups = byUnit([pen("a", "°C"), pen("b", "bar"), pen("c", "°C"), pen("d", "", { 0: "off" }), pen("e", "")]);
  assert.deepEqual(groups.map((some) => some.map(({ tag }) => tag)), [["a", "c"], ["b"], ["d"], ["e"]]);
});

test("alarms that would overlap stand together", () => {
  const marks = [30, 10, 12, 13].map((time) => ({ time }));
  assert.deepEqual(clustered(marks, 5).map(({ time, marks: some }) => [time, some.length]), [[10, 3], [30, 1]]);
});

test("a view shows a reading, bad ones, or the line between two beside it, and knows when it shows nothing", () => {
  const line = { times: [10, 20, 30, 40], values: [1, NaN, 3, 4], bad: [[50, 60]] };
  const seen = [[5, 12], [32, 38], [41, 49], [55, 70], [12, 28], [61, 90], [0, 9]].map(([from, until]) => shows(line, from, until));
  assert.deepEqual(seen, [true, true, false, true, false, false, false]);
  assert.equal(shows(undefined, 0, 1), false);
});

// --- Clocks and axes -------------------------------------------------------------------------------------------------

test("a zone's clock is read on both sides of its change", () => {
  const berlin = "Europe/Berlin";
  assert.deepEqual([at("2026-01-01T12:00Z"), at("2026-07-01T12:00Z")].map((one) => ahead(one, berlin)), [3600, 7200]);
  assert.deepEqual([at("2026-03-29T00:59:59Z"), at("2026-03-29T01:00:00Z")].map((one) => ahead(one, berlin)), [3600, 7200]);
  assert.equal(ahead(at("2026-01-01T12:00Z"), "Asia/Kathmandu"), 20_700);
  assert.equal(instant(at("2026-07-01T12:00Z"), berlin), at("2026-07-01T10:00Z"));
  // An hour that comes twice is the first; one that is left out begins after it.
  assert.equal(instant(at("2026-10-25T02:30Z"), berlin), at("2026-10-25T00:30Z"));
  assert.equal(instant(at("2026-03-29T02:30Z"), berlin), at("2026-03-29T01:30Z"));
});

test("a field of date and time holds the instant", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]) {
    const now = at("2026-07-01T10:36:42Z");
    assert.equal(fromField(toField(now, zone), zone), now);
  }
  assert.equal(toField(at("2026-07-01T10:36:42Z"), "Europe/Berlin"), "2026-07-01T12:36:42");
  assert.equal(fromField("2026-07-01T12:36", "Europe/Berlin"), at("2026-07-01T10:36Z"));
  assert.equal(fromField("2026-07-01 12:36", "Europe/Berlin"), at("2026-07-01T10:36Z")); // as it is typed
  assert.equal(fromField("", "UTC"), null);
  assert.equal(fromField("now", "UTC"), null);
});

test("the time axis has round times of the plant's clock", () => {
  const marks = (from, until, most, zone = "Europe/Berlin") => timeMarks(at(from), at(until), most, zone, WORDS).map(([, word]) => word);
  assert.deepEqual(marks("2026-07-01T08:10Z", "2026-07-01T10:10Z", 5), ["10:30", "11:00", "11:30", "12:00"]);
  assert.deepEqual(marks("2026-07-01T20:00Z", "2026-07-02T04:00Z", 5), ["22:00", "07-02", "02:00", "04:00", "06:00"]);
  assert.deepEqual(marks("2026-03-28T00:00Z", "2026-03-31T00:00Z", 4), ["03-29", "03-30", "03-31"]);
  assert.deepEqual(marks("2026-01-10T00:00Z", "2026-06-10T00:00Z", 6), ["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]);
  assert.deepEqual(marks("2019-05-01T00:00Z", "2026-05-01T00:00Z", 4), ["2020", "2022", "2024", "2026"]);
  assert.deepEqual(marks("2026-07-01T08:00:00.100Z", "2026-07-01T08:00:01.100Z", 3, "UTC"), ["08:00:00.500", "08:00:01.000"]);
});

test("the marks of a time axis stay where they are while one pans", () => {
  const marks = (from) => new Set(timeMarks(from, from + 20 * 86_400, 6, "Europe/Berlin", WORDS).map(([one]) => one));
  const [one, other] = [marks(at("2026-03-20T00:00Z")), marks(at("2026-03-21T05:00Z"))];
  assert.ok([...one].filter((mark) => mark >= at("2026-03-21T05:00Z")).every((mark) => other.has(mark)));
});

test("an axis of numbers has round marks", () => {
  assert.deepEqual(numberMarks(157.2, 190.1, 4), { marks: [160, 170, 180, 190], decimals: 0 });
  assert.deepEqual(numberMarks(3.62, 4.71, 5), { marks: [3.75, 4, 4.25, 4.5], decimals: 2 });
  assert.deepEqual(numberMarks(-0.02, 0.021, 4).decimals, 2);
});

test("an axis has no marks finer than the values: a count of 0 to 2 reads 0, 1, 2", () => {
  assert.deepEqual(numberMarks(-0.2, 2.2, 5, 0), { marks: [0, 1, 2], decimals: 0 });
  assert.deepEqual(numberMarks(3.62, 4.71, 5, 1), { marks: [4, 4.5], decimals: 1 }); // in steps of 0.25 it was 3.8, 4.0, 4.3
  assert.deepEqual(numberMarks(0, 12, 5, 0), { marks: [0, 5, 10], decimals: 0 });
  for (let finest = 0; finest < 4; finest += 1) {
    for (const reaches of [0.3, 1, 2.4, 7, 12, 99, 12_345_678]) {
      const { marks, decimals } = numberMarks(-reaches / 7, reaches, 5, finest);
      const written = marks.map((mark) => mark.toFixed(finest));
      assert.deepEqual(written, [...new Set(written)]);
      assert.ok(decimals <= finest && marks.every((mark) => Math.abs(mark - Number(mark.toFixed(finest))) < 1e-9));
    }
  }
});

test("the steps of a lane's axis are no finer than its values either", () => {
  assert.deepEqual(stepsFrom(0).slice(0, 7), [1, 2, 5, 10, 20, 25, 50]);
  assert.deepEqual(stepsFrom(1).slice(0, 6), [0.1, 0.2, 0.5, 1, 2, 2.5]);
  assert.ok(stepsFrom(3).at(-1) >= 1e15);
});

test("an axis is as wide as its widest label, and moves in steps", () => {
  const measure = (words) => words.length * 6;
  assert.equal(axisWidth(["0", "100"], measure, 50, 9), 50);
  assert.equal(axisWidth([], measure, 50, 9), 50);
  assert.equal(axisWidth(["0", "10 000 000"], measure, 50, 9), 74);
  assert.equal(axisWidth(["0", "99 999 99"], measure, 50, 9), 66);
});

test("an axis reaches to limits that are near, and not to those that are far", () => {
  const limits = [{ value: 90 }, { value: 900 }];
  const [low, high] = reach(60, 70, { normal: [50, 75], limits, decimals: 1 });
  assert.ok(low < 50 && high > 90 && high < 100);
  // Over the uppermost limit there is room for its name.
  assert.ok((high - 90) / (high - low) > 15 / 100);
  assert.deepEqual(reach(null, null, { normal: null, limits: [], decimals: 0 }), [-1, 2]);
  // An open end reaches nowhere.
  assert.deepEqual(reach(60, 70, { normal: [null, 75], limits: [], decimals: 0 }), [58.8, 76.2]);
  assert.deepEqual(reach(null, null, { normal: [50, null], limits: [], decimals: 0 }), [49, 51]);
});

test("a limit's name stands over its line, under it where another runs through it, and never on another name", () => {
  const box = { top: 0, bottom: 100, width: 300 };
  const at = (...heights) => heights.map((y) => ({ y, width: 80 }));
  assert.deepEqual(namePlaces(at(60), box), [{ x: 0, base: 56 }]);
  assert.deepEqual(namePlaces(at(60, 52), box), [{ x: 0, base: 72 }, { x: 0, base: 48 }]);
  // At the upper edge there is room under the line alone, and the next name is beside it: high and high-high.
  assert.deepEqual(namePlaces(at(10, 28), box), [{ x: 0, base: 22 }, { x: 0, base: 40 }]);
  assert.deepEqual(namePlaces(at(10, 10), box), [{ x: 0, base: 22 }, { x: 92, base: 22 }]);
  // Where none is free, the line goes without.
  assert.deepEqual(namePlaces(at(50, 50, 50), { ...box, width: 90 }), [{ x: 0, base: 46 }, { x: 0, base: 62 }, null]);
  for (let one = 2; one < 100; one += 7) {
    for (let other = 2; other < 100; other += 3) {
      for (let third = 2; third < 100; third += 5) {
        const found = namePlaces(at(one, other, third), box).filter(Boolean);
        assert.equal(found.length, 3);
        for (const [place, a] of found.entries()) {
          assert.ok(a.base > 10 && a.base < 100 && a.x + 80 <= 300);
          for (const b of found.slice(place + 1)) assert.ok(Math.abs(a.base - b.base) >= 13 || Math.abs(a.x - b.x) >= 92);
        }
      }
    }
  }
});

// --- Lines -----------------------------------------------------------------------------------------------------------

const made = (points, { from = 0, until = 10, bad = [] } = {}) => ({
  from,
  until,
  thinned: false,
  times: points.map(([time]) => time),
  values: points.map(([, value]) => value),
  bad,
});

test("a line is made of the server's columns", () => {
  const item = { times: [1000, 2000, 3000], values: [1, null, 3], bad: [[1500, 2500]], thinned: true };
  assert.deepEqual(lineOf(item, 0, 5), {
    from: 0, until: 5, thinned: true, times: [1, 2, 3], values: [1, NaN, 3], bad: [[1.5, 2.5]],
  }); // prettier-ignore
});

test("two lines that share their edge become one without a point twice", () => {
  const first = made([[1, 1], [4, 4], [5.5, NaN], [7, 7]], { until: 5, bad: [[4.5, 5]] });
  const second = made([[4, 4], [5.5, NaN], [7, 7], [9, 9]], { from: 5, until: 10, bad: [[5, 6]] });
  assert.deepEqual(joined(first, second), made([[1, 1], [4, 4], [5.5, NaN], [7, 7], [9, 9]], { bad: [[4.5, 6]] }));
  assert.deepEqual(joined(made([], { until: 5 }), second).times, second.times);
  assert.deepEqual(joined(first, made([], { from: 5 })).times, first.times);
});

test("what is cut off keeps a point on each side", () => {
  const line = made([[1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]);
  assert.deepEqual(cut(line, 2.5, 3.5).times, [2, 3, 4]);
  assert.deepEqual([cut(line, 2.5, 3.5).from, cut(line, 2.5, 3.5).until], [2.5, 3.5]);
});

test("a newer reading is appended once; after a silence or a bad one the line breaks", () => {
  const line = made([[1, 1], [2, 2]]);
  assert.equal(append(line, 2, 5, 1), false);
  assert.equal(append(line, 3, 3, 1), true);
  append(line, 10, 4, 1);
  assert.deepEqual(line.times, [1, 2, 3, 6.5, 10]);
  append(line, 11, null, 1);
  append(line, 12, null, 1);
  append(line, 13, 6, 1);
  assert.deepEqual(line.values.map((value) => (Number.isNaN(value) ? "gap" : value)), [1, 2, 3, "gap", 4, "gap", 6]);
  assert.deepEqual(line.bad, [[11, 12]]);
});

test("a value holds until the next reading, and not through a gap or a bad stretch", () => {
  const line = made([[1, 10], [3, 30], [4, NaN], [6, 60]], { bad: [[7, 8]] });
  assert.deepEqual([0, 1, 2.9, 3, 5, 6, 7.5].map((one) => readingAt(line, one)?.[1] ?? null), [null, 10, 10, 30, null, 60, null]);
  assert.deepEqual([-1, 0, 1, 3], [0, 1, 3, 99].map((one) => placeOf(line.times, one)));
});

test("the cursor steps by readings and over gaps", () => {
  const line = made([[1, 10], [3, 30], [4, NaN], [6, 60]]);
  assert.deepEqual([stepped(line, 1, 1), stepped(line, 3, 1), stepped(line, 6, -1), stepped(line, 2, -1)], [3, 6, 3, 1]);
  assert.deepEqual([stepped(line, 6, 1), stepped(line, 1, -1), stepped(line, 1, 2)], [null, null, 6]);
});

test("the extremes are those of the view and the points beside it", () => {
  const line = made([[1, 100], [3, 30], [4, NaN], [6, 60], [9, -5]]);
  assert.deepEqual(extremes(line, 2, 5), [30, 100]);
  assert.deepEqual(extremes(line, 3, 5), [30, 60]);
  assert.equal(extremes(made([]), 0, 9), null);
});

test("the newest value of a view is the last that is one", () => {
  const line = { times: [10, 12, 13, 20], values: [1, 2, NaN, 4], bad: [] };
  assert.deepEqual([25, 15, 11, 5].map((until) => newestOf(line, until)), [[20, 4], [12, 2], [10, 1], null]);
});

test("a value is over when none came for three intervals, when a bad one came after it, and never by time alone without an interval", () => {
  const line = { times: [100], values: [1], bad: [] };
  const over = (now, reading, interval = 2, bad = []) => isOver({ ...line, bad }, 100, now, reading, interval);
  assert.deepEqual([106, 107].map((now) => over(now, undefined)), [false, true]);
  assert.equal(over(999, undefined, null), false);
  // A line that was thinned ends before the newest reading.
  assert.equal(over(120, { time: 118_000, quality: "good" }), false);
  assert.equal(over(120, { time: 118_000, quality: "bad" }), true);
  assert.equal(over(101, { time: 90_000, quality: "bad" }), false);
  assert.deepEqual([over(101, undefined, 2, [[100.5, 101]]), over(101, undefined, 2, [[80, 90]])], [true, false]);
});
