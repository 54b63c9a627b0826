import { TOKENS_KEY } from "../wire.js";
import { Names } from "./piece.js";
import { TurnTokens } from "./rows.js";

/** @import { View } from "../view.js" */
/** @import { Turn } from "../wire.js" */

/** What is known of the tokens of settled turns: from the state, or asked for on hosts that lose messages. */
export class Known {
  names = new Names();
  /** @type {Map<number, TurnTokens>} */
  #tokens = new Map();
  /** @type {Set<number>} turns whose tokens were asked for */
  #asked = new Set();

  /** @param {View} view @param {() => void} came told when what was asked for has come */
  constructor(view, came) {
    this.view = view;
    this.came = came;
  }

  /** The tokens of a turn, as far as they are here. @param {number} id @param {boolean} live @returns {TurnTokens | null} */
  of(id, live) {
    const known = this.#tokens.get(id);
    if (known) return known;
    const { model, state } = this.view;
    const sent = model.get(TOKENS_KEY + id);
    if (sent) return this.#learn(id, new TurnTokens(sent));
    const waiting = live && state.status.phase === "ready" && !this.#asked.has(id);
    if (waiting && this.own(state.turns.get(id))) this.#ask(id);
    return null;
  }

  /** Whether a turn is in the ids of the model that is loaded. @param {Turn | undefined} turn */
  own(turn) {
    return turn !== undefined && turn.model === this.view.state.info.name;
  }

  /** @param {number} id */
  async #ask(id) {
    this.#asked.add(id);
    const answer = await this.view.requests.request("tokens", { turn: id }).catch(() => null);
    if (!answer?.tokens) return;
    this.#learn(id, new TurnTokens(answer.tokens, answer.buffers?.[0]));
    this.came();
  }

  /** @param {number} id @param {TurnTokens} tokens */
  #learn(id, tokens) {
    this.#tokens.set(id, tokens);
    this.names.learn(tokens.pieces);
    const last = tokens.rows.length - 1;
    if (last >= 0 && tokens.rows.row(last).eos) this.names.end = tokens.rows.id(last);
    return tokens;
  }
}
