/** @import { TurnTokens } from "../tokens/rows.js" */

import { named, shownParts } from "../tokens/names.js";

/**
 * @typedef {object} Unit what is shown as one: a token, or several that make one glyph together
 * @property {number} first the place of its first token in the turn
 * @property {number} count of its tokens
 * @property {string} text exactly, spaces and line breaks included; "" for the end of the turn
 * @property {number[]} [bytes] where they are no text, even together
 * @property {boolean} eos
 */

const END = "⟨end⟩";
const decoder = new TextDecoder();

/** The units of a turn's tokens. @param {TurnTokens} tokens @returns {Unit[]} */
export function unitsOf({ rows, pieces }) {
  /** @type {Unit[]} */
  const units = [];
  /** @type {number[]} bytes of a character whose rest is yet to come */
  let open = [];
  let plain = true;
  for (let index = 0; index < rows.length; index++) {
    const piece = pieces.get(rows.id(index)) ?? "";
    const last = units.at(-1);
    const eos = rows.eos(index);
    if (typeof piece === "string" || eos) {
      open = [];
      units.push({ first: index, count: 1, text: eos ? "" : String(piece), eos });
    } else if (last && open.length) {
      open.push(...piece);
      last.count++;
      read(last, open);
    } else {
      open = [...piece];
      units.push(read({ first: index, count: 1, text: "", eos }, open));
    }
    if (!incomplete(open)) open = [];
    plain &&= typeof piece === "string" && !/[^\x20-\x7e]/.test(piece);
  }
  return plain ? units : joined(units);
}

/** Joins what one glyph is made of: a letter and its accent, the people of a family.
 * @param {Unit[]} units @returns {Unit[]} */
function joined(units) {
  if (!Intl.Segmenter) return units;
  const text = units.map((unit) => unit.text).join("");
  const ends = new Set([text.length]);
  for (const { index } of new Intl.Segmenter().segment(text)) ends.add(index);
  /** @type {Unit[]} */
  const whole = [];
  let at = 0;
  let inside = false;
  for (const unit of units) {
    const last = whole.at(-1);
    if (inside && last && !unit.eos) {
      last.count += unit.count;
      last.text += unit.text;
      last.bytes = undefined;
    } else whole.push(unit);
    at += unit.text.length;
    inside = !ends.has(at);
  }
  return whole;
}

/** @param {Unit} unit @param {number[]} bytes that it stands for */
function read(unit, bytes) {
  unit.text = decoder.decode(Uint8Array.from(bytes));
  unit.bytes = unit.text.includes("\uFFFD") ? [...bytes] : undefined;
  return unit;
}

/** Whether bytes end within a character of UTF-8. @param {number[]} bytes */
function incomplete(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2);
    if (byte < 0x80) return false;
  }
  return false;
}

/** @param {Unit} unit @returns {string} what is shown, with spaces and line breaks in sight */
export function shownAs({ eos, text, bytes }) {
  const parts = shownParts(bytes ?? text);
  return eos ? END : parts.map((part) => part.text).join("") || "∅";
}

/** @param {Unit} unit in words */
export const calledAs = ({ eos, text, bytes }) => (eos ? "end of turn" : named(bytes ?? text));
