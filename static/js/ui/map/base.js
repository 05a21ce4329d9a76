// The ground: pictures and outlines of the site. An outline that names an asset shows when something is wrong with it.

import { setClass, svg } from "../../lib/dom.js";
import { tally } from "../../state/alarms.js";
import { around, onEarth } from "../../state/map.js";

const LETTER = 6.4; // px, about, of a label
const MOST_LABELS = 60;

/** The [latitude, longitude] of a layer's own coordinates; null where its plan has no place. */
function reader(layer, plan) {
  if (!layer.metres) return (x, y) => [y, x];
  return plan ? (x, y) => onEarth(plan, x, y) : null;
}

/** The corners of the layers as [latitude, longitude], by which the map finds its middle. */
export function corners(layers, plan) {
  return layers.flatMap((layer) => {
    const place = reader(layer, plan);
    const [west, south, east, north] = layer.extent;
    return place ? [place(west, south), place(east, north), place(west, north), place(east, south)] : [];
  });
}

/**
 * Draws the layers into `group`, whose unit is a metre, and their names into `names`, whose unit is a pixel. Takes
 * `below`: the codes of all assets below those that outlines name. Gives { draw, name, paint }.
 */
export function startBase(group, names, layers, plan, project, below, onReady) {
  const labels = [];
  const shapes = new Map(); // by the asset's code

  for (const layer of layers) {
    const place = reader(layer, plan);
    if (!place) continue;
    const at = (x, y) => project(...place(x, y));
    const part = svg("g", { class: `layer ${layer.kind}` });
    group.append(part);
    if (layer.kind === "picture") part.append(picture(layer, at));
    else {
      fetch(layer.url, { credentials: "same-origin" })
        .then((answer) => (answer.ok ? answer.json() : { features: [] }))
        .then(({ features }) => {
          part.replaceChildren(...features.map((feature) => outline(feature, at)).filter(Boolean));
          onReady();
        })
        .catch(() => {});
    }
  }

  /** A picture stretched between its corners; turned with its plan. */
  function picture(layer, at) {
    const [west, south, east, north] = layer.extent;
    const [x, y] = at(west, north);
    const [right, down] = at(east, north);
    const [left, bottom] = at(west, south);
    return svg("image", {
      href: layer.url,
      width: 1,
      height: 1,
      preserveAspectRatio: "none",
      transform: `matrix(${right - x} ${down - y} ${left - x} ${bottom - y} ${x} ${y})`,
    });
  }

  function outline({ properties, geometry }, at) {
    const { name = "", kind = "", asset = "" } = properties;
    const line = (points) => points.map(([x, y]) => at(x, y));
    const written = (points) =>
      points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
    let lines;
    let drawn;
    if (geometry.type === "MultiPolygon") {
      lines = geometry.coordinates.map(([outer]) => line(outer));
      const rings = geometry.coordinates.flat().map((ring) => `${written(line(ring))}Z`);
      drawn = [svg("path", { class: "shape", d: rings.join(""), "fill-rule": "evenodd" })];
    } else if (geometry.type === "MultiLineString") {
      lines = geometry.coordinates.map(line);
      const d = lines.map(written).join("");
      drawn = [svg("path", { class: "case", d }), svg("path", { class: "line", d })];
    } else {
      lines = geometry.coordinates.map(([x, y]) => [at(x, y)]);
      drawn = [];
    }
    const box = around(lines.flat());
    if (name && box) label(name, box, geometry.type, lines);
    if (!drawn.length) return null;
    const plain = `outline ${kind}`;
    const shape = svg("g", { class: plain }, ...drawn);
    if (asset) {
      shape.dataset.asset = asset;
      if (!shapes.has(asset)) shapes.set(asset, []);
      shapes.get(asset).push({ shape, plain });
    }
    return shape;
  }

  function label(name, box, type, lines) {
    const text = svg("text", { class: "name" });
    text.textContent = name;
    const longest = lines.reduce((best, one) => (one.length > best.length ? one : best), []);
    const [x, y] =
      type === "MultiPolygon"
        ? [(box.left + box.right) / 2, box.top]
        : longest.length > 2
          ? longest[Math.floor(longest.length / 2)]
          : [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const wide = type === "MultiPoint" ? Infinity : Math.max(box.right - box.left, box.bottom - box.top);
    const room = type === "MultiPolygon" ? box.right - box.left : wide;
    labels.push({ text, x, y, room });
  }

  return {
    /** Moves the ground under the view. */
    draw(view, width, height) {
      group.setAttribute(
        "transform",
        `matrix(${view.scale} 0 0 ${view.scale} ${width / 2 - view.x * view.scale} ${height / 2 - view.y * view.scale})`,
      );
    },
    /** Writes a name where its shape is wide enough, and nothing of `taken` (px of the ground) is in the way. */
    name(view, width, height, taken) {
      const shown = [];
      for (const { text, x, y, room } of labels) {
        const half = (text.textContent.length * LETTER) / 2;
        const [right, down] = [x * view.scale, y * view.scale - 6];
        const seen =
          room * view.scale > 2 * half + 12 &&
          Math.abs(right - view.x * view.scale) < width / 2 &&
          Math.abs(down - view.y * view.scale) < height / 2;
        const free = ([l, t, r, b]) => r < right - half || l > right + half || b < down - 10 || t > down + 3;
        if (!seen || !taken.every(free)) continue;
        taken.push([right - half, down - 10, right + half, down + 3]);
        text.setAttribute("x", (right - view.x * view.scale + width / 2).toFixed(1));
        text.setAttribute("y", (down - view.y * view.scale + height / 2).toFixed(1));
        shown.push(text);
        if (shown.length === MOST_LABELS) break;
      }
      names.replaceChildren(...shown);
    },
    /** Shows what is wrong with the assets that outlines name. Takes the open alarms by asset code. */
    paint(alarmsOf) {
      for (const [code, drawn] of shapes) {
        const counted = tally((below[code] ?? [code]).flatMap((one) => alarmsOf.get(one) ?? []));
        const state = counted.worst ? ` al p${counted.worst}` : "";
        for (const { shape, plain } of drawn) setClass(shape, plain + state);
      }
    },
  };
}
