/** @import { Setting } from "../wire.js" */

/** @typedef {number | boolean | string | null} Value */

/** What a setting is called, and from where to where its slider goes, in which steps: the bounds allow far more.
 * @type {Record<string, [words: string, ...range: number[]]>} */
const KNOWN = {
  max_new_tokens: ["Longest reply", 1, 256, 1],
  min_new_tokens: ["Shortest reply", 0, 64, 1],
  max_context: ["Window", 64, 1024, 8],
  do_sample: ["Draw at random"],
  temperature: ["Temperature", 0.1, 2, 0.05],
  top_k: ["Top k", 0, 200, 1],
  top_p: ["Top p", 0, 1, 0.01],
  min_p: ["Min p", 0, 0.5, 0.01],
  seed: ["Seed"],
  repetition_penalty: ["Repetition penalty", 1, 2, 0.05],
  no_repeat_ngram_size: ["No repeated runs", 0, 8, 1],
  candidates: ["Replies made", 1, 64, 1],
  num_beams: ["Beams", 1, 16, 1],
  length_penalty: ["Length penalty", -2, 3, 0.1],
};

/** @param {string} name */
export const wordsOf = (name) => KNOWN[name]?.[0] ?? name.replaceAll("_", " ");

/** The slider of a setting, if one makes sense. @param {Setting} setting */
export function rangeOf({ name, min, max }) {
  const [, low, high, step] = KNOWN[name] ?? [];
  if (low === undefined || high === undefined) return null;
  return { min: Math.max(low, min ?? low), max: Math.min(high, max ?? high), step: step ?? 1 };
}

/** Whether there is anything to choose. @param {Setting} setting */
export const isFree = ({ type, min, max }) => type === "bool" || min !== max;

/** What was written in a field, for the kernel to judge: text that is no number stays text.
 * @param {string} text @param {Setting} setting @returns {Value} */
export function readValue(text, setting) {
  const written = text.trim().replace(",", ".");
  if (written === "" && setting.default === null) return null;
  const number = Number(written);
  return written !== "" && Number.isFinite(number) ? number : text;
}
