/**
 * Where texts first part, as the three parts of each: what all have, the first word that not all have, the rest.
 *
 * @param {string[]} texts
 * @returns {[string, string, string][] | null} null if they are the same
 */
export function parting(texts) {
  const [first = "", ...others] = texts;
  if (others.every((other) => other === first)) return null;
  let same = 0;
  while (same < first.length && others.every((other) => other[same] === first[same])) same++;
  while (same > 0 && texts.every((text) => inWord(text, same))) same--;
  return texts.map((text) => parts(text, same));
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
