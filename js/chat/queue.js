import { h } from "./dom.js";

/** @import { Queued } from "../wire.js" */

/** Messages that wait for the model. Each can be taken back. */
export class Queue {
  /** @type {Queued[]} */
  #shown = [];
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();

  /**
   * @param {(item: string) => void} withdraw
   * @param {() => void} unfocus called when the item that had the focus has gone
   */
  constructor(withdraw, unfocus) {
    this.unfocus = unfocus;
    this.element = h("ul", "dgpt-queue", { "aria-label": "Waiting to be sent" });
    this.element.hidden = true;
    this.element.addEventListener("click", (event) => {
      const item = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.item;
      if (item !== undefined) withdraw(item);
    });
  }

  /** @param {Queued[]} queue */
  update(queue) {
    if (queue === this.#shown) return;
    this.#shown = queue;
    this.element.hidden = queue.length === 0;
    const waiting = new Set(queue.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (waiting.has(id)) continue;
      if (item.querySelector(":focus")) this.unfocus();
      item.remove();
      this.#items.delete(id);
    }
    for (const { id, text } of queue) if (!this.#items.has(id)) this.#append(id, text);
  }

  /** @param {string} id @param {string} text */
  #append(id, text) {
    const take = h("button", "dgpt-button dgpt-quiet", { type: "button", "data-item": id }, "Withdraw");
    const words = h("div", "dgpt-text", { dir: "auto" }, text);
    const item = h("li", "dgpt-queued", {}, words, h("div", "dgpt-turn-foot", {}, take));
    this.#items.set(id, item);
    this.element.append(item);
  }
}
