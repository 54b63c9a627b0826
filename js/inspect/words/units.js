/** @import { TurnTokens } from "../tokens/rows.js" */

/**
 * @typedef {object} Unit what a reader can point at: the characters of a token, or of several that only together are
 *   characters
 * @property {number} start in the text
 * @property {number} end
 * @property {number} first its tokens
 * @property {number} last
 * @property {number} token the one that surprised the model most
 * @property {number} bits by how much
 * @property {number} degree of the surprise: 0 for none worth a mark, to 3
 */

const DEGREES = [4, 7, 10]; // bits: less than 6 %, 0.8 %, 0.1 %
const MARKED = 1 / 5; // of a reply, at most

/**
 * What can be pointed at in a reply, in order. After the last character comes, without characters, what ended it.
 *
 * @param {TurnTokens} tokens
 * @param {string} text
 * @returns {Unit[]} none where it is not known which characters are whose
 */
export function unitsOf({ rows }, text) {
  const edges = edgesOf(text);
  const units = [];
  let start = 0;
  let end = 0;
  let first = 0;
  for (let index = 0; index < rows.length; index++) {
    end += rows.chars(index);
    if (end === start || (edges && !edges.has(end))) continue;
    units.push(unit(rows, start, end, first, index));
    start = end;
    first = index + 1;
  }
  if (end !== text.length || start !== end) return [];
  const last = rows.length - 1;
  if (first <= last && !Number.isNaN(rows.bits(last))) units.push(unit(rows, end, end, first, last));
  mark(units);
  return units;
}

/**
 * @param {TurnTokens["rows"]} rows @param {number} start @param {number} end @param {number} first
 * @param {number} last
 * @returns {Unit}
 */
function unit(rows, start, end, first, last) {
  let token = last;
  for (let index = last - 1; index >= first; index--)
    if (rows.bits(index) > (rows.bits(token) || 0)) token = index;
  return { start, end, first, last, token, bits: rows.bits(token) || 0, degree: 0 };
}

/** Marks what surprised the model, as far as it stands out in this reply. @param {Unit[]} units */
function mark(units) {
  const most = [...units].sort((a, b) => b.bits - a.bits).slice(0, Math.ceil(units.length * MARKED));
  for (const unit of most) unit.degree = DEGREES.filter((bits) => unit.bits >= bits).length;
}

/** Where what is seen as one character ends; null where that is everywhere. @param {string} text */
function edgesOf(text) {
  if (/^[\x20-\x7e\n]*$/.test(text) || !("Segmenter" in Intl)) return null;
  const characters = new Intl.Segmenter().segment(text);
  return new Set([...characters].map(({ index, segment }) => index + segment.length));
}

/** The place of the most surprising unit. @param {Unit[]} units */
export function mostSurprising(units) {
  return units.reduce((best, unit, at) => (unit.bits > (units[best]?.bits ?? 0) ? at : best), 0);
}
