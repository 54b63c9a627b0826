/** @import { TurnView } from "../../chat/turn.js" */
/** @import { Unit } from "./units.js" */

import { focus, h, onClick } from "../../ui/dom.js";
import { mostSurprising } from "./units.js";

/**
 * @typedef {object} Hooks
 * @property {(unit: Unit) => string} say what a screen reader says of a word
 * @property {(unit: Unit, word: HTMLElement, into: boolean) => void} open with `into` the focus goes there
 * @property {(word: HTMLElement) => void} moved the focus has gone to another word
 */

/** The words of a reply, each to be pointed at: one stop of the Tab key, with the arrow keys inside. */
export class Words {
  #at = 0;
  /** @type {HTMLElement[]} */
  #words = [];

  /** @param {TurnView} view @param {Unit[]} units @param {Hooks} hooks */
  constructor(view, units, hooks) {
    this.view = view;
    this.units = units;
    this.hooks = hooks;
    this.#at = mostSurprising(units);
    this.click = (/** @type {MouseEvent} */ event) => this.#click(event);
    this.key = (/** @type {KeyboardEvent} */ event) => this.#key(event);
    const { node, text } = view;
    this.#words = units.map((unit) => h("span", unit.end > unit.start ? "dgpt-word" : "dgpt-word dgpt-end"));
    const parts = units.flatMap(({ start, end, degree }, place) => {
      const word = /** @type {HTMLElement} */ (this.#words[place]);
      const said = node.data.slice(start, end);
      const space = said.trim() ? said.length - said.trimStart().length : 0;
      word.append(said.slice(space));
      if (degree) word.dataset.surprise = String(degree);
      return [said.slice(0, space), word];
    });
    text.replaceChildren(...parts.filter((part) => part !== ""));
    onClick(text, this.click);
    text.addEventListener("keydown", this.key);
    this.#stop(this.#at);
  }

  /** The word that the Tab key stops at. */
  get word() {
    return /** @type {HTMLElement} */ (this.#words[this.#at]);
  }

  /** Which of the units that is. */
  get place() {
    return this.#at;
  }

  get focused() {
    return this.word.matches(":focus");
  }

  /** Gives the reply its plain text back. */
  drop() {
    const { text, node } = this.view;
    text.removeEventListener("click", this.click);
    text.removeEventListener("keydown", this.key);
    text.replaceChildren(node);
  }

  /** Whether the Tab key stops here: where it stops at the turn. */
  enter() {
    this.word.tabIndex = this.view.element.tabIndex;
  }

  /** @param {number} token @returns {Unit | undefined} the unit that it belongs to, at which the Tab key now stops */
  go(token) {
    const place = this.units.findIndex(({ first, last }) => first <= token && token <= last);
    if (place >= 0) this.#stop(place);
    return this.units[place];
  }

  /** Marks the word that is looked at. @param {boolean} open */
  show(open) {
    for (const word of this.#words) word.removeAttribute("aria-expanded");
    this.word.setAttribute("aria-expanded", String(open));
  }

  /** Focuses the word that the Tab key stops at. */
  focus() {
    focus(this.word);
  }

  /** @param {number} place */
  #stop(place) {
    const open = this.word.getAttribute("aria-expanded") === "true";
    for (const name of ["role", "tabindex", "aria-label", "aria-expanded"]) this.word.removeAttribute(name);
    this.#at = place;
    const unit = this.units[place];
    this.word.setAttribute("role", "button");
    this.word.setAttribute("aria-expanded", String(open));
    if (unit) this.word.setAttribute("aria-label", this.hooks.say(unit));
    this.enter();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const place = this.#words.indexOf(/** @type {HTMLElement} */ (event.target));
    const unit = this.units[place];
    if (!unit || event.detail > 1) return;
    this.#stop(place);
    this.focus();
    this.hooks.open(unit, this.word, false);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target !== this.word || event.ctrlKey || event.metaKey || event.altKey) return;
    const unit = /** @type {Unit} */ (this.units[this.#at]);
    if (event.key === "Enter" || event.key === " ") this.hooks.open(unit, this.word, true);
    else if (!this.#walk(event.key)) return;
    event.preventDefault();
  }

  /** @param {string} key @returns {boolean} whether it walks */
  #walk(key) {
    const { length } = this.units;
    const at = this.#at;
    const marked = (/** @type {number} */ by) => {
      for (let to = at + by; to !== at; to += by) {
        to = (to + length) % length;
        if (this.units[to]?.degree || to === at) return to;
      }
      return at;
    };
    /** @type {Record<string, () => number>} */
    const ways = {
      ArrowLeft: () => Math.max(0, at - 1),
      ArrowRight: () => Math.min(length - 1, at + 1),
      Home: () => 0,
      End: () => length - 1,
      ".": () => marked(1),
      ",": () => marked(-1),
    };
    const to = ways[key]?.();
    if (to === undefined) return false;
    this.#stop(to);
    this.focus();
    this.hooks.moved(this.word);
    return true;
  }
}
