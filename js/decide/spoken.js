import { TurnTokens } from "../inspect/rows.js";
import { TOKENS_KEY } from "../wire.js";

/** @import { View } from "../view.js" */

const END = "\0"; // in no piece of a reply

/** The tokens of candidates: of those in the tree from the state, of others asked for once. */
export class Spoken {
  /** @type {Map<number, TurnTokens | null>} null while nothing has come */
  #known = new Map();

  /** @param {View} view @param {() => void} came told when what was asked for is here */
  constructor(view, came) {
    this.view = view;
    this.came = came;
  }

  /** @param {number} turn @returns {TurnTokens | null} */
  of(turn) {
    const { model, able } = this.view;
    const known = this.#known.get(turn);
    if (known) return known;
    const sent = model.get(TOKENS_KEY + turn);
    if (sent) this.#known.set(turn, new TurnTokens(sent));
    else if (able && known === undefined) this.#ask(turn);
    return this.#known.get(turn) ?? null;
  }

  /** @param {number} turn */
  async #ask(turn) {
    this.#known.set(turn, null);
    const answer = await this.view.requests.request("tokens", { turn }).catch(() => null);
    if (!answer?.tokens) return;
    this.#known.set(turn, new TurnTokens(answer.tokens, answer.buffers?.[0]));
    this.came();
  }
}

/**
 * Where replies first part, token by token, as `parting` gives it for words.
 *
 * @param {string[]} texts
 * @param {TurnTokens[]} tokens of each
 * @returns {[string, string, string][] | null} null if they are the same
 */
export function partingTokens(texts, tokens) {
  const longest = Math.max(...tokens.map(({ rows }) => rows.length));
  for (let index = 0; index < longest; index++) {
    const pieces = new Set(tokens.map((one) => pieceOf(one, index)));
    if (pieces.size > 1)
      return texts.map((text, place) => cut(text, /** @type {TurnTokens} */ (tokens[place]), index));
  }
  return null;
}

/** @param {TurnTokens} tokens @param {number} index */
function pieceOf({ rows, pieces }, index) {
  if (index >= rows.length || rows.eos(index)) return END;
  return String(pieces.get(rows.id(index)));
}

/** @param {string} text @param {TurnTokens} tokens @param {number} index @returns {[string, string, string]} */
function cut(text, { rows }, index) {
  let start = 0;
  for (let at = 0; at < Math.min(index, rows.length); at++) start += rows.chars(at);
  let end = start;
  for (let at = index; end === start && at < rows.length; at++) end += rows.chars(at); // a character of several tokens
  const [space = ""] = text.slice(start, end).match(/^\s*/) ?? [];
  if (space.length < end - start) start += space.length;
  return [text.slice(0, start), text.slice(start, end), text.slice(end)];
}
