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
  const inSight = (/** @type {Element} */ one) => height(one) + one.getBoundingClientRect().height > 0;
  const part = [...log.querySelectorAll(".dgpt-part")].find(inSight); // what is in others has no place to measure
  const first = [...(part?.querySelectorAll("[data-turn]") ?? [])].find(inSight);
  const before = first ? height(first) : 0;
  change();
  if (first) log.scrollTop += height(first) - before;
}
