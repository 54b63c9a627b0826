import { LiveTokens } from "./slowrows.js";

/** @import { State } from "../state.js" */
/** @import { View } from "../view.js" */
/** @import { Buffer, Frame, Pace } from "../wire.js" */
/** @import { Names } from "./piece.js" */

const LATE = 300; // milliseconds after which rows that no frame brought are asked for

/** The tokens of the running reply, as they come while somebody watches. */
export class Feed {
  live = new LiveTokens();
  #request;
  #watching = false;
  #heard = 0; // buffers of rows that have come
  #late = 0;
  #seen = ""; // the place for which rows were awaited

  /** @param {View} view @param {Names} names @param {() => void} changed */
  constructor(view, names, changed) {
    this.view = view;
    this.names = names;
    this.changed = changed;
    this.#request = view.requests.request.bind(view.requests);
  }

  /** @param {number} turn that is running */
  tokensOf(turn) {
    return this.live.turn === turn && !this.view.state.turns.has(turn) ? this.live : null;
  }

  /** A message that is no answer. @param {unknown} content @param {Buffer[]} buffers */
  receive(content, [buffer]) {
    const { turn, row } = /** @type {Frame} */ (content);
    if (!this.#watching || row === undefined || !buffer) return;
    this.#heard++;
    if (this.live.put(turn, row, buffer)) this.#name();
    else this.#sync();
  }

  /** @param {boolean} on @param {boolean} able whether there is a kernel */
  watch(on, able) {
    if (on === this.#watching) return;
    this.#watching = on;
    if (able) this.#request("watch", { on }).catch(() => {});
    if (on) this.#sync();
  }

  /** Rows come with frames, but not from every host. @param {State} state @param {Pace} pace */
  expect(state, pace) {
    const at = `${state.answer?.turn} ${pace.count}`;
    if (!pace.waiting || at === this.#seen) return;
    this.#seen = at;
    const heard = this.#heard;
    clearTimeout(this.#late);
    this.#late = /** @type {any} */ (setTimeout(() => heard === this.#heard && this.#sync(), LATE));
  }

  dispose() {
    clearTimeout(this.#late);
  }

  async #sync() {
    const snapshot = await this.#request("sync").catch(() => null);
    const rows = snapshot?.buffers?.[0];
    if (typeof snapshot?.turn !== "number" || !rows) return;
    this.live.put(snapshot.turn, 0, rows);
    this.#name();
  }

  /** Learns what new tokens are called. */
  async #name() {
    const { live, names } = this;
    const last = live.rows.length - 1;
    if (last >= 0 && live.rows.eos(last)) names.end = live.rows.id(last);
    const ids = live.strange();
    if (ids.length) {
      const { pieces } = await this.#request("pieces", { ids }).catch(() => ({ pieces: {} }));
      for (const [id, piece] of Object.entries(pieces)) live.pieces.set(Number(id), piece);
      names.learn(live.pieces);
    }
    this.changed();
  }
}
