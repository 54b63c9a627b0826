/** @import { TurnView } from "../chat/turn.js" */
/** @import { NBest } from "../protocol.js" */
/** @import { View } from "../view.js" */

import { button, onClick } from "../ui/dom.js";
import { standing } from "./format.js";

/** In the foot of a reply that was chosen among others: where it stood, and the way to them. */
export class Chips {
  /** @type {Map<TurnView, HTMLElement | null>} turns near what the reader sees */
  #near = new Map();

  /** @param {View} view @param {(list: NBest) => void} open */
  constructor(view, open) {
    this.view = view;
    this.open = open;
    view.transcript.furnish((turn, near) => this.#see(turn, near));
  }

  update() {
    for (const turn of this.#near.keys()) {
      if (this.view.transcript.views.get(turn.id) === turn) this.#write(turn);
      else this.#near.delete(turn);
    }
    this.enter();
  }

  /** They are a stop of the Tab key where their turn is. */
  enter() {
    for (const [{ element }, chip] of this.#near) if (chip) chip.tabIndex = element.tabIndex;
  }

  /** @param {TurnView} turn @param {boolean} near */
  #see(turn, near) {
    if (near) {
      if (!this.#near.has(turn)) this.#near.set(turn, null);
      this.#write(turn);
      return;
    }
    const chip = this.#near.get(turn);
    if (chip?.matches(":focus")) return;
    chip?.remove();
    this.#near.delete(turn);
  }

  /** @param {TurnView} turn */
  #write(turn) {
    const { turns, nbests } = this.view.state;
    const list = nbests.get(turns.get(turn.id)?.made?.nbest ?? -1);
    const candidate = list?.candidates.find((one) => one.turn === turn.id);
    let chip = this.#near.get(turn);
    if (!list || !candidate) {
      chip?.remove();
      this.#near.set(turn, null);
      return;
    }
    if (!chip) {
      chip = button("", "dgpt-quiet dgpt-decided");
      chip.title = "Show what it was chosen from";
      chip.tabIndex = turn.element.tabIndex;
      onClick(chip, () => {
        const now = this.view.state.nbests.get(list.id);
        if (now) this.open(now);
      });
      turn.foot.insertBefore(chip, turn.foot.querySelector(".dgpt-versions, .dgpt-turn-actions"));
      this.#near.set(turn, chip);
    }
    const words = standing(list, candidate);
    if (chip.textContent !== words) chip.textContent = words;
  }
}
