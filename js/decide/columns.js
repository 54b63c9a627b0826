import { number } from "./words.js";

/** @import { Candidate, NBest } from "../wire.js" */

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {string} help
 * @property {(candidate: Candidate) => number | string | null} of what it is sorted by
 * @property {boolean} down whether the greatest comes first
 * @property {boolean} score whether greater is better, and a bar says how much
 */

const NAT = "in nat; higher is likelier";

/** Their place, which stands before all others. @type {Column} */
export const RANK = {
  name: "#",
  help: "Rank: 1 is the best",
  of: ({ rank }) => rank || null,
  down: false,
  score: false,
};

/** @type {Column} */
export const TEXT = {
  name: "Reply",
  help: "What it says",
  of: ({ text }) => text.toLowerCase(),
  down: false,
  score: false,
};

/** The numbers that are known of the replies of a list. @param {NBest} list @returns {Column[]} */
export function columnsOf({ candidates, kind, scorers, weights }) {
  /** @type {(name: string, help: string, of: (one: Candidate) => number | null) => Column} */
  const score = (name, help, of) => ({ name, help, of, down: true, score: true });
  const logprob = score("log p", `Log-probability, ${NAT}`, (one) => one.logprob);
  const mean = score("per token", `Log-probability a token, ${NAT}`, (one) => one.mean);
  /** @type {Column[]} */
  const columns = [
    { name: "tokens", help: "Length in tokens", of: (one) => one.tokens, down: true, score: false },
    logprob,
    mean,
  ];
  if (kind === "beam")
    columns.push(score("beam", "What beam search gave it; higher is better", (one) => one.beam));
  const weighed = weights.some((weight) => weight !== 1);
  scorers.forEach((name, place) => {
    const of = (/** @type {Candidate} */ one) => one.scores[place] ?? null;
    if ([logprob, mean].some((column) => same(candidates, of, column.of))) return;
    const weight = weighed ? `; weight ${number(weights[place] ?? 1)}` : "";
    columns.push(score(name, `What ${name} gave it; higher is better${weight}`, of));
  });
  if (scorers.length > 1 || weighed)
    columns.push(score("total", "Sum of the scores, each with its weight", (one) => one.total));
  return columns.filter((column) => candidates.some((one) => column.of(one) !== null));
}

/** Whether two columns say the same wherever both say something.
 * @param {Candidate[]} candidates @param {Column["of"]} one @param {Column["of"]} other */
function same(candidates, one, other) {
  return candidates.every((candidate) => {
    const score = one(candidate);
    return score === null || Math.abs(Number(score) - Number(other(candidate))) < 5e-3;
  });
}

/** How far each value of a column lies between its lowest and its highest.
 * @param {Candidate[]} candidates @param {Column} column @returns {(candidate: Candidate) => number} 0..1 */
export function sharesOf(candidates, { of }) {
  const known = candidates.flatMap((one) => of(one) ?? []).map(Number);
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  return (one) => (range > 0 ? (Number(of(one)) - low) / range : 1);
}

/** Candidates in the order of a column; those without a value come last, as they were.
 * @param {Candidate[]} candidates @param {Column} column @param {boolean} down */
export function sorted(candidates, { of }, down) {
  const known = candidates.filter((one) => of(one) !== null);
  known.sort((a, b) => {
    const [left, right] = [of(a) ?? 0, of(b) ?? 0];
    return (left < right ? -1 : left > right ? 1 : 0) * (down ? -1 : 1);
  });
  return [...known, ...candidates.filter((one) => of(one) === null)];
}
