import assert from "node:assert/strict";
import { test } from "node:test";
import {
  around,
  CLOSEST,
  clusters,
  distance,
  extend,
  fit,
  ground,
  nearer,
  onEarth,
  pulled,
  readView,
  scaleBar,
  stepOf,
  trackPath,
  written,
} from "../../static/js/state/map.js";

const near = (found, wanted, by = 0.01) => assert.ok(Math.abs(found - wanted) < by, `${found} is not ${wanted}`);

test("the ground is true in metres around its middle, north upwards", () => {
  const project = ground([
    [54.0, 1.0],
    [54.002, 1.004],
  ]);
  const [x, y] = project(54.001, 1.002);
  near(x, 0);
  near(y, 0, 0.1);
  const [east, north] = project(54.002, 1.003);
  near(east, 65.4, 0.1); // 0.001° of longitude at 54.001° north
  near(north, -111.3, 0.1); // 0.001° of latitude
});

test("an address keeps a view, and nothing else is taken for one", () => {
  const project = ground([
    [54.0, 1.0],
    [54.2, 1.4],
  ]);
  const [latitude, longitude] = project.back(...project(54.15, 1.3));
  near(latitude, 54.15, 1e-9);
  near(longitude, 1.3, 1e-9);
  const text = written({ x: 1200, y: -350, scale: 0.73 }, project.back);
  assert.match(text, /^54\.1\d+,1\.2\d+,0\.73$/);
  const view = readView(text, project);
  near(view.x, 1200, 0.1);
  near(view.y, -350, 0.1);
  for (const other of ["", "press-1", "1,2", "99,1,1", "a,b,c"]) assert.equal(readView(other, project), null);
});

test("a plan lies where its zero point is, turned by its bearing", () => {
  const [latitude, longitude] = onEarth([54, 1, 0], 0, 111.3195);
  near(latitude, 54.001, 1e-6);
  near(longitude, 1, 1e-9);
  // Its upper edge points east: what was up is now right.
  const turned = onEarth([54, 1, 90], 0, 100);
  near(turned[0], 54, 1e-9);
  assert.ok(turned[1] > 1.0015);
});

test("metres of a plan without a place stay metres", () => {
  const places = [onEarth([0, 0, 0], 10, 20), onEarth([0, 0, 0], 40, 60)];
  const project = ground(places);
  const [[x1, y1], [x2, y2]] = places.map((place) => project(...place));
  near(x2 - x1, 30);
  near(y1 - y2, 40);
});

test("everything fits, and one point alone is not brought too near", () => {
  const view = fit({ left: 0, top: 0, right: 1000, bottom: 100 }, 1096, 600);
  assert.deepEqual(view, { x: 500, y: 50, scale: 1 });
  assert.equal(fit(around([[5, 5]]), 800, 600).scale, 4);
  assert.equal(fit({ left: 0, top: 0, right: 6.5, bottom: 0 }, 800, 600, CLOSEST).scale, CLOSEST);
  assert.equal(fit(null, 800, 600).scale, 1);
});

test("what is under the pointer stays there while one comes nearer", () => {
  const view = { x: 100, y: 50, scale: 2 };
  const [right, down] = [120, -80];
  const closer = nearer(view, 1.5, right, down);
  near(closer.x + right / closer.scale, view.x + right / view.scale, 1e-9);
  near(closer.y + down / closer.scale, view.y + down / view.scale, 1e-9);
  assert.equal(nearer(view, 1e9).scale, CLOSEST);
});

test("the ground follows the hand", () => {
  assert.deepEqual(pulled({ x: 0, y: 0, scale: 2 }, 10, -4), { x: -5, y: 2, scale: 2 });
});

test("symbols that stand too close stand together, and apart once one comes nearer", () => {
  const items = [
    { x: 0, y: 0 },
    { x: 20, y: 0 },
    { x: 300, y: 0 },
  ];
  const far = clusters(items, stepOf(1));
  assert.deepEqual(
    far.map(({ items: held }) => held.length),
    [2, 1],
  );
  assert.equal(far[0].x, 10);
  assert.equal(clusters(items, stepOf(4)).length, 3);
});

test("groups are the same wherever the view is, and every symbol is in one", () => {
  const items = Array.from({ length: 3000 }, (_, n) => ({ n, x: (n * 37) % 1000, y: (n * 91) % 700 }));
  const found = clusters(items, -1);
  assert.deepEqual(found, clusters(items, -1));
  const held = found.flatMap((one) => one.items.map(({ n }) => n)).sort((a, b) => a - b);
  assert.deepEqual(
    held,
    items.map(({ n }) => n),
  );
});

test("the scale's bar has a round length that fits", () => {
  assert.deepEqual(scaleBar(1), { metres: 100, pixels: 100 });
  assert.deepEqual(scaleBar(0.25), { metres: 200, pixels: 50 });
  assert.deepEqual(scaleBar(0.1), { metres: 1000, pixels: 100 });
  assert.equal(distance(1000), "1 km");
  assert.equal(distance(50), "50 m");
});

test("a track goes on, breaks where positions were missing, and forgets what is too old", () => {
  let parts = extend([], [0, 54, 1], 10_000, 3000);
  parts = extend(parts, [2000, 54, 1.1], 10_000, 3000);
  parts = extend(parts, [8000, 54, 1.2], 10_000, 3000);
  assert.deepEqual(
    parts.map((part) => part.length),
    [2, 1],
  );
  assert.equal(extend(parts, [8000, 54, 9], 10_000, 3000), parts);
  parts = extend(parts, [11_000, 54, 1.3], 10_000, 3000);
  assert.deepEqual(parts[0], [[2000, 54, 1.1]]);
  const path = trackPath(parts, (latitude, longitude) => [longitude * 10, latitude]);
  assert.equal(path, "M12.0 54.0L13.0 54.0");
});
