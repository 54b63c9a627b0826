/** @import { Head } from "../chat/header.js" */
/** @import { Requests } from "../comm/requests.js" */
/** @import { Model } from "../protocol.js" */

import { button, CROSS, focus, h, icon, onClick, unique } from "../ui/dom.js";
import { DOWN, KeepPanel, watchDrops } from "./files.js";
import { ModelPanel } from "./model.js";
import { SettingsPanel } from "./settings.js";

/**
 * Changes the layout and leaves the reader of a scroll container where they are: the first turn in sight stays at its
 * height.
 *
 * @param {HTMLElement} log
 * @param {() => void} change
 */
export function inPlace(log, change) {
  const height = (/** @type {Element} */ turn) =>
    turn.getBoundingClientRect().top - log.getBoundingClientRect().top;
  const inSight = (/** @type {Element} */ one) => height(one) + one.getBoundingClientRect().height > 0;
  const part = [...log.querySelectorAll(".dgpt-part")].find(inSight); // what is in others has no place to measure
  const first = [...(part?.querySelectorAll("[data-turn]") ?? [])].find(inSight);
  const before = first ? height(first) : 0;
  change();
  if (first) log.scrollTop += height(first) - before;
}

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

const SLIDERS = "M2 4.5h6.5M12.5 4.5H14M2 11.5h1.5M7.5 11.5H14M10.5 2.5v4M5.5 9.5v4";

/** The panels of a chat and the buttons that open them. */
export class Drawer {
  #live = true;
  /** @type {Panel[]} */
  #more = [];

  /**
   * @param {Model} model
   * @param {Requests} requests
   * @param {{root: HTMLElement, log: HTMLElement, head: Head, state: HTMLElement}} parts of the view; `state` opens
   *   what is to be known of the model
   */
  constructor(model, requests, { root, log, head, state }) {
    this.panels = new Panels(root, log);
    this.about = new ModelPanel(model, (op, args) => requests.request(op, args));
    this.settings = new SettingsPanel(model, (values) => requests.request("settings", { values }));
    this.keep = new KeepPanel(model, (op, args, buffers) => requests.request(op, args, buffers));
    this.panels.add(this.settings, head.add("Settings", SLIDERS));
    this.panels.add(this.keep, head.add("Keep", DOWN));
    this.panels.add(this.about, state);
    root.append(this.panels.element);
    const take = (/** @type {File} */ file) => {
      this.panels.open(this.keep);
      this.keep.open(file);
    };
    watchDrops(root, take, () => this.#live);
  }

  /** A panel that comes later, and does without a kernel. @param {Panel} panel @param {HTMLElement} toggle */
  add(panel, toggle) {
    this.#more.push(panel);
    this.panels.add(panel, toggle);
  }

  /** @param {boolean} live whether a kernel answers */
  update(live) {
    this.#live = live;
    this.about.live = live;
    this.panels.update([...(live ? [this.settings, this.keep] : []), this.about, ...this.#more]);
  }
}
