/** @import { TurnView } from "../../chat/turn.js" */
/** @import { View } from "../../view.js" */
/** @import { Names } from "../tokens/names.js" */
/** @import { TurnTokens } from "../tokens/rows.js" */
/** @import { Unit } from "./units.js" */

import { h } from "../../ui/dom.js";
import { told } from "../card/card.js";
import { unitsOf } from "./units.js";
import { Words } from "./words.js";

/** One line below the first reply, until its reader has done what it says. */
class Hint {
  #done = false;

  constructor() {
    const example = h("span", "dgpt-word", { "data-surprise": "1" }, "Underlined");
    this.element = h("p", "dgpt-small dgpt-tip", {}, "Click a word. ", example, ": a surprise to the model.");
  }

  /** @param {TurnView} view a reply that has words */
  offer(view) {
    if (!this.#done && !this.element.isConnected) view.foot.before(this.element);
  }

  /** Somebody has clicked a word. */
  done() {
    this.#done = true;
    this.element.remove();
  }
}

/**
 * @typedef {object} Hooks
 * @property {(id: number) => TurnTokens | null} tokensOf
 * @property {(words: Words, unit: Unit, word: HTMLElement, into: boolean) => void} open
 * @property {(words: Words) => void} moved the focus has gone to another word
 * @property {(id: number) => boolean} held whether a reply keeps its words, however far it is
 */

/** The replies near what the reader sees: their text is made of words. */
export class Replies {
  hint = new Hint();
  /** @type {Set<number>} turns */
  #near = new Set();
  /** @type {Map<number, Words>} */
  #words = new Map();

  /** @param {View} view @param {Names} names @param {Hooks} hooks */
  constructor(view, names, hooks) {
    this.view = view;
    this.names = names;
    this.hooks = hooks;
    view.transcript.furnish((turn, near) => this.#see(turn, near));
  }

  /** @param {number} id of a turn @returns {Words | undefined} */
  of(id) {
    return this.#words.get(id);
  }

  /** Takes in what has changed. @param {(id: number) => void} left told of a reply that is not on the page any more */
  update(left) {
    const { views } = this.view.transcript;
    for (const [id, { view }] of this.#words) {
      if (views.get(id) === view) continue;
      left(id);
      this.#words.delete(id);
    }
    for (const id of this.#near) {
      if (views.has(id)) this.furnish(id);
      else this.#near.delete(id);
    }
    this.enter();
  }

  /** The words of a reply are a stop of the Tab key where their turn is. */
  enter() {
    for (const words of this.#words.values()) words.enter();
  }

  /** Makes words of a reply's text, where all of it is on the page and its tokens are known. @param {number} id */
  furnish(id) {
    const view = this.view.transcript.views.get(id);
    const turn = this.view.state.turns.get(id);
    const whole = view !== undefined && view.node.data === turn?.text;
    if (!whole || !turn?.made || this.#words.has(id)) return;
    const tokens = this.hooks.tokensOf(id);
    const units = tokens?.rows.full ? unitsOf(tokens, turn.text) : [];
    if (!tokens || units.length === 0) return;
    const words = new Words(view, units, {
      say: (unit) => this.#said(tokens, unit),
      open: (unit, word, into) => this.hooks.open(words, unit, word, into),
      moved: () => this.hooks.moved(words),
    });
    this.#words.set(id, words);
    this.hint.offer(view);
    if (tokens.differs !== null && !view.foot.querySelector(".dgpt-differs"))
      view.foot.prepend(
        h("span", "dgpt-note dgpt-differs", {}, `differs from token ${tokens.differs} on this machine`),
      );
  }

  /** @param {TurnView} view @param {boolean} near */
  #see({ id }, near) {
    if (near) {
      this.#near.add(id);
      this.furnish(id);
    } else if (this.#near.delete(id) && !this.hooks.held(id)) this.#strip(id);
  }

  /** @param {number} id */
  #strip(id) {
    const words = this.#words.get(id);
    if (!words || words.focused) return;
    words.drop();
    this.#words.delete(id);
  }

  /** What a screen reader says of a word. @param {TurnTokens} tokens @param {Unit} unit */
  #said({ rows }, { token, degree }) {
    const row = rows.row(token);
    return `${this.names.name(row.id)}: ${told(row)}${degree ? ", a surprise" : ""}`;
  }
}
