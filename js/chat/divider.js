import { h } from "./dom.js";

/** @import { Meter, Turn } from "../wire.js" */

/** Marks where the model's window begins. */
export class Divider {
  /** @type {Meter | null | undefined} what it tells of */
  #meter;

  constructor() {
    this.element = h("div", "dgpt-divider", { role: "note" });
  }

  /** Makes room for turns that are about to be arranged. */
  leave() {
    this.element.remove();
    this.#meter = undefined;
  }

  /** @param {Meter | null} meter @param {Turn[]} path @param {(id: number) => HTMLElement | undefined} find */
  update(meter, path, find) {
    if (meter === this.#meter) return;
    this.#meter = meter;
    const start = meter ? path.findIndex((turn) => turn.id === meter.first) : -1;
    path.forEach((turn, place) => {
      find(turn.id)?.toggleAttribute("data-out", place < start);
    });
    const words = meter && start >= 0 ? missing(start, meter.cut > 0) : "";
    const first = path[start] && find(path[start].id);
    this.element.textContent = words;
    if (words && first) first.before(this.element);
    else this.element.remove();
  }
}

/** What the model does not see of a path. @param {number} turns before its window @param {boolean} cut */
function missing(turns, cut) {
  if (cut) return "Only the end of this message is in the model’s window";
  if (turns === 0) return "";
  return `${turns === 1 ? "The turn above is" : "Earlier turns are"} no longer in the model’s window`;
}
