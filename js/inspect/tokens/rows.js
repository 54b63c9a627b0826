/**
 * Token rows as `dialogpt_widget/widget/streaming.py` packs them: little-endian, one after the other.
 */
/** @import { Buffer, Piece, Tokens } from "../../protocol.js" */

import { ALTERNATIVES, EOS_FLAG, FATE_BITS, FILTERS, ORIGINS, SCORED_FLAG } from "../../protocol.js";

/**
 * @typedef {object} Alternative
 * @property {number} id
 * @property {number} logprob
 * @property {"kept" | typeof FILTERS[number]} fate
 *
 * @typedef {object} Row a token; what is not known is NaN, and of a token that nobody scored `scored` is false
 * @property {number} id
 * @property {number} chars its length in the turn's shown text, UTF-16 units
 * @property {typeof ORIGINS[number]} origin
 * @property {boolean} eos
 * @property {boolean} scored
 * @property {number} rank 1 is the most probable
 * @property {number} kept tokens that were left to draw from; 0 where nothing was chosen
 * @property {number} logprob nat, under the model's own distribution
 * @property {number} logprobUsed nat, under the one drawn from
 * @property {number} draw
 * @property {number} entropy nat
 * @property {number} entropyUsed nat
 * @property {number} ms
 * @property {number[]} cutCount by filter
 * @property {number[]} cutMass by filter
 * @property {Alternative[]} alternatives most probable first
 */

/** Rows in a buffer, each read when it is asked for. */
export class Rows {
  /** @param {Buffer} data @param {boolean} wide whether ids take four bytes @param {boolean} full */
  constructor(data, wide, full) {
    const bytes = ArrayBuffer.isView(data)
      ? new DataView(data.buffer, data.byteOffset, data.byteLength)
      : new DataView(data);
    this.bytes = bytes;
    this.width = wide ? 4 : 2;
    this.full = full;
    this.size =
      this.width + 2 + (full ? (2 + 5 + ALTERNATIVES) * this.width + 12 + 6 + 10 + 2 * ALTERNATIVES + 4 : 0);
    this.length = Math.floor(bytes.byteLength / this.size);
  }

  /** @param {number} index @returns {number} */
  id(index) {
    return this.#whole(index * this.size);
  }

  /** @param {number} index */
  chars(index) {
    return this.bytes.getUint8(index * this.size + this.width);
  }

  /** Surprisal of a token, bits; NaN where it was not scored. @param {number} index */
  bits(index) {
    if (!this.full || !(this.#flags(index) & SCORED_FLAG)) return Number.NaN;
    return -this.bytes.getFloat32(index * this.size + 3 * this.width + 2, true) / Math.LN2;
  }

  /** What many tokens are coloured by, without a row for each: one number, NaN where it is not known.
   * @param {number} index @param {"rank" | "logprob" | "entropy" | "ms"} name */
  field(index, name) {
    if (!this.full) return Number.NaN;
    const { bytes, width } = this;
    const at = index * this.size + width + 2;
    if (name === "rank") return this.#whole(at) || Number.NaN;
    if (name === "logprob") return bytes.getFloat32(at + 2 * width, true);
    return float16(bytes.getUint16(at + 2 * width + (name === "entropy" ? 12 : 16), true));
  }

  /** @param {number} index @returns {typeof ORIGINS[number]} */
  origin(index) {
    return ORIGINS[this.#flags(index) & 3] ?? "given";
  }

  /** @param {number} index */
  eos(index) {
    return (this.#flags(index) & EOS_FLAG) > 0;
  }

  /** @param {number} index @returns {Row} */
  row(index) {
    const { bytes, width, full } = this;
    const flags = this.#flags(index);
    let at = index * this.size + width + 2;
    const whole = () => {
      at += width;
      return full ? this.#whole(at - width) : 0;
    };
    const single = () => {
      at += 4;
      return full ? bytes.getFloat32(at - 4, true) : Number.NaN;
    };
    const half = () => {
      at += 2;
      return full ? float16(bytes.getUint16(at - 2, true)) : Number.NaN;
    };
    const times = (/** @type {number} */ count, /** @type {() => number} */ read) =>
      Array.from({ length: count }, read);
    const [rank, kept] = times(2, whole);
    const [logprob, logprobUsed, draw] = times(3, single);
    const [entropy, entropyUsed, ms] = times(3, half);
    const cutCount = times(FILTERS.length, whole);
    const cutMass = times(FILTERS.length, half);
    const ids = times(ALTERNATIVES, whole);
    const logprobs = times(ALTERNATIVES, half);
    const fates = full ? bytes.getUint32(at, true) : 0;
    const alternatives = ids.map((id, place) => ({
      id,
      logprob: logprobs[place] ?? Number.NaN,
      fate: fateOf((fates >>> (FATE_BITS * place)) & (2 ** FATE_BITS - 1)),
    }));
    return {
      id: this.id(index),
      chars: this.chars(index),
      origin: ORIGINS[flags & 3] ?? "given",
      eos: (flags & EOS_FLAG) > 0,
      scored: (flags & SCORED_FLAG) > 0,
      rank: rank ?? 0,
      kept: kept ?? 0,
      logprob: logprob ?? Number.NaN,
      logprobUsed: logprobUsed ?? Number.NaN,
      draw: draw ?? Number.NaN,
      entropy: entropy ?? Number.NaN,
      entropyUsed: entropyUsed ?? Number.NaN,
      ms: ms ?? Number.NaN,
      cutCount,
      cutMass,
      alternatives: alternatives.filter((one) => !Number.isNaN(one.logprob)),
    };
  }

  /** @param {number} index */
  #flags(index) {
    return this.bytes.getUint8(index * this.size + this.width + 1);
  }

  /** @param {number} at */
  #whole(at) {
    return this.width === 4 ? this.bytes.getUint32(at, true) : this.bytes.getUint16(at, true);
  }
}

/** @param {number} fate 0 kept, else 1 + the place of the filter @returns {Alternative["fate"]} */
function fateOf(fate) {
  return fate === 0 ? "kept" : (FILTERS[fate - 1] ?? "kept");
}

/** @param {number} bits of an IEEE 754 half */
export function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The tokens of a turn, with what each id stands for. */
export class TurnTokens {
  /** @type {Map<number, Piece>} */
  pieces = new Map();

  /** @param {Tokens} tokens @param {Buffer} [data] where it came apart from them */
  constructor(tokens, data) {
    /** The first token that this machine would have chosen otherwise, of a reply that another made. */
    this.differs = tokens.differs ?? null;
    const own = data ?? tokens.data;
    this.rows = new Rows(typeof own === "string" ? fromBase64(own) : own, tokens.wide, tokens.full);
    const { rows, pieces } = this;
    let next = 0;
    const name = (/** @type {number} */ id) => {
      if (!pieces.has(id)) pieces.set(id, tokens.pieces[next++] ?? "");
    };
    for (let index = 0; index < rows.length; index++) {
      name(rows.id(index));
      if (rows.full) for (const { id } of rows.row(index).alternatives) name(id);
    }
  }
}

/** @param {string} text */
function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
