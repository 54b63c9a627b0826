import { h, sign } from "./dom.js";

const BACK = "M9.5 4.5 6 8l3.5 3.5";
const FORTH = "M6.5 4.5 10 8l-3.5 3.5";

/** Which of its versions a turn is, between the buttons that go to its neighbours. */
export class Versions {
  constructor() {
    this.back = step("Previous version", BACK, "-1");
    this.forth = step("Next version", FORTH, "1");
    this.place = h("span", "");
    this.element = h(
      "div",
      "dgpt-versions",
      { role: "group", "aria-label": "Versions" },
      this.back,
      this.place,
      this.forth,
    );
  }

  /** @param {number} place from 1 @param {number} count */
  show(place, count) {
    this.place.textContent = `${place} / ${count}`;
    this.back.setAttribute("aria-disabled", String(place === 1));
    this.forth.setAttribute("aria-disabled", String(place === count));
  }

  /** @param {boolean} entry whether the Tab key stops here */
  enter(entry) {
    this.back.tabIndex = this.forth.tabIndex = entry ? 0 : -1;
  }
}

/** @param {string} title @param {string} path @param {string} by */
function step(title, path, by) {
  const attributes = { type: "button", title, tabindex: "-1", "data-step": by };
  return sign(attributes, path);
}

/**
 * How far an event in a turn asks to go through its versions: a click on a button, an arrow key in the group.
 *
 * @param {Event} event
 * @returns {number} 0 for not at all
 */
export function versionStep(event) {
  const at = /** @type {Element} */ (event.target);
  if (event.type === "click") return Number(at.closest("[data-step]")?.getAttribute("data-step") ?? 0);
  const key = /** @type {KeyboardEvent} */ (event).key;
  if (!at.closest("[data-step]")) return 0;
  return { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
}
