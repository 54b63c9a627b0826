import { Rows } from "./rows.js";

/** @import { Buffer, Piece } from "../wire.js" */

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
