import { h } from "../chat/dom.js";
import { className } from "./striplegend.js";
import { levelOf, SURPRISING } from "./stripmeasures.js";
import { shownAs, unitsOf } from "./stripunits.js";

/** @import { TurnTokens } from "./rows.js" */
/** @import { Measure } from "./stripmeasures.js" */
/** @import { Unit } from "./stripunits.js" */

/** @typedef {HTMLElement & {place: number}} Cell */
/** @typedef {{top: number, bottom: number, colour: () => void}} Lot */

const LOT = 250; // cells

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

  /** @param {Measure} measure @param {number} [from] @param {number} [to] */
  colour(measure, from = 0, to = this.list.length) {
    const { rows, units, list } = this;
    for (let place = from; place < Math.min(to, list.length); place++) {
      const unit = /** @type {Unit} */ (units[place]);
      const cell = /** @type {Cell} */ (list[place]);
      const level = levelOf(measure, measure.of(rows, unit));
      const name = `${className(level)}${unit.eos ? " dgpt-eos" : ""}`;
      if (cell.className !== name) cell.className = name;
    }
  }

  /** Its cells in lots that are soon coloured, each with where it stands. @param {Measure} measure @returns {Lot[]} */
  lots(measure) {
    const lots = [];
    for (let from = 0; from < this.list.length; from += LOT) {
      const to = from + LOT;
      const first = this.list[from]?.getBoundingClientRect();
      const last = this.list[Math.min(to, this.list.length) - 1]?.getBoundingClientRect();
      const colour = () => this.colour(measure, from, to);
      lots.push({ top: first?.top ?? 0, bottom: last?.bottom ?? 0, colour });
    }
    return lots;
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
