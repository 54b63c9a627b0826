import { button, CROSS, focus, h, icon, onClick, unique } from "../chat/dom.js";
import { inPlace } from "./place.js";

/**
 * @typedef {object} Panel what can be opened beside the chat
 * @property {string} title
 * @property {HTMLElement} element
 * @property {() => void} update called while it is open, whenever something has changed
 */

/** Opens panels beside the chat, or below it where there is no room: one at a time. */
export class Panels {
  /** @type {Map<Panel, HTMLElement>} each with the button that opens it */
  #toggles = new Map();
  /** @type {Panel | null} */
  #open = null;

  /** @param {HTMLElement} root of the view @param {HTMLElement} log whose reader keeps their place */
  constructor(root, log) {
    this.root = root;
    this.log = log;
    const id = unique();
    this.title = h("h2", "dgpt-title", { id: `${id}-title`, tabindex: "-1" });
    const close = button("Close", "dgpt-round", icon(CROSS));
    this.sheet = h("div", "dgpt-sheet");
    this.element = h(
      "section",
      "dgpt-panel",
      { id, "aria-labelledby": this.title.id },
      h("div", "dgpt-row dgpt-panel-head", {}, this.title, close),
      this.sheet,
    );
    this.element.hidden = true;
    onClick(close, () => this.close());
  }

  /** @param {Panel} panel @param {HTMLElement} toggle the button that opens and closes it */
  add(panel, toggle) {
    this.#toggles.set(panel, toggle);
    toggle.setAttribute("aria-expanded", "false");
    toggle.setAttribute("aria-controls", this.element.id);
    onClick(toggle, () => (panel === this.#open ? this.close() : this.open(panel)));
  }

  /** @param {Panel} panel */
  open(panel) {
    this.#show(panel);
    focus(this.title);
    this.element.scrollIntoView?.({ block: "nearest" });
  }

  /** Closes what is open; the focus goes back to the button that opened it. */
  close() {
    const toggle = this.#open && this.#toggles.get(this.#open);
    this.#show(null);
    focus(toggle);
    toggle?.scrollIntoView?.({ block: "nearest" });
  }

  /** Closes what is open if a key that was pressed there means that. @param {EventTarget | null} at */
  dismiss(at) {
    const inside = /** @type {Node[]} */ ([this.element, ...this.#toggles.values()]);
    if (!this.#open || !inside.some((one) => one.contains(/** @type {Node} */ (at)))) return false;
    this.close();
    return true;
  }

  /** @param {Panel[]} usable the panels that can be open now */
  update(usable) {
    for (const [panel, toggle] of this.#toggles) toggle.hidden = !usable.includes(panel);
    if (this.#open && !usable.includes(this.#open)) this.#show(null);
    this.#open?.update();
  }

  /** @param {Panel | null} panel */
  #show(panel) {
    if (panel === this.#open) return;
    this.#open = panel;
    for (const [one, toggle] of this.#toggles) toggle.setAttribute("aria-expanded", String(one === panel));
    inPlace(this.log, () => {
      this.root.toggleAttribute("data-panel", panel !== null);
      this.element.hidden = panel === null;
      if (!panel) return;
      this.title.textContent = panel.title;
      panel.update();
      this.sheet.replaceChildren(panel.element);
      this.sheet.scrollTop = 0;
    });
  }
}
