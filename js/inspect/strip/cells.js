/** @import { TurnTokens } from "../tokens/rows.js" */
/** @import { Unit } from "./glyphs.js" */
/** @import { Measure } from "./measures.js" */

import { h } from "../../ui/dom.js";
import { counted } from "../tokens/names.js";
import { shownAs, unitsOf } from "./glyphs.js";
import { className, levelOf, SURPRISING } from "./measures.js";

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

/**
 * @typedef {object} Source a turn of the path
 * @property {number} id
 * @property {string} name who said it
 * @property {number} count its tokens, the final EOS included
 * @property {string} edge what begins with it: "" or a line for people
 */

const PER_LINE = 6; // tokens, until they are laid out
const LINE = 26; // pixels

/** A turn of the strip; empty, but as high as it was or will be, where it is far from sight. */
export class StripTurn {
  /** @type {Cells | null} */
  #cells = null;
  #near = false;
  #count = 0;
  /** @type {{measure: Measure, levels: Int8Array} | null} */
  #levels = null;

  /** @param {Source} source @param {() => TurnTokens | null} known */
  constructor({ id, name, count }, known) {
    this.id = id;
    this.name = name;
    this.known = known;
    this.edge = "";
    this.element = h("div", "dgpt-strip-turn", {
      role: "group",
      "aria-label": `${name}, ${counted(count, "token")}`,
    });
    this.#hold(Math.ceil(count / PER_LINE) * LINE + LINE);
  }

  /** Its cells, once its tokens are known. */
  get cells() {
    const tokens = this.#cells?.tokens ?? this.known();
    if (tokens && !this.#cells) this.#cells = new Cells(tokens);
    return this.#cells;
  }

  get units() {
    return this.cells?.units ?? [];
  }

  /** @param {Source} source @param {Measure} measure */
  update({ count, edge }, measure) {
    const told = edge === this.edge;
    this.edge = edge;
    if (told && count === this.#count && (this.#cells || !this.#near || !this.known())) return;
    if (count !== this.#count) {
      this.#cells = null;
      this.#levels = null;
    }
    this.#count = count;
    if (this.#near) this.#build(measure);
  }

  /** What is to be coloured anew. @param {Measure} measure */
  lots(measure) {
    return (this.#near && this.#cells?.lots(measure)) || [];
  }

  /** @param {Measure} measure */
  fill(measure) {
    if (this.#near) return;
    this.#near = true;
    this.#build(measure);
  }

  /** @param {number} height that it had */
  empty(height) {
    if (!this.#near) return;
    this.#near = false;
    this.#hold(height);
    this.#cells?.clear();
    this.element.replaceChildren();
  }

  /** The level of each unit. @param {Measure} measure */
  levels(measure) {
    if (this.#levels?.measure === measure) return this.#levels.levels;
    const { cells } = this;
    const levels = cells?.rows.full
      ? Int8Array.from(cells.units, (unit) => levelOf(measure, measure.of(cells.rows, unit)))
      : new Int8Array(0);
    this.#levels = { measure, levels };
    return levels;
  }

  /** @param {Measure} measure */
  #build(measure) {
    const { cells } = this;
    cells?.build(measure);
    const unknown = "Its tokens are not known here: another model’s, or none was loaded yet.";
    this.element.replaceChildren(
      ...(this.edge ? [h("p", "dgpt-small dgpt-strip-edge", {}, this.edge)] : []),
      h("span", "dgpt-strip-name dgpt-small", { "aria-hidden": "true" }, this.name),
      cells ? cells.element : h("p", "dgpt-small", {}, unknown),
    );
    this.element.style.minHeight = "";
  }

  /** @param {number} height */
  #hold(height) {
    this.element.style.minHeight = `${height}px`;
  }
}

/** Colours a strip anew: what is in sight at once, the rest in the frames after it. */
export class Colouring {
  #frame = 0;

  /**
   * @param {HTMLElement} scroller @param {StripTurn[]} turns @param {Measure} measure
   * @param {() => void} done
   */
  start(scroller, turns, measure, done) {
    this.stop();
    const { top, bottom } = scroller.getBoundingClientRect();
    const lots = turns.flatMap((turn) => turn.lots(measure));
    const seen = lots.filter((lot) => lot.bottom >= top && lot.top <= bottom);
    const rest = lots.filter((lot) => !seen.includes(lot));
    for (const lot of seen) lot.colour();
    const next = () => {
      rest.shift()?.colour();
      if (rest.length > 0) this.#frame = requestAnimationFrame(next);
      else done();
    };
    this.#frame = requestAnimationFrame(next);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }
}
