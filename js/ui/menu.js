import { focus, h, onClick } from "./dom.js";

/**
 * @typedef {object} Choice
 * @property {string} label
 * @property {() => void} act
 * @property {boolean} [grave] whether it destroys something
 */

const GAP = 4; // pixels between the menu and its button

/** The one menu of a view, small and next to the button that opened it. In the top layer, where nothing cuts it off. */
export class Menu {
  /** @type {HTMLElement | null} */
  #anchor = null;
  #keep = () => this.keep();

  constructor() {
    this.facts = h("dl", "dgpt-facts dgpt-small");
    this.list = h("div", "", { role: "menu", "aria-label": "More" });
    this.element = h("div", "dgpt-menu", { popover: "manual", tabindex: "-1" }, this.facts, this.list);
    this.element.hidden = true;
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusout", (event) => {
      const to = /** @type {Node | null} */ (event.relatedTarget);
      if (to !== this.#anchor && !this.element.contains(to)) this.close(false);
    });
  }

  /**
   * Opens next to a button, or closes if it was opened there.
   *
   * @param {HTMLElement} anchor
   * @param {[string, string][]} facts shown above the choices
   * @param {Choice[]} choices
   */
  toggle(anchor, facts, choices) {
    if (anchor === this.#anchor) {
      this.close();
      return;
    }
    this.close(false);
    this.#anchor = anchor;
    this.facts.hidden = facts.length === 0;
    this.facts.replaceChildren(
      ...facts.map(([name, value]) => h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value))),
    );
    this.list.hidden = choices.length === 0;
    this.list.replaceChildren(...choices.map((choice) => this.#item(choice)));
    this.element.hidden = false;
    this.element.showPopover?.();
    this.#place(anchor);
    anchor.setAttribute("aria-expanded", "true");
    focus(this.#items[0] ?? this.element);
    addEventListener("scroll", this.#keep, { capture: true, passive: true });
    addEventListener("resize", this.#keep);
  }

  /** Stays beside its button, and goes with it. */
  keep() {
    if (this.#anchor?.isConnected) this.#place(this.#anchor);
    else this.close(false);
  }

  /** @param {boolean} [back] whether the focus goes back to the button */
  close(back = true) {
    const anchor = this.#anchor;
    if (!anchor) return;
    this.#anchor = null;
    removeEventListener("scroll", this.#keep, { capture: true });
    removeEventListener("resize", this.#keep);
    anchor.removeAttribute("aria-expanded");
    if (back) focus(anchor);
    this.element.hidePopover?.();
    this.element.hidden = true;
  }

  /** @returns {HTMLElement[]} */
  get #items() {
    return [...this.list.querySelectorAll("button")];
  }

  /** @param {Choice} choice */
  #item({ label, act, grave }) {
    const className = `dgpt-button dgpt-item${grave ? " dgpt-grave" : ""}`;
    const item = h("button", className, { type: "button", role: "menuitem", tabindex: "-1" }, label);
    onClick(item, () => {
      this.close();
      act();
    });
    return item;
  }

  /** @param {HTMLElement} anchor */
  #place(anchor) {
    const { style } = this.element;
    const at = anchor.getBoundingClientRect();
    const { width, height } = this.element.getBoundingClientRect();
    const around = "popover" in HTMLElement.prototype ? null : this.element.closest(".dgpt");
    const base = around?.getBoundingClientRect() ?? { left: 0, top: 0 };
    const above = at.bottom + GAP + height > innerHeight && at.top - GAP - height >= 0;
    const left = Math.max(GAP, Math.min(at.left, innerWidth - width - GAP));
    style.left = `${left - base.left}px`;
    style.top = `${(above ? at.top - GAP - height : at.bottom + GAP) - base.top}px`;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const items = this.#items;
    const now = items.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) focus(items.at(to % items.length));
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else return;
    if (event.key !== "Tab") event.preventDefault();
  }
}
