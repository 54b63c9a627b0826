/** @import { Connection } from "../comm/connection.js" */
/** @import { Action, Failure } from "../protocol.js" */
/** @import { State } from "../state.js" */

import { button, h, onClick } from "../ui/dom.js";

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

/** @typedef {"elsewhere" | "cleared" | "replaced"} Kind */

/** @type {Record<Kind, [string, string]>} what is said, and what the button is named */
const KINDS = {
  elsewhere: ["A reply is being written in another version.", "Show it"],
  cleared: ["A new chat. What was said before is kept.", "Undo"],
  replaced: ["What was said before is kept.", "Undo"],
};

/** A quiet word on where things are that were just on the page, with the way there. */
export class Aside {
  /** @type {Kind | null} */
  #kind = null;

  /** @param {(kind: Kind) => void} act */
  constructor(act) {
    this.words = h("span", "");
    this.way = button("", "dgpt-quiet dgpt-link");
    this.element = h("div", "dgpt-aside dgpt-row dgpt-small", {}, this.words, this.way);
    this.element.hidden = true;
    onClick(this.way, () => this.#kind && act(this.#kind));
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    const elsewhere = state.reply && !state.answer;
    const cleared = state.path.length === 0 && !state.answer;
    const left = !state.canUndo ? null : cleared ? "cleared" : replaced(state) ? "replaced" : null;
    const kind = !live ? null : elsewhere ? "elsewhere" : left;
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.element.hidden = kind === null;
    if (kind) [this.words.textContent, this.way.textContent] = KINDS[kind];
  }
}

/** Whether the chat went on from another version of its last message or reply. @param {State} state */
function replaced({ path, tree }) {
  const exchange = path.slice(path.at(-1)?.role === "user" ? -1 : -2);
  return exchange.some(({ id, parent, role }) =>
    tree
      .children(parent)
      .filter((other) => other !== id)
      .flatMap((other) => tree.children(other))
      .some((next) => role === "assistant" || tree.children(next).length > 0),
  );
}

/** Three ways to begin, while nothing has been said. */
export class Start {
  /** @type {string[]} */
  #shown = [];

  /** @param {(text: string) => void} choose @param {() => void} unfocus called when the focused one goes */
  constructor(choose, unfocus) {
    this.unfocus = unfocus;
    this.element = h("div", "dgpt-start", { role: "group", "aria-label": "Ways to begin" });
    onClick(this.element, (event) => {
      const starter = /** @type {HTMLElement} */ (event.target).closest("button");
      if (starter?.textContent) choose(starter.textContent);
    });
  }

  /** @param {string[]} starters @param {boolean} wanted */
  update(starters, wanted) {
    const hidden = !wanted || starters.length === 0;
    if (hidden && this.element.querySelector(":focus")) this.unfocus();
    this.element.hidden = hidden;
    if (starters === this.#shown) return;
    this.#shown = starters;
    this.element.replaceChildren(
      ...starters.map((text) =>
        h("button", "dgpt-button dgpt-plain dgpt-starter", { type: "button", dir: "auto" }, text),
      ),
    );
  }
}
