import { h } from "../chat/dom.js";
import { counted } from "./format.js";
import { Cells } from "./stripcells.js";
import { levelOf } from "./stripmeasures.js";

/** @import { TurnTokens } from "./rows.js" */
/** @import { Measure } from "./stripmeasures.js" */

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
