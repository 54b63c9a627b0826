import { h, onClick } from "./dom.js";

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
