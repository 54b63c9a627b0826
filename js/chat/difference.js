/**
 * Where two texts first differ, as the three parts of each: what is the same, the first word that is not, the rest.
 *
 * @param {string} left
 * @param {string} right
 * @returns {[[string, string, string], [string, string, string]] | null} null if they do not differ
 */
export function firstDifference(left, right) {
  if (left === right) return null;
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  while (same > 0 && inWord(left, same) && inWord(right, same)) same--;
  return [parts(left, same), parts(right, same)];
}

/** Whether a place is inside a word, or inside a character. @param {string} text @param {number} place */
function inWord(text, place) {
  return /\S/.test(text[place - 1] ?? " ") && (place === text.length || /\S/.test(text[place] ?? ""));
}

/** @param {string} text @param {number} place @returns {[string, string, string]} */
function parts(text, place) {
  const [, space = "", word = ""] = text.slice(place).match(/^(\s*)(\S*)/) ?? [];
  const start = place + space.length;
  return [text.slice(0, start), word, text.slice(start + word.length)];
}
