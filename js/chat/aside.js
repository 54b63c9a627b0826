import { button, h, onClick } from "./dom.js";

/** @import { State } from "../state.js" */

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
