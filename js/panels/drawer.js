import { watchDrops } from "./files.js";
import { DOWN, KeepPanel } from "./keep.js";
import { ModelPanel } from "./model.js";
import { Panels } from "./panels.js";
import { SettingsPanel } from "./settings.js";

/** @import { Head } from "../chat/head.js" */
/** @import { Requests } from "../requests.js" */
/** @import { Model } from "../wire.js" */
/** @import { Panel } from "./panels.js" */

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
