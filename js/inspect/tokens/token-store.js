/** @import { View } from "../../view.js" */

import { TOKENS_KEY } from "../../protocol.js";
import { TurnTokens } from "./rows.js";

/** The tokens of turns: from the state, or asked for once on hosts that lose messages and for what is no turn. */
export class TokenStore {
  /** @type {Map<number, TurnTokens>} */
  #tokens = new Map();
  /** @type {Set<number>} turns whose tokens were asked for */
  #asked = new Set();

  /**
   * @param {View} view
   * @param {() => void} came told when what was asked for has come
   * @param {(tokens: TurnTokens) => void} [learn] told of tokens once they are here
   */
  constructor(view, came, learn) {
    this.view = view;
    this.came = came;
    this.learn = learn;
  }

  /** The tokens of a turn, as far as they are here. @param {number} id @param {boolean} ask for them if they are not
   * @returns {TurnTokens | null} */
  of(id, ask) {
    const known = this.#tokens.get(id);
    if (known) return known;
    const sent = this.view.model.get(TOKENS_KEY + id);
    if (sent) return this.#keep(id, new TurnTokens(sent));
    if (ask && !this.#asked.has(id)) this.#ask(id);
    return null;
  }

  /** @param {number} id */
  async #ask(id) {
    this.#asked.add(id);
    const answer = await this.view.requests.request("tokens", { turn: id }).catch(() => null);
    if (!answer?.tokens) return;
    this.#keep(id, new TurnTokens(answer.tokens, answer.buffers?.[0]));
    this.came();
  }

  /** @param {number} id @param {TurnTokens} tokens */
  #keep(id, tokens) {
    this.#tokens.set(id, tokens);
    this.learn?.(tokens);
    return tokens;
  }
}
