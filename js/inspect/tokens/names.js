/** @import { Piece } from "../../protocol.js" */
/** @import { TurnTokens } from "./rows.js" */

import { h } from "../../ui/dom.js";

/** What is said where there is no kernel. */
export const NEEDS = "This needs the model: run the notebook’s cell again.";

/** A share as people write it: 12 %, 0.4 %, <0.01 %. @param {number} share 0..1 */
export function percent(share) {
  const hundred = 100 * share;
  if (!(hundred > 0)) return "0\u00a0%";
  if (hundred < 0.01) return "<0.01\u00a0%";
  if (share > 0.9995 && share < 1 - 1e-6) return ">99.9\u00a0%";
  const digits = hundred < 0.1 ? 2 : hundred < 9.95 ? 1 : share > 0.99 && share < 1 - 1e-6 ? 1 : 0;
  return `${hundred.toFixed(digits).replace(/\.0$/, "")}\u00a0%`;
}

/** @param {number} place 1 for 1st */
export function ordinal(place) {
  const tens = place % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][place % 10] ?? "th");
  return `${grouped(place)}${ending}`;
}

/** @param {number} count */
export function grouped(count) {
  return count.toLocaleString("en");
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** @type {Record<string, string>} */
const MARKS = { " ": "·", "\n": "↵", "\r": "↵", "\t": "⇥", "\u00a0": "·" };
/** @type {Record<string, string>} */
const NAMES = { " ": "space", "\n": "line break", "\r": "line break", "\t": "tab", "\u00a0": "space" };

/**
 * A token's bytes as parts to show: what is usually invisible, as marks; bytes that are no text alone, as numbers.
 *
 * @param {Piece} piece
 * @returns {{text: string, mark: boolean}[]}
 */
export function shownParts(piece) {
  if (typeof piece !== "string") return [{ text: bytes(piece), mark: true }];
  return [...piece.matchAll(/[ \n\r\t\u00a0]|\p{C}|[^ \n\r\t\u00a0\p{C}]+/gu)].map(([text]) => {
    const mark = MARKS[text] ?? (/\p{C}/u.test(text) ? code(text) : undefined);
    return { text: mark ?? text, mark: mark !== undefined };
  });
}

/** A token's bytes as they are called. @param {Piece} piece */
export function named(piece) {
  if (typeof piece !== "string") return `byte${piece.length > 1 ? "s" : ""} ${bytes(piece)}`;
  const text = piece.trim();
  if (text) return text;
  return [...piece].map((char) => NAMES[char] ?? code(char)).join(", ") || "nothing";
}

/** @param {number[]} numbers */
function bytes(numbers) {
  return numbers.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}

/** @param {string} char */
function code(char) {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

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

  /** Learns the tokens of a turn, and which one ends it. @param {TurnTokens} tokens */
  read({ rows, pieces }) {
    this.learn(pieces);
    const last = rows.length - 1;
    if (last >= 0 && rows.row(last).eos) this.end = rows.id(last);
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
