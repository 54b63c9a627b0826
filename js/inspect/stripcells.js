import { h } from "../chat/dom.js";
import { className } from "./striplegend.js";
import { levelOf, SURPRISING } from "./stripmeasures.js";
import { shownAs, unitsOf } from "./stripunits.js";

/** @import { TurnTokens } from "./rows.js" */
/** @import { Measure } from "./stripmeasures.js" */
/** @import { Unit } from "./stripunits.js" */

/** @typedef {HTMLElement & {place: number}} Cell */

/** The tokens of one turn as cells: made when they are near the reader's eyes, coloured by a measure. */
export class Cells {
  element = h("div", "dgpt-cells");
  /** @type {Cell[]} none where they are not on the page */
  list = [];
  /** @type {Unit[] | null} */
  #units = null;

  /** @param {TurnTokens} tokens */
  constructor(tokens) {
    this.tokens = tokens;
    this.rows = tokens.rows;
  }

  get units() {
    this.#units ??= unitsOf(this.tokens);
    return this.#units;
  }

  /** @param {Measure} measure */
  build(measure) {
    this.list = this.units.map((unit, place) => {
      const cell = /** @type {Cell} */ (document.createElement("span"));
      cell.setAttribute("role", "button");
      cell.tabIndex = -1;
      cell.place = place;
      cell.textContent = shownAs(unit);
      return cell;
    });
    this.colour(measure);
    this.element.replaceChildren(...this.list);
  }

  clear() {
    this.list = [];
    this.element.replaceChildren();
  }

  /** @param {Measure} measure */
  colour(measure) {
    const { rows, units } = this;
    this.list.forEach((cell, place) => {
      const unit = /** @type {Unit} */ (units[place]);
      const level = levelOf(measure, measure.of(rows, unit));
      const name = `${className(level)}${unit.eos ? " dgpt-eos" : ""}`;
      if (cell.className !== name) cell.className = name;
    });
  }

  /** The place of the unit that a token belongs to. @param {number} index */
  placeOf(index) {
    const place = this.units.findLastIndex((unit) => unit.first <= index);
    return Math.max(0, place);
  }

  /** The next place that surprised the model, from one on. @param {number} from @param {1 | -1} by */
  surprise(from, by) {
    const { rows, units } = this;
    for (let place = from; place >= 0 && place < units.length; place += by) {
      const unit = /** @type {Unit} */ (units[place]);
      for (let index = unit.first; index < unit.first + unit.count; index++)
        if (rows.bits(index) >= SURPRISING) return place;
    }
    return -1;
  }
}
