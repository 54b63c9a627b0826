import { h, unique } from "../chat/dom.js";
import { KINDS, measureOf } from "./stripmeasures.js";

/** @import { Measure } from "./stripmeasures.js" */

/** What a strip is coloured by, and what the colours mean. */
export class Legend {
  /** @type {Measure} */
  measure = measureOf("bits");

  /** @param {() => number[]} times milliseconds of the tokens at hand @param {() => void} changed */
  constructor(times, changed) {
    const id = unique();
    this.select = h(
      "select",
      "dgpt-button dgpt-plain",
      { id },
      ...KINDS.map((kind) => h("option", "", { value: kind }, measureOf(kind).label)),
    );
    this.scale = h("ul", "dgpt-legend", { "aria-label": "What the colours mean" });
    this.element = h("div", "dgpt-row", {}, h("label", "", { for: id }, "Colour by"), this.select);
    this.select.addEventListener("change", () => {
      this.measure = measureOf(this.select.value, this.select.value === "time" ? times() : []);
      this.#show();
      changed();
    });
    this.#show();
  }

  #show() {
    const { legend, from } = this.measure;
    this.scale.replaceChildren(
      ...legend.map((words, place) => h("li", className(place + from), {}, words)),
      h("li", className(-1), {}, "given, not scored"),
    );
  }
}

/** Of a cell. @param {number} level below 0 where it has none */
export const className = (level) =>
  `dgpt-cell${level > 0 ? ` dgpt-l${level}` : level < 0 ? " dgpt-given" : ""}`;
