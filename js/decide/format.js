/** @import { Candidate, NBest } from "../protocol.js" */

import { ordinal } from "../inspect/tokens/names.js";

/** A number with two or three digits that count. @param {number | null} value */
export function number(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  const digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.0995 || size < 5e-4 ? 2 : 3;
  return (digits === 2 && size < 5e-4 ? 0 : value).toFixed(digits).replace("-", "−");
}

/** What a list was ranked by. @param {NBest} list */
export const scorersOf = ({ scorers }) => (scorers.length > 0 ? ` by ${scorers.join(" + ")}` : "");

/** Where a reply stood in its list. @param {NBest} list @param {Candidate} candidate */
export function standing(list, candidate) {
  const { candidates, kind } = list;
  if (candidate.label) return candidate.label;
  const count = `${candidates.length}${kind === "beam" ? " beams" : ""}`;
  if (candidate.dropped !== null) return `dropped, of ${count}`;
  const number = candidates.indexOf(candidate) + 1;
  const rank = candidate.rank || (kind === "beam" ? number : 0); // beam search is in order
  return `${rank ? ordinal(rank) : number} of ${count}${scorersOf(list)}`;
}

/** What is to be known of how one was chosen. @param {NBest} list @returns {string[]} */
export function remarks({ note, spared, temperature, scorers }) {
  const drawn = scorers.length > 0 && temperature > 0;
  return [
    note,
    spared ? "The rules would have dropped all of them, so none was." : "",
    drawn ? `One was drawn, at temperature ${number(temperature)}: the better, the likelier.` : "",
  ].filter(Boolean);
}

/** @param {string} text @param {number} [length] */
export const shortened = (text, length = 64) =>
  text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text;
