import { button, h, onClick } from "./dom.js";

/** @import { Connection } from "../kernel.js" */
/** @import { Action, Failure } from "../wire.js" */

/** @typedef {Exclude<Connection, "live">} Loss */

/** @type {Record<Loss, string>} */
const LOST = {
  restarted: "The kernel was restarted.",
  stopped: "The kernel has stopped.",
  absent: "No kernel is connected.",
};

/** What a view without its kernel says. @param {Loss} loss @param {boolean} folded whether the notebook's own
 * transcript stands for it @returns {Failure} */
export function lost(loss, folded) {
  const readable = folded ? "The conversation is kept below" : "This chat is still readable";
  const message = `${readable}; run the cell again to go on.`;
  return { kind: "lost", title: LOST[loss], message, actions: [] };
}

/** What a page says that was saved without a kernel. @param {number} seconds when, UTC */
export function savedLine(seconds) {
  const date = new Date(seconds * 1000).toLocaleDateString("en-GB", { dateStyle: "long" });
  return h("p", "dgpt-hint", {}, `Saved ${date} · read-only`);
}

const KEPT = "What you sent is kept above, and answered once this is solved.";

/** What went wrong and what to do next, above the composer. */
export class Notice {
  #shown = "null";

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
    const shown = JSON.stringify(failure);
    if (shown === this.#shown) return;
    this.#shown = shown;
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
      onClick(element, () => this.act(action));
      return element;
    });
    return [h("div", "dgpt-actions", {}, ...buttons)];
  }
}
