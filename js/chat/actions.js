/** @import { Turn } from "../protocol.js" */

import { CHECK, CROSS, focus, h, sign } from "../ui/dom.js";

/** What can be done with a turn: the name that readers hear and see, and the drawing. */
const ACTS = /** @type {const} */ ({
  copy: ["Copy", "M6 6h7v7H6zM3 10V3h7"],
  regenerate: ["Regenerate", "M12.8 8.7A5 5 0 1 1 11.8 4.8M12.5 2v3.2H9.3"],
  edit: ["Edit", "m3 13 .8-3.2 7-7 2.4 2.4-7 7zM9 4.6l2.4 2.4"],
  continue: ["Continue", "M2.5 8H13M9 4l4 4-4 4"],
  more: ["More", "M3.5 8h.01M8 8h.01M12.5 8h.01"],
});
const MOMENT = 1600; // milliseconds for which an action says how it went

/** @typedef {keyof typeof ACTS} Act */

/** The row of small buttons at the end of a turn: one stop of the Tab key, and the arrow keys inside. */
export class TurnActions {
  #offered = "";
  #entry = false;

  constructor() {
    this.element = h("div", "dgpt-turn-actions", { role: "toolbar", "aria-label": "Actions" });
  }

  /** @param {readonly Act[]} acts from the start of the row */
  offer(acts) {
    const offered = `${acts}`;
    if (offered === this.#offered) return;
    this.#offered = offered;
    this.element.replaceChildren(...acts.map(button));
    this.enter(this.#entry);
  }

  /** @param {boolean} entry whether the Tab key stops here */
  enter(entry) {
    this.#entry = entry;
    const first = this.element.querySelector("button");
    if (first) first.tabIndex = entry ? 0 : -1;
  }

  /** Shows for a moment how an action went. @param {Act} act @param {boolean} done @param {string} words */
  report(act, done, words) {
    this.#draw(act, words, done ? CHECK : CROSS);
    const [name, path] = ACTS[act];
    setTimeout(() => this.#draw(act, name, path), MOMENT);
  }

  /** @param {Act} act @returns {HTMLElement | null} */
  find(act) {
    return this.element.querySelector(`[data-act=${act}]`);
  }

  /** @param {Act} act @param {string} name @param {string} path */
  #draw(act, name, path) {
    const found = this.find(act);
    if (!found) return;
    found.title = name;
    found.querySelector("path")?.setAttribute("d", path);
  }
}

/** @param {Act} act */
function button(act) {
  const [title, path] = ACTS[act];
  const attributes = { type: "button", title, tabindex: "-1", "data-act": act };
  const element = sign(attributes, path);
  if (act === "more") element.setAttribute("aria-haspopup", "menu");
  return element;
}

/** Moves the focus along a row of actions. @param {KeyboardEvent} event @returns {boolean} whether it did */
export function walkActions(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const from = /** @type {HTMLElement} */ (event.target).closest("[data-act]");
  if (!step || !from) return false;
  const row = /** @type {HTMLElement[]} */ ([...(from.parentElement?.querySelectorAll("[data-act]") ?? [])]);
  const to = row[(row.indexOf(/** @type {HTMLElement} */ (from)) + step + row.length) % row.length];
  for (const one of row) one.tabIndex = one === to ? 0 : -1;
  focus(to);
  event.preventDefault();
  return true;
}

/** Whether a model goes on with a reply: it was cut off, or a person wrote it. @param {Turn} turn */
const unfinished = (turn) => turn.stop !== "eos";

/** Whether a reply was written or imported. @param {Turn} turn */
export const byHand = (turn) => turn.role === "assistant" && turn.made === null;

/**
 * What can be done with a turn, in the order of its buttons.
 *
 * @param {Turn} turn
 * @param {boolean} live whether there is a kernel to do it
 * @param {boolean} unanswered whether it is a message without a reply
 * @param {boolean} several whether it has versions
 * @returns {Act[]}
 */
export function availableActions(turn, live, unanswered, several) {
  /** @type {Act[]} */
  const acts = ["copy"];
  if (live && (turn.role === "assistant" || unanswered)) acts.push("regenerate");
  if (live) acts.push("edit");
  if (live && turn.role === "assistant" && unfinished(turn)) acts.push("continue");
  if (live || several || turn.made) acts.push("more");
  return acts;
}
