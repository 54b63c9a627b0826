import { h } from "../chat/dom.js";

/** @import { TurnView } from "../chat/turn.js" */

/** One line below the first reply, until its reader has done what it says. */
export class Hint {
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
