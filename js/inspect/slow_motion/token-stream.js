/** @import { Buffer, Frame, Pace, Piece } from "../../protocol.js" */
/** @import { State } from "../../state.js" */
/** @import { View } from "../../view.js" */
/** @import { Names } from "../tokens/names.js" */

import { Rows } from "../tokens/rows.js";

const [NARROW, WIDE] = [false, true].map((wide) => new Rows(new ArrayBuffer(0), wide, true).size);

/** The tokens of the running reply, as frames bring them; otherwise like those of a turn. */
export class LiveTokens {
  /** @type {number | null} */
  turn = null;
  /** @type {Map<number, Piece>} */
  pieces = new Map();
  rows = new Rows(new ArrayBuffer(0), false, true);
  differs = null;
  /** @type {Set<number>} ids whose pieces were asked for */
  #asked = new Set();

  /**
   * Rows from a place on; what was there is void.
   *
   * @param {number} turn @param {number} row @param {Buffer} buffer
   * @returns {boolean} whether they follow what is here
   */
  put(turn, row, buffer) {
    const old = turn === this.turn ? this.rows : new Rows(new ArrayBuffer(0), this.rows.width > 2, true);
    if (row > old.length) return false;
    this.turn = turn;
    const { byteLength } = buffer;
    const wide = old.length
      ? old.width > 2
      : byteLength % (NARROW ?? 1) !== 0 && byteLength % (WIDE ?? 1) === 0;
    const { size } = new Rows(new ArrayBuffer(0), wide, true);
    const bytes = new Uint8Array(row * size + byteLength);
    bytes.set(new Uint8Array(old.bytes.buffer, 0, row * size));
    bytes.set(bytesOf(buffer), row * size);
    this.rows = new Rows(bytes, wide, true);
    return true;
  }

  /** Ids that nobody asked for yet. @returns {number[]} */
  strange() {
    const ids = new Set();
    for (let index = 0; index < this.rows.length; index++) {
      const { id, alternatives } = this.rows.row(index);
      for (const one of [id, ...alternatives.map((other) => other.id)])
        if (!this.#asked.has(one)) ids.add(one);
    }
    for (const id of ids) this.#asked.add(id);
    return [...ids];
  }
}

/** @param {Buffer} buffer */
function bytesOf(buffer) {
  return ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
}

/**
 * What each of the first tokens adds to the text. A character whose bytes are several tokens comes with the last.
 *
 * @param {{rows: Rows, pieces: Map<number, Piece>}} tokens
 * @param {number} count
 */
export function textsOf({ rows, pieces }, count) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const encoder = new TextEncoder();
  return Array.from({ length: count }, (_, index) => {
    const piece = pieces.get(rows.id(index)) ?? "";
    const bytes = typeof piece === "string" ? encoder.encode(piece) : Uint8Array.from(piece);
    return rows.eos(index) ? "" : decoder.decode(bytes, { stream: true });
  });
}

const LATE = 300; // milliseconds after which rows that no frame brought are asked for

/** The tokens of the running reply, as they come while somebody watches. */
export class TokenStream {
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
