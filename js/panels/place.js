/**
 * Changes the layout and leaves the reader of a scroll container where they are: the first turn in sight stays at its
 * height.
 *
 * @param {HTMLElement} log
 * @param {() => void} change
 */
export function inPlace(log, change) {
  const height = (/** @type {Element} */ turn) =>
    turn.getBoundingClientRect().top - log.getBoundingClientRect().top;
  const turns = [...log.querySelectorAll("[data-turn]")];
  const first = turns.find((turn) => height(turn) + turn.getBoundingClientRect().height > 0);
  const before = first ? height(first) : 0;
  change();
  if (first) log.scrollTop += height(first) - before;
}
