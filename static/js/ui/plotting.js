// What every drawing of a trend has in common: the tokens' colours, the alarms' symbols.

/** A token's value as it stands. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draws with all outside a box (left, top, width, height) cut off. */
export function inside(ctx, box, act) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.left, box.top, box.width, box.height);
  ctx.clip();
  act();
  ctx.restore();
}

const ruler = document.createElement("canvas").getContext("2d");

/** How wide words are, in CSS pixels. */
export function widthOf(words, font) {
  ruler.font = font;
  return ruler.measureText(words).width;
}

const SHAPES = {
  1: new Path2D("M1.3 1.3h13.4v13.4H1.3z"),
  2: new Path2D("M8 .9 15.5 14.7H.5z"),
  3: new Path2D("M8 15.1.5 1.3h15z"),
  4: new Path2D("M8 1.1a6.9 6.9 0 1 1 0 13.8A6.9 6.9 0 0 1 8 1.1z"),
};
const DIGIT_Y = { 1: 11.6, 2: 13, 3: 10, 4: 11.6 };

/** Draws a priority's symbol, 14 px wide, its middle at `x`; `ratio` is how many of the canvas's pixels are one. */
export function drawMark(ctx, x, top, priority, ratio, over = false) {
  ctx.save();
  ctx.translate(x - 7 * ratio, top);
  ctx.scale((14 / 16) * ratio, (14 / 16) * ratio);
  ctx.fillStyle = token(`--p${priority}`);
  ctx.strokeStyle = token(`--p${priority}-line`);
  ctx.lineWidth = 1.2;
  if (!over) ctx.fill(SHAPES[priority]);
  ctx.stroke(SHAPES[priority]);
  ctx.fillStyle = token(over ? "--ink-1" : `--p${priority}-ink`);
  ctx.font = `700 9.5px ${token("--font")}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "alphabetic";
  ctx.fillText(String(priority), 8, DIGIT_Y[priority]);
  ctx.restore();
}

/** Calls `act` when colours or sizes of the page change. */
export function onTheme(act) {
  new MutationObserver(act).observe(document.documentElement, { attributeFilter: ["data-theme", "data-density"] });
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", act);
}
