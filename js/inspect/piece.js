import { h } from "../chat/dom.js";
import { named, shownParts } from "./format.js";

/** @import { Piece } from "../wire.js" */

/** What the end of a turn is called. */
export const END = "end of turn";

/** What tokens are called, and how they are shown. */
export class Names {
  /** @type {Map<number, Piece>} */
  #pieces = new Map();
  /** @type {number | null} the token that ends a turn */
  end = null;

  /** @param {Iterable<[number, Piece]>} pieces */
  learn(pieces) {
    for (const [id, piece] of pieces) this.#pieces.set(id, piece);
  }

  /** @param {number} id @returns {string} in words */
  name(id) {
    if (id === this.end) return END;
    return id < 0 ? "a rare one" : named(this.#pieces.get(id) ?? "?");
  }

  /** @param {number} id @returns {HTMLElement} in a sentence */
  tell(id) {
    return h("strong", id === this.end ? "dgpt-chip" : "", {}, this.name(id));
  }

  /** @param {number} id @returns {HTMLElement} as it looks, with a dot for a space */
  show(id) {
    if (id === this.end) return h("span", "dgpt-chip", {}, END);
    if (id < 0) return h("span", "", {}, "a rare one");
    const parts = shownParts(this.#pieces.get(id) ?? "?");
    const shown = parts.map(({ text, mark }) =>
      mark ? h("span", "dgpt-mark", { "aria-hidden": "true" }, text) : text,
    );
    const silent = parts.every(({ mark }) => mark);
    if (silent) shown.push(h("span", "dgpt-hidden", {}, this.name(id)));
    return h("span", "dgpt-piece", {}, ...shown);
  }
}
