/** @import { Queued } from "../protocol.js" */

import { h, onClick } from "../ui/dom.js";

/** @param {Queued} queued */
function words({ kind, text }) {
  if (kind === "regenerate") return `Another reply to “${text}”`;
  if (kind === "continue") return `Going on with “${text}”`;
  if (kind === "compare") return `Side by side: “${text}”`;
  return kind === "edit" ? `New version: “${text}”` : text;
}

/** What waits for the model: messages, and other versions of turns. Each can be taken back. */
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
    onClick(this.element, (event) => {
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
    for (const queued of queue) if (!this.#items.has(queued.id)) this.#append(queued);
  }

  /** @param {Queued} queued */
  #append(queued) {
    const take = h(
      "button",
      "dgpt-button dgpt-quiet",
      { type: "button", "data-item": queued.id },
      "Withdraw",
    );
    const text = h("div", "dgpt-text", { dir: "auto" }, words(queued));
    const item = h("li", "dgpt-queued", {}, text, h("div", "dgpt-turn-foot", {}, take));
    this.#items.set(queued.id, item);
    this.element.append(item);
  }
}
