/** @import { Meter, Turn } from "../protocol.js" */

import { h } from "../ui/dom.js";

const SIZE = 8; // turns in a part

/**
 * The turns of a path on the page, in parts of a few turns each: what is far from the reader's eyes is skipped by the
 * browser a part at a time, so that a long chat costs no more than a short one, and is on the page as a whole.
 */
export class Parts {
  /** @param {(part: Element) => void} [gone] told of a part that is not needed any more */
  constructor(gone) {
    this.gone = gone;
    this.element = h("div", "dgpt-turns");
  }

  /**
   * Brings elements into order; what is in its place is not touched.
   *
   * @param {HTMLElement[]} elements
   * @returns {HTMLElement[]} those that were not in their place
   */
  arrange(elements) {
    const moved = [];
    const { children } = this.element;
    for (let start = 0; start < elements.length; start += SIZE) {
      const part = children[start / SIZE] ?? this.element.appendChild(h("div", "dgpt-part"));
      let next = part.firstChild;
      for (const element of elements.slice(start, start + SIZE)) {
        if (element === next) next = next.nextSibling;
        else {
          part.insertBefore(element, next);
          moved.push(element);
        }
      }
    }
    for (const part of [...children].slice(Math.ceil(elements.length / SIZE))) {
      part.remove();
      this.gone?.(part);
    }
    return moved;
  }
}

/** Marks where the model's window begins. */
export class Divider {
  /** @type {Meter | null | undefined} what it tells of */
  #meter;

  constructor() {
    this.element = h("div", "dgpt-divider", { role: "note" });
  }

  /** Makes room for turns that are about to be arranged. */
  leave() {
    this.element.remove();
    this.#meter = undefined;
  }

  /** @param {Meter | null} meter @param {Turn[]} path @param {(id: number) => HTMLElement | undefined} find */
  update(meter, path, find) {
    if (meter === this.#meter) return;
    this.#meter = meter;
    const start = meter ? path.findIndex((turn) => turn.id === meter.first) : -1;
    path.forEach((turn, place) => {
      find(turn.id)?.toggleAttribute("data-out", place < start);
    });
    const words = meter && start >= 0 ? missing(start, meter.cut > 0) : "";
    const first = path[start] && find(path[start].id);
    this.element.textContent = words;
    if (words && first) first.before(this.element);
    else this.element.remove();
  }
}

/** What the model does not see of a path. @param {number} turns before its window @param {boolean} cut */
function missing(turns, cut) {
  if (cut) return "Only the end of this message is in the model’s window";
  if (turns === 0) return "";
  return `${turns === 1 ? "The turn above is" : "Earlier turns are"} no longer in the model’s window`;
}
