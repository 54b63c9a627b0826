import { h } from "./dom.js";

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
