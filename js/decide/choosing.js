import { h } from "../chat/dom.js";
import { Beside } from "./beside.js";

/** @import { State } from "../state.js" */
/** @import { Decider } from "./main.js" */

/** At the end of a chat, replies of which the reader has yet to choose one. */
export class Choosing {
  /** @type {Beside | null} */
  #shown = null;

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    this.element = h("div", "dgpt-choosing", {});
    decider.view.transcript.turns.element.after(this.element);
  }

  /** @param {State} state */
  update(state) {
    const list = open(state);
    if (list !== this.#shown?.list) {
      const focused = this.element.contains(document.activeElement);
      this.refusal.textContent = "";
      this.#shown = list
        ? new Beside(list, { ...this.decider.hooks, pick: (place) => this.#pick(place) }, true)
        : null;
      this.element.replaceChildren(...(this.#shown ? [this.#shown.element, this.refusal] : []));
      if (focused) this.decider.view.composer.focus();
    }
    this.#shown?.update();
  }

  dispose() {
    this.element.remove();
  }

  /** @param {number} place */
  async #pick(place) {
    if (this.#shown) this.refusal.textContent = await this.decider.pick(this.#shown.list, place);
  }
}

/** The newest comparison at the end of the path. @param {State} state */
function open({ path, nbests, answer }) {
  const end = path.at(-1)?.id;
  const lists = [...nbests.values()].filter(({ kind, parent }) => kind === "compared" && parent === end);
  return answer ? undefined : lists.sort((one, other) => one.id - other.id).at(-1);
}
