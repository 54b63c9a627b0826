/** @import { TurnView } from "./turn.js" */

import { button, CROSS, field, focus, h, icon, onClick } from "../ui/dom.js";
import { composing } from "../ui/textarea.js";

/** @typedef {{view: TurnView, start: number, end: number}} Found */

const ALL = "dgpt-find";
const ONE = "dgpt-found";

/** A highlight of the page, which all views share. @param {string} name */
function highlight(name) {
  const shared = CSS.highlights.get(name) ?? new Highlight();
  CSS.highlights.set(name, shared);
  return shared;
}

/** Marks what was found; without changing the page, so that the text of a turn stays one text node. */
class Marks {
  /** @type {[Highlight, AbstractRange][]} */
  #ranges = [];
  /** @type {HTMLElement | undefined} */
  #turn;

  /** @param {Found[]} found @param {number} at the one that the reader is at */
  show(found, at) {
    for (const [shared, range] of this.#ranges) shared.delete(range);
    this.#ranges = [];
    this.#turn?.removeAttribute("data-found");
    if ("Highlight" in globalThis) for (const one of found) this.#mark(one, one === found[at]);
    else {
      this.#turn = found[at]?.view.element;
      this.#turn?.setAttribute("data-found", "");
    }
  }

  /** @param {Found} found @param {boolean} here */
  #mark({ view, start, end }, here) {
    const [startContainer, startOffset] = view.at(start);
    const [endContainer, endOffset] = view.at(end);
    const range = new StaticRange({ startContainer, startOffset, endContainer, endOffset });
    const shared = highlight(here ? ONE : ALL);
    shared.add(range);
    this.#ranges.push([shared, range]);
  }
}

/**
 * Where a text contains what is searched for, whatever the case; white space stands for any white space.
 *
 * @param {string} text
 * @param {string} query
 * @returns {[number, number][]} start and end of each
 */
export function matches(text, query) {
  const words = query.trim().split(/\s+/).map(literally);
  if (!words[0]) return [];
  return [...text.matchAll(new RegExp(words.join("\\s+"), "giu"))].map((found) => [
    found.index,
    found.index + found[0].length,
  ]);
}

/** @param {string} word */
const literally = (word) => word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/**
 * @typedef {object} Hooks
 * @property {() => Iterable<TurnView>} views in the order of the path
 * @property {(find: () => Element | Range) => void} reveal scrolls there
 * @property {() => void} unfocus where the focus goes if it came from nowhere
 */

/** Finds words on the selected path, also where it is out of sight. */
export class Find {
  /** @type {Found[]} */
  #found = [];
  #at = 0;
  #searched = "";
  /** @type {HTMLElement | null} what had the focus before */
  #before = null;
  #marks = new Marks();

  /** @param {Hooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.field = field({
      "aria-label": "Find in this chat",
      placeholder: "Find",
      enterkeyhint: "search",
    });
    this.count = h("span", "dgpt-small", { "aria-live": "polite" });
    const steps = /** @type {const} */ ([
      ["Previous match", "M4.5 9.5 8 6l3.5 3.5", () => this.#go(-1)],
      ["Next match", "M4.5 6.5 8 10l3.5-3.5", () => this.#go(1)],
      ["Close", CROSS, () => this.close()],
    ]);
    const buttons = steps.map(([name, path, act]) => {
      const element = button(name, "dgpt-quiet dgpt-round", icon(path));
      onClick(element, act);
      return element;
    });
    this.element = h("search", "dgpt-find dgpt-row", {}, this.field, this.count, ...buttons);
    this.element.hidden = true;
    this.field.addEventListener("input", () => this.#search(true));
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  open() {
    const root = /** @type {Document | ShadowRoot} */ (this.element.getRootNode());
    if (this.element.hidden) this.#before = /** @type {HTMLElement | null} */ (root.activeElement);
    this.element.hidden = false;
    focus(this.field);
    this.field.select();
    this.#search(true);
  }

  close() {
    this.element.hidden = true;
    this.#marks.show([], -1);
    this.#searched = "";
    if (this.#before?.isConnected && this.#before !== document.body) focus(this.#before);
    else this.hooks.unfocus();
  }

  dispose() {
    this.#marks.show([], -1);
  }

  /** Called when the path may have changed. */
  update() {
    if (!this.element.hidden) this.#search(false);
  }

  /** @param {boolean} asked whether the reader has asked for it; else the path has changed */
  #search(asked) {
    const query = this.field.value;
    const views = [...this.hooks.views()];
    const searched = [
      query,
      ...views.map(({ id, node, text }) => [id, node.length, text.childNodes.length]),
    ].join();
    if (searched === this.#searched) return;
    this.#searched = searched;
    const before = this.#found[this.#at];
    this.#found = views.flatMap((view) =>
      matches(view.node.data, query).map(([start, end]) => ({ view, start, end })),
    );
    const same = this.#found.findIndex(({ view, start }) => view === before?.view && start >= before.start);
    this.#at = Math.max(0, same);
    this.#show(asked);
  }

  /** @param {number} by */
  #go(by) {
    const { length } = this.#found;
    if (length === 0) return;
    this.#at = (this.#at + by + length) % length;
    this.#show(true);
  }

  /** @param {boolean} scroll */
  #show(scroll) {
    const { length } = this.#found;
    const words = length ? `${this.#at + 1} of ${length}` : this.field.value.trim() && "not found";
    this.count.textContent = words;
    this.#marks.show(this.#found, this.#at);
    const found = this.#found[this.#at];
    if (!scroll || !found) return;
    let near = false;
    this.hooks.reveal(() => {
      const what = near ? this.#range(found) : found.view.element;
      near = true;
      return what;
    });
  }

  /** @param {Found} found */
  #range({ view, start, end }) {
    const range = document.createRange();
    range.setStart(...view.at(start));
    range.setEnd(...view.at(end));
    return range;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (composing(event)) return;
    if (event.key === "Enter" && event.target === this.field) this.#go(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }
}
