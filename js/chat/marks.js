/** @import { TurnView } from "./turn.js" */

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
export class Marks {
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
