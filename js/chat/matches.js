/**
 * Where a text contains what is searched for, whatever the case; white space stands for any white space.
 *
 * @param {string} text
 * @param {string} query
 * @returns {[number, number][]} start and end of each
 */
export function matches(text, query) {
  const words = query.trim().split(/\s+/).map(literally);
  if (!words[0]) return [];
  return [...text.matchAll(new RegExp(words.join("\\s+"), "giu"))].map((found) => [
    found.index,
    found.index + found[0].length,
  ]);
}

/** @param {string} word */
const literally = (word) => word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
