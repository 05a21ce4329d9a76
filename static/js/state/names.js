// Where the names of lines stand in a picture, so that none is written over another. Pure; all in px.

const OVER = -4; // of a name's foot from its line
const UNDER = 12;
const TALL = 10; // of the letters over their foot
const DEEP = 3; // and under it
const APART = 12; // between two names of one height

/**
 * Takes lines { y, width of the name } and a box { top, bottom, width }. Gives { x, base } of each name: over its line
 * or under it, where fewer others run through it, as far left as is free; null where there is no room.
 */
export function namePlaces(lines, { top, bottom, width }) {
  const taken = [];
  return lines.map((line, number) => {
    const spots = [OVER, UNDER].flatMap((down, place) => {
      const base = line.y + down;
      if (base - TALL <= top || base + DEEP > bottom) return [];
      const crossed = lines.filter(({ y }, other) => other !== number && y > base - TALL && y < base + DEEP).length;
      const beside = taken.filter((one) => Math.abs(one.base - base) < TALL + DEEP);
      const x = Math.max(0, ...beside.map((one) => one.x + one.width + APART));
      return x === 0 || x + line.width <= width ? [{ x, base, width: line.width, crossed, place }] : [];
    });
    const [best] = spots.sort((a, b) => a.crossed - b.crossed || a.x - b.x || a.place - b.place);
    if (!best) return null;
    taken.push(best);
    return { x: best.x, base: best.base };
  });
}
