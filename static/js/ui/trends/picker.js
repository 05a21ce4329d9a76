// The sensors to choose from: the asset tree, opened branch by branch, or what words lead to.

import { make, svg } from "../../lib/dom.js";
import { fill, gettext } from "../../lib/words.js";
import { penClass } from "./cursor.js";

const PAUSE = 150; // ms after a key before words are looked for
const icons = document.body.dataset.icons;

export class Picker {
  constructor(place, { branch, tree, numberOf, onChoose }) {
    Object.assign(this, { place, branch, tree, numberOf, onChoose });
    this.list = place.querySelector("[role=tree]");
    this.none = document.getElementById("none-found");
    this.field = document.getElementById("tags");
    this.found = null; // sensors that words lead to
    this.current = null; // key of the row that Tab reaches
    this.list.addEventListener("click", (event) => this.act(event.target.closest("li")));
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.field.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.find(), PAUSE);
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") {
        event.preventDefault();
        this.list.querySelector("[tabindex='0']")?.focus();
      }
      if (event.key === "Enter" && this.found?.length) {
        event.preventDefault();
        this.act(this.list.querySelector("li"));
      }
      if (event.key === "Escape" && this.place.classList.contains("open")) this.toggle();
    });
  }

  toggle() {
    const open = this.place.classList.toggle("open");
    document.querySelector(".tools [data-act=picker]").setAttribute("aria-expanded", String(open));
    if (open) this.field.focus();
    else document.querySelector(".tools [data-act=picker]").focus();
  }

  async find() {
    const words = this.field.value.trim();
    if (!words) {
      this.found = null;
      return this.draw();
    }
    const answer = await this.ask({ q: words });
    if (!answer || words !== this.field.value.trim()) return undefined;
    this.found = answer.items;
    this.none.textContent = answer.more
      ? fill(gettext("The first %(n)s; type more to see others."), { n: answer.items.length })
      : fill(gettext("Nothing is called “%(words)s”."), { words });
    this.none.hidden = answer.items.length > 0 && !answer.more;
    return this.draw();
  }

  async ask(query) {
    const answer = await fetch(`${this.branch}?${new URLSearchParams(query)}`, { credentials: "same-origin" }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  /** Draws the rows that are open. */
  draw() {
    const rows = [];
    const walk = (nodes, level) => {
      for (const node of nodes) {
        rows.push([node, level]);
        if (node.items && !node.shut) walk(node.items, level + 1);
      }
    };
    if (this.found) {
      for (const leaf of this.found) rows.push([leaf, 1]);
    } else {
      this.none.hidden = true;
      walk(this.tree, 1);
    }
    const focused = this.list.contains(document.activeElement);
    this.rows = new Map(rows.map(([node]) => [keyOf(node), node]));
    if (!this.rows.has(this.current)) this.current = rows.length ? keyOf(rows[0][0]) : null;
    this.list.replaceChildren(...rows.map(([node, level]) => (node.tag ? this.leaf(node, level) : this.limb(node, level))));
    if (focused) this.list.querySelector("[tabindex='0']")?.focus();
  }

  limb(node, level) {
    const open = Boolean(node.items) && !node.shut;
    const chevron = svg(
      "svg",
      { class: "ic c", width: 12, height: 12, "aria-hidden": "true" },
      ...(node.opens ? [svg("use", { href: `${icons}#${open ? "down" : "right"}` })] : []),
    );
    const expanded = node.opens ? { "aria-expanded": String(open) } : {};
    return this.row(node, level, expanded, chevron, make("span", { class: "trunc" }, node.name));
  }

  leaf(node, level) {
    const number = this.numberOf(node.tag);
    const box = make("input", { type: "checkbox", class: "cb", tabindex: -1, "aria-hidden": "true" });
    box.checked = number !== null;
    const pen = number === null ? [] : [make("i", { class: penClass({ number }) })];
    const name = this.found ? [node.name, node.machine].join(", ") : node.name;
    const label = this.found ? node.tag : node.key;
    const shown = [make("b", { class: "nowrap" }, label), make("span", { class: "dim trunc" }, name)];
    return this.row(node, level, { "aria-checked": String(number !== null), title: `${node.tag}, ${name}` }, box, ...pen, ...shown);
  }

  row(node, level, attributes, ...children) {
    const key = keyOf(node);
    const tab = key === this.current ? 0 : -1;
    const shown = Math.min(level, 7);
    return make("li", { role: "treeitem", "aria-level": shown, "data-key": key, tabindex: tab, ...attributes }, ...children);
  }

  async act(row) {
    if (!row) return;
    this.current = row.dataset.key;
    const node = this.rows.get(this.current);
    if (node.tag) {
      await this.onChoose(node.tag, this.numberOf(node.tag) === null);
    } else if (node.opens) await this.open(node, !node.items || node.shut);
    this.draw();
  }

  async open(node, wanted) {
    if (wanted && !node.items) node.items = (await this.ask({ under: node.code }))?.items ?? null;
    node.shut = !wanted;
    this.draw();
  }

  async key(event) {
    const rows = [...this.list.children];
    const at = rows.findIndex((row) => row.dataset.key === this.current);
    const node = this.rows.get(this.current);
    if (!node) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.go(rows[Math.max(0, Math.min(rows.length - 1, to))]);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.stopPropagation();
      await this.act(rows[at]);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      event.stopPropagation();
      const open = Boolean(node.items) && !node.shut;
      if (event.key === "ArrowRight" && node.opens && !open) await this.open(node, true);
      else if (event.key === "ArrowLeft" && open) await this.open(node, false);
      else if (event.key === "ArrowLeft") this.go(above(rows, at));
      else if (open) this.go(rows[at + 1]);
    }
  }

  go(row) {
    if (!row) return;
    this.list.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    this.current = row.dataset.key;
    row.setAttribute("tabindex", "0");
    row.focus();
  }
}

const keyOf = (node) => node.tag ?? `asset ${node.code}`;

/** The row that a row stands under. */
function above(rows, at) {
  const level = Number(rows[at].getAttribute("aria-level"));
  return rows.slice(0, at).findLast((row) => Number(row.getAttribute("aria-level")) < level);
}
