import { button, h } from "./dom.js";

/** @import { Action, Failure } from "../wire.js" */

/** @param {string} title @returns {Failure} */
const readable = (title) => ({
  kind: "lost",
  title,
  message: "This chat is still readable; run the cell again to go on.",
  actions: [],
});

/** What a view without its kernel says. */
export const LOST = {
  restarted: readable("The kernel was restarted."),
  stopped: readable("The kernel has stopped."),
  absent: readable("No kernel is connected."),
};

const KEPT = "What you sent is kept above, and answered once this is solved.";

/** What went wrong and what to do next, above the composer. */
export class Notice {
  /** @type {Failure | null} */
  #shown = null;

  /** @param {(action: Action) => void} act */
  constructor(act) {
    this.act = act;
    this.kept = h("p", "");
    this.kept.hidden = true;
    this.element = h("div", "dgpt-notice", { role: "alert" });
    this.element.hidden = true;
  }

  /** @param {Failure | null} failure @param {boolean} [waiting] whether messages wait for its end */
  update(failure, waiting = false) {
    if (waiting === this.kept.hidden) {
      this.kept.textContent = waiting ? KEPT : "";
      this.kept.hidden = !waiting;
    }
    if (failure === this.#shown) return;
    this.#shown = failure;
    this.element.hidden = failure === null;
    this.element.replaceChildren();
    if (!failure) return;
    this.element.dataset.kind = failure.kind;
    this.element.append(
      h("p", "", {}, h("strong", "", {}, failure.title), " ", failure.message),
      this.kept,
      ...this.#actions(failure.actions),
    );
  }

  /** @param {Action[]} actions */
  #actions(actions) {
    if (actions.length === 0) return [];
    const buttons = actions.map((action) => {
      const element = button(action.label, "dgpt-plain");
      element.addEventListener("click", () => this.act(action));
      return element;
    });
    return [h("div", "dgpt-actions", {}, ...buttons)];
  }
}
