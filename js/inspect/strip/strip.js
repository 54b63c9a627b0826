/** @import { Transcript } from "../../chat/transcript.js" */
/** @import { TurnTokens } from "../tokens/rows.js" */
/** @import { Cell, Source } from "./cells.js" */

import { button, focus, h, icon, onClick } from "../../ui/dom.js";
import { Colouring, StripTurn } from "./cells.js";
import { Legend, wordsOf } from "./measures.js";
import { StripMap } from "./minimap.js";

/** @typedef {{turn: StripTurn, place: number}} Spot */

/**
 * Where a key leads to from a cell.
 *
 * @param {string} key @param {Spot} spot @param {StripTurn[]} order
 * @returns {Spot | null | undefined} null where it leads nowhere by itself, undefined at an end
 */
function walk(key, spot, order) {
  const { turn, place } = spot;
  const at = order.indexOf(turn);
  const after = () => edge(order, at + 1, 1);
  const before = (last = true) => edge(order, at - 1, -1, last);
  switch (key) {
    case "ArrowRight":
      return place + 1 < turn.units.length ? { turn, place: place + 1 } : after();
    case "ArrowLeft":
      return place > 0 ? { turn, place: place - 1 } : before();
    case "ArrowDown":
      return line(spot, 1) ?? after();
    case "ArrowUp":
      return line(spot, -1) ?? before();
    case "PageDown":
      return after();
    case "PageUp":
      return place > 0 ? { turn, place: 0 } : before(false);
    case "Home":
      return edge(order, 0, 1);
    case "End":
      return edge(order, order.length - 1, -1);
    default:
      return null;
  }
}

/** The first or last cell of the next turn that has any.
 * @param {StripTurn[]} order @param {number} from @param {1 | -1} by @param {boolean} [last] @returns {Spot | undefined} */
function edge(order, from, by, last = by < 0) {
  for (let to = from; order[to]; to += by) {
    const turn = /** @type {StripTurn} */ (order[to]);
    const units = turn.known() && turn.units.length;
    if (units) return { turn, place: last ? units - 1 : 0 };
  }
}

/** The nearest cell of the line above or below, in the same turn. @param {Spot} spot @param {1 | -1} by */
function line({ turn, place }, by) {
  const list = turn.cells?.list ?? [];
  const from = list[place];
  if (!from) return undefined;
  const middle = from.offsetLeft + from.offsetWidth / 2;
  let best = -1;
  let line = -1;
  let apart = Number.POSITIVE_INFINITY;
  for (let to = place + by; list[to]; to += by) {
    const { offsetTop, offsetLeft, offsetWidth } = /** @type {Cell} */ (list[to]);
    if (offsetTop === from.offsetTop) continue;
    if (line < 0) line = offsetTop;
    if (offsetTop !== line) break;
    const distance = Math.abs(offsetLeft + offsetWidth / 2 - middle);
    if (distance < apart) [best, apart] = [to, distance];
  }
  return best < 0 ? undefined : { turn, place: best };
}

/**
 * The next cell that surprised the model.
 *
 * @param {StripTurn[]} order @param {Spot | null} spot @param {boolean} chosen whether the reader is at the spot
 * @param {1 | -1} by @returns {Spot | undefined}
 */
export function surprise(order, spot, chosen, by) {
  for (let at = spot ? order.indexOf(spot.turn) : by > 0 ? 0 : order.length - 1; order[at]; at += by) {
    const turn = /** @type {StripTurn} */ (order[at]);
    if (!turn.known()?.rows.full || !turn.cells) continue;
    const from = chosen && spot && turn === spot.turn ? spot.place + by : by > 0 ? 0 : turn.units.length - 1;
    const place = turn.cells.surprise(from, by);
    if (place >= 0) return { turn, place };
  }
}

const LONG = 400; // tokens that are worth a map
const AHEAD = 600; // pixels: how far from sight cells are made
const END = 24; // pixels from the end that still count as being there

/**
 * The tokens of a path, exactly as the model has them: one stop of the Tab key, with the arrow keys inside. Turns far
 * from sight have no cells.
 */
export class Strip {
  /** @type {Map<number, StripTurn>} */
  #turns = new Map();
  /** @type {StripTurn[]} */
  #order = [];
  /** @type {Spot | null} where the Tab key stops */
  #spot = null;
  /** @type {Map<Element, StripTurn>} */
  #of = new Map();
  #colouring = new Colouring();
  #count = 0;
  #chosen = false; // whether the reader has chosen where the Tab key stops

  /**
   * @param {(turn: number) => TurnTokens | null} tokensOf
   * @param {{open: (turn: number, index: number) => void, chosen: (turn: number, index: number) => void, watch: Transcript["watch"]}} hooks
   */
  constructor(tokensOf, hooks) {
    this.tokensOf = tokensOf;
    this.hooks = hooks;
    this.legend = new Legend(
      () => this.#times(),
      () => this.#recolour(),
    );
    this.flow = h("div", "dgpt-strip-flow");
    this.scroller = h("div", "dgpt-strip-room", { role: "group", "aria-label": "Tokens" }, this.flow);
    this.map = new StripMap(this.scroller, () => this.#mapped());
    this.words = h("p", "dgpt-small");
    this.explain = button("Explain", "dgpt-plain");
    this.explain.hidden = true;
    const back = button("Previous surprise", "dgpt-plain dgpt-round", icon("M10 3.5 5.5 8l4.5 4.5"));
    const on = button("Next surprise", "dgpt-plain dgpt-round", icon("M6 3.5 10.5 8 6 12.5"));
    for (const one of [back, on]) one.title = one.ariaLabel ?? "";
    this.legend.element.append(h("span", "dgpt-row", {}, h("span", "dgpt-small", {}, "Surprises"), back, on));
    this.element = h(
      "div",
      "dgpt-group dgpt-strip",
      {},
      this.legend.element,
      this.legend.scale,
      h("div", "dgpt-strip-box", {}, this.scroller, this.map.element),
      h("div", "dgpt-readout", {}, this.words, this.explain),
      h(
        "p",
        "dgpt-small",
        {},
        "· is a space, ↵ a line break, ⟨end⟩ the token that ends a turn. Arrow keys move, ",
        h("kbd", "", {}, ","),
        " and ",
        h("kbd", "", {}, "."),
        " go to what surprised the model, Enter explains.",
      ),
    );
    this.near = hooks.watch(this.scroller, AHEAD, (entry) => this.#see(entry));
    onClick(back, () => this.#surprise(-1));
    onClick(on, () => this.#surprise(1));
    onClick(this.explain, () => this.#open());
    onClick(this.scroller, (event) => this.#click(event));
    this.scroller.addEventListener("keydown", (event) => this.#key(event));
    this.scroller.addEventListener("pointerover", (event) => this.#hover(event));
  }

  dispose() {
    this.near.disconnect();
    this.#colouring.stop();
    this.map.stop();
  }

  /** @param {Source[]} sources the path, oldest first */
  update(sources) {
    const { scroller } = this;
    const grown = sources.length > this.#order.length;
    const atEnd = grown && scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < END;
    const ids = new Set(sources.map(({ id }) => id));
    for (const [id, turn] of this.#turns) if (!ids.has(id)) this.#drop(id, turn);
    this.#order = sources.map((source) => this.#turn(source));
    let next = this.flow.firstElementChild;
    for (const { element } of this.#order) {
      if (element === next) next = next.nextElementSibling;
      else this.flow.insertBefore(element, next);
    }
    if (!this.#spot) this.#first();
    const count = sources.reduce((sum, source) => sum + source.count, 0);
    if (count === this.#count) return;
    this.#count = count;
    this.map.element.hidden = count < LONG;
    this.map.draw();
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  }

  /** Goes to a token. @param {number} id of the turn @param {number} index @param {boolean} [into] */
  go(id, index, into = false) {
    const turn = this.#turns.get(id);
    if (!turn?.cells) return;
    this.#stop({ turn, place: turn.cells.placeOf(index) }, into);
  }

  /** @param {Source} source */
  #turn(source) {
    let turn = this.#turns.get(source.id);
    if (!turn) {
      turn = new StripTurn(source, () => this.tokensOf(source.id));
      this.#turns.set(source.id, turn);
      this.#of.set(turn.element, turn);
      this.near.observe(turn.element);
    }
    turn.update(source, this.legend.measure);
    return turn;
  }

  /** @param {number} id @param {StripTurn} turn */
  #drop(id, turn) {
    if (this.#spot?.turn === turn) {
      this.#spot = null;
      this.#chosen = false;
    }
    this.near.unobserve(turn.element);
    this.#turns.delete(id);
    this.#of.delete(turn.element);
    turn.element.remove();
  }

  /** @param {IntersectionObserverEntry} entry of a turn */
  *#see({ target, isIntersecting, boundingClientRect }) {
    const turn = this.#of.get(target);
    if (isIntersecting) turn?.fill(this.legend.measure);
    else if (turn !== this.#spot?.turn) turn?.empty(boundingClientRect.height);
    if (!this.#spot) this.#first();
    yield;
  }

  /** Gives the Tab key a place to stop at. */
  #first() {
    const turn = this.#order.findLast(({ cells }) => cells?.list.length);
    const cell = turn?.cells?.list[0];
    if (!turn || !cell) return;
    this.#spot = { turn, place: 0 };
    cell.tabIndex = 0;
  }

  #recolour() {
    this.#colouring.start(this.scroller, this.#order, this.legend.measure, () => this.map.draw());
  }

  *#mapped() {
    const { measure } = this.legend;
    for (const turn of this.#order) yield { element: turn.element, levels: () => turn.levels(measure) };
  }

  #times() {
    const times = [];
    for (const { known } of this.#order.slice(-50)) {
      const rows = known()?.rows;
      for (let index = 0; rows?.full && index < rows.length; index++) times.push(rows.field(index, "ms"));
    }
    return times;
  }

  /** @param {Spot} spot @param {boolean} into whether the focus goes there */
  #stop(spot, into) {
    const old = this.#spot && this.#cell(this.#spot);
    if (old) {
      old.tabIndex = -1;
      old.removeAttribute("aria-current");
    }
    this.#spot = spot;
    this.#chosen = true;
    spot.turn.fill(this.legend.measure);
    const cell = this.#cell(spot);
    if (!cell) return;
    cell.tabIndex = 0;
    cell.setAttribute("aria-current", "true");
    this.#say(spot);
    if (into) focus(cell);
    this.#reveal(cell);
    const unit = spot.turn.cells?.units[spot.place];
    if (unit) this.hooks.chosen(spot.turn.id, unit.first);
  }

  /** @param {HTMLElement} cell */
  #reveal(cell) {
    const room = this.scroller.getBoundingClientRect();
    const at = cell.getBoundingClientRect();
    if (at.top < room.top + END) this.scroller.scrollTop += at.top - room.top - END;
    else if (at.bottom > room.bottom - END) this.scroller.scrollTop += at.bottom - room.bottom + END;
  }

  /** @param {Spot} spot @returns {Cell | undefined} */
  #cell({ turn, place }) {
    return turn.cells?.list[place];
  }

  /** @param {Spot} spot */
  #say(spot) {
    const { cells } = spot.turn;
    const unit = cells?.units[spot.place];
    if (!cells || !unit) return;
    const words = wordsOf(cells.rows, unit);
    this.words.textContent = words;
    this.#cell(spot)?.setAttribute("aria-label", words);
    this.explain.hidden = spot !== this.#spot || Number.isNaN(cells.rows.bits(unit.first));
  }

  /** @param {Event} event @returns {Spot | null} */
  #under(event) {
    const cell = /** @type {Cell} */ (event.target);
    if (typeof cell.place !== "number") return null;
    const turn = this.#of.get(/** @type {Element} */ (cell.closest(".dgpt-strip-turn")));
    return turn ? { turn, place: cell.place } : null;
  }

  /** @param {Event} event */
  #click(event) {
    const spot = this.#under(event);
    if (spot) this.#stop(spot, true);
  }

  /** @param {Event} event */
  #hover(event) {
    const spot = this.#under(event) ?? this.#spot;
    if (!spot) return;
    const mine = this.#spot && spot.turn === this.#spot.turn && spot.place === this.#spot.place;
    this.#say(mine && this.#spot ? this.#spot : spot);
    if (!mine) this.explain.hidden = true;
  }

  #open() {
    const unit = this.#spot?.turn.cells?.units[this.#spot.place];
    if (this.#spot && unit) this.hooks.open(this.#spot.turn.id, unit.first);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.#under(event)) return;
    if (event.key === "Enter" || event.key === " ") this.#open();
    else if (event.key === "." || event.key === "n") this.#surprise(1);
    else if (event.key === "," || event.key === "p") this.#surprise(-1);
    else {
      const spot = this.#spot && walk(event.key, this.#spot, this.#order);
      if (spot === null) return;
      if (spot) this.#stop(spot, true);
    }
    event.preventDefault();
  }

  /** @param {1 | -1} by */
  #surprise(by) {
    const spot = surprise(this.#order, this.#spot, this.#chosen, by);
    if (spot) this.#stop(spot, true);
    else this.words.textContent = `No surprise comes ${by > 0 ? "after" : "before"} this.`;
  }

  /** Brings what was said last into sight. */
  end() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}
