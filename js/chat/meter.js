import { h } from "./dom.js";

/** @import { Meter } from "../wire.js" */

const WORTH_SAYING = 0.6; // share of the window

/** How full the model's window is, once it matters. */
export class MeterView {
  /** @type {Meter | null} */
  #shown = null;

  constructor() {
    this.words = h("span", "");
    this.fill = h("div", "");
    this.element = h("div", "dgpt-meter", {}, h("div", "dgpt-gauge", {}, this.fill), this.words);
    this.element.hidden = true;
  }

  /** @param {Meter | null} meter */
  update(meter) {
    if (meter === this.#shown) return;
    this.#shown = meter;
    const share = meter && meter.window > 0 ? meter.used / meter.window : 0;
    this.element.hidden = share < WORTH_SAYING;
    if (!meter || this.element.hidden) return;
    this.words.textContent = `${meter.used} of ${meter.window} tokens`;
    this.fill.style.transform = `scaleX(${Math.min(1, share)})`;
  }
}
