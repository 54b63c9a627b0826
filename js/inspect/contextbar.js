import { h, onClick } from "../chat/dom.js";

/** @import { Turn } from "../wire.js" */

/**
 * @typedef {object} Shape
 * @property {{turn: Turn, tokens: number}[]} turns in the window
 * @property {Set<number>} choosable
 * @property {number} fallen tokens that no longer fit
 * @property {number} cut
 * @property {number} window
 * @property {number} room
 * @property {number} reused
 * @property {number} mark 0 for none
 * @property {Set<number>} out left out for a moment
 */

const GHOST = 1 / 6; // of the bar, at most, for what fell out

/** The window as a bar, for eyes and the pointer; what it shows is said in words beside it. */
export class Bar {
  /** @param {(turn: number) => void} choose */
  constructor(choose) {
    this.row = h("div", "dgpt-window");
    this.under = h("div", "dgpt-window-under");
    this.element = h("div", "dgpt-context-bar", { "aria-hidden": "true" }, this.row, this.under);
    onClick(this.row, (event) => {
      const turn = /** @type {HTMLElement} */ (event.target).dataset.turn;
      if (turn !== undefined && "choosable" in /** @type {HTMLElement} */ (event.target).dataset)
        choose(Number(turn));
    });
  }

  /** @param {Shape} shape */
  show({ turns, choosable, fallen, cut, window, room, reused, mark, out }) {
    const ghost = fallen ? Math.min(GHOST, fallen / (fallen + window)) : 0;
    const wide = (/** @type {number} */ tokens) => `${((tokens / window) * (1 - ghost) * 100).toFixed(3)}%`;
    const at = (/** @type {number} */ tokens) => `${((tokens / window) * (1 - ghost) + ghost) * 100}%`;
    const parts = turns.map(({ turn, tokens }, place) => {
      const part = h("div", "dgpt-window-turn", { "data-turn": String(turn.id), "data-role": turn.role });
      part.style.width = wide(place ? tokens : tokens - cut);
      part.title = `${turn.role === "user" ? "You" : "Model"}, ${tokens} tokens: ${turn.text.slice(0, 80)}`;
      part.toggleAttribute("data-choosable", choosable.has(turn.id));
      return part;
    });
    const gone = h("div", "dgpt-window-fallen", { title: `${fallen} tokens fell out` });
    gone.style.width = `${ghost * 100}%`;
    const used = turns.reduce((sum, { tokens }) => sum + tokens, -cut);
    const free = h("div", "dgpt-window-room", { title: `${room} tokens kept free for the reply` });
    free.style.width = wide(Math.min(room, Math.max(0, window - used)));
    this.row.replaceChildren(...(fallen ? [gone] : []), ...parts, free);
    const cached = h("div", "dgpt-window-reused");
    cached.style.insetInlineStart = at(0);
    cached.style.width = wide(Math.min(reused, used));
    const scale = [
      ["0", 0],
      ...(mark && mark < window ? [[`${mark}`, mark]] : []),
      [`${window}`, window],
    ].map(([words, tokens]) => {
      const tick = h("span", "dgpt-window-tick dgpt-small", {}, String(words));
      tick.style.insetInlineStart = at(Number(tokens));
      if (tokens === window) tick.dataset.end = "";
      if (tokens === mark) tick.dataset.mark = "";
      return tick;
    });
    this.under.replaceChildren(cached, ...scale);
    this.leave(out);
  }

  /** @param {Set<number>} out */
  leave(out) {
    for (const part of this.row.querySelectorAll("[data-turn]"))
      part.toggleAttribute("data-out", out.has(Number(/** @type {HTMLElement} */ (part).dataset.turn)));
  }
}
