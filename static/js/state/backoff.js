// How long to wait before the next try to connect: 1, 2, 4, 8, then every 10 s, spread by a fifth. Pure.

const STEPS = [1000, 2000, 4000, 8000];
const LAST = 10_000;
const SPREAD = 0.2;

/** Takes the number of failed tries (0 before the first) and a number from 0 to 1. Gives ms. */
export function delay(tries, random) {
  return Math.round((STEPS[tries] ?? LAST) * (1 + SPREAD * (2 * random - 1)));
}
