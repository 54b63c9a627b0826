/** @import { Names } from "../tokens/names.js" */
/** @import { Alternative, Row, TurnTokens } from "../tokens/rows.js" */
/** @import { Unit } from "../words/units.js" */
/** @import { Asked } from "./how.js" */
/** @import { Values } from "./steps.js" */

import { button, CROSS, focus, h, icon, onClick } from "../../ui/dom.js";
import { ordinal, percent } from "../tokens/names.js";
import { How } from "./how.js";
import { FILTER_NAMES, recorded } from "./steps.js";

const SHOWN = 5;

/**
 * @typedef {object} Hooks
 * @property {() => void} close
 * @property {(index: number) => void} pick another token of the same word
 * @property {(how: boolean) => void} unfold whether it is shown how the token was chosen
 */

/** How a token came about, in words. @param {Row} row */
function because(row) {
  if (row.origin === "forced") return "put there by hand";
  if (row.origin === "greedy")
    return row.rank === 1
      ? "greedy took the most probable one"
      : "greedy took the most probable of what was left";
  if (row.origin !== "sampled") return "the model was not asked";
  return row.kept === 1 ? "nothing else was left" : "the dice picked it";
}

/** What is said of a token, after its name. @param {Row} row */
export function told(row) {
  if (!row.scored) return because(row);
  return `${percent(Math.exp(row.logprob))}, the model’s ${ordinal(row.rank)} choice; ${because(row)}`;
}

/** What is known of one token, below the text that it is in. */
export class Card {
  /**
   * @param {{tokens: TurnTokens, unit: Unit, index: number, names: Names, values: Values & Record<string, any>}} of
   * @param {Asked} asking @param {Hooks} hooks @param {boolean} unfolded
   */
  constructor(of, asking, hooks, unfolded) {
    const { tokens, unit, index, names } = of;
    const row = tokens.rows.row(index);
    this.row = row;
    this.of = of;
    this.asking = asking;
    this.hooks = hooks;
    const close = button("Close", "dgpt-quiet dgpt-round", icon(CROSS));
    onClick(close, hooks.close);
    const sentence = h("p", "dgpt-told", {}, names.tell(row.id), `: ${told(row)}.`);
    this.head = h("div", "dgpt-card-head", {}, sentence, close);
    const label = `${names.name(row.id)}: ${told(row)}`;
    this.element = h("div", "dgpt-card", { role: "group", "aria-label": label }, this.head);
    if (unit.last > unit.first) this.element.append(this.#parts(tokens, unit, index));
    this.bars = h("ul", "dgpt-bars", { "aria-label": "What else there was" });
    if (row.alternatives.length > 0) this.element.append(this.bars, ...this.#alternatives(row));
    if (row.scored) this.element.append(this.#how(unfolded));
    this.element.addEventListener("keydown", (event) => this.#key(event));
  }

  focus() {
    const first = /** @type {HTMLElement | null} */ (
      this.element.querySelector(".dgpt-alt[type], .dgpt-ask")
    );
    focus(first ?? /** @type {HTMLElement} */ (this.head.lastChild));
  }

  /** @param {TurnTokens} tokens @param {Unit} unit @param {number} shown */
  #parts({ rows }, { first, last }, shown) {
    const { names } = this.of;
    const parts = Array.from({ length: last - first + 1 }, (_, place) => {
      const index = first + place;
      const attributes = { type: "button", "aria-pressed": String(index === shown) };
      const part = h("button", "dgpt-button dgpt-quiet", attributes, names.show(rows.id(index)));
      onClick(part, () => this.hooks.pick(index));
      return part;
    });
    return h("div", "dgpt-row dgpt-small", { role: "group", "aria-label": "Tokens" }, "Tokens", ...parts);
  }

  /** @param {Row} row @returns {HTMLElement[]} what is to be said below the bars */
  #alternatives(row) {
    const { names } = this.of;
    const shown = row.alternatives.slice(0, SHOWN);
    if (!shown.some(({ id }) => id === row.id))
      shown.push(
        row.alternatives.find(({ id }) => id === row.id) ?? {
          id: row.id,
          logprob: row.logprob,
          fate: "kept",
        },
      );
    const shares = shown.map(({ logprob }) => Math.exp(logprob));
    const rest = Math.max(0, 1 - shares.reduce((all, share) => all + share, 0));
    const most = Math.max(rest, ...shares);
    const bars = shown.map((one, place) => {
      const share = shares[place] ?? 0;
      const cut = one.fate === "kept" ? "" : `cut by ${FILTER_NAMES[one.fate]}`;
      const chosen = one.id === row.id;
      const note = [chosen ? "✓ said" : "", cut].filter(Boolean).join(", ");
      const name = names.show(one.id);
      return this.#bar({ name, share, most, note, cut: cut !== "", chosen }, chosen ? null : one.id);
    });
    const other = h("span", "", {}, "everything else");
    bars.push(this.#bar({ name: other, share: rest, most, note: "", cut: false, chosen: false }, null));
    this.bars.replaceChildren(...bars);
    if (this.asking.explain)
      return [h("p", "dgpt-small", {}, "Click a bar: the reply goes on from there, as a new version.")];
    return [h("p", "dgpt-small", {}, "To go on from another word needs the model.")];
  }

  /**
   * @param {{name: HTMLElement, share: number, most: number, note: string, cut: boolean, chosen: boolean}} bar
   * @param {Alternative["id"] | null} fork the token that a click puts there
   */
  #bar({ name, share, most, note, cut, chosen }, fork) {
    const fill = h("span", "dgpt-fill");
    fill.style.width = `${(100 * share) / most}%`;
    const cells = [
      h("span", "dgpt-alt-name", {}, name),
      h("span", "dgpt-track", {}, fill),
      h("span", "dgpt-alt-share", {}, percent(share)),
      h("span", "dgpt-alt-note", {}, note),
    ];
    const live = fork !== null && this.asking.explain !== null;
    const bar = live
      ? h("button", "dgpt-alt", { type: "button", title: "Go on from here with this" }, ...cells)
      : h("div", "dgpt-alt", {}, ...cells);
    if (live) onClick(bar, () => this.asking.fork(fork));
    bar.toggleAttribute("data-cut", cut);
    bar.toggleAttribute("data-chosen", chosen);
    if (fork === null && !chosen) bar.setAttribute("data-rest", "");
    return h("li", "", {}, bar);
  }

  /** @param {boolean} unfolded */
  #how(unfolded) {
    const toggle = h(
      "button",
      "dgpt-button dgpt-quiet dgpt-ask",
      { type: "button" },
      "How was it chosen?",
      icon("m4.5 6.5 3.5 3.5 3.5-3.5"),
    );
    const place = h("div", "", {}, toggle);
    /** @type {How | null} */
    let how = null;
    const fold = (/** @type {boolean} */ open) => {
      how ??= this.#explained();
      place.append(how.element);
      how.element.hidden = !open;
      toggle.setAttribute("aria-expanded", String(open));
    };
    toggle.setAttribute("aria-expanded", "false");
    if (unfolded) fold(true);
    onClick(toggle, () => {
      const open = toggle.getAttribute("aria-expanded") !== "true";
      fold(open);
      this.hooks.unfold(open);
    });
    return place;
  }

  #explained() {
    const { names, values } = this.of;
    const how = new How(this.row.id, values, names, this.asking);
    if (!this.asking.explain) how.record(recorded(this.row, values));
    else
      how.ask().catch((error) => {
        how.record(recorded(this.row, values));
        how.source.textContent = `${error.message} From the stored record instead.`;
      });
    return how;
  }

  /** Up and down go through the bars. @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const bars = /** @type {HTMLElement[]} */ ([...this.bars.querySelectorAll("button")]);
    const at = bars.indexOf(/** @type {HTMLElement} */ (event.target));
    if (!step || at < 0) return;
    focus(bars.at((at + step) % bars.length));
    event.preventDefault();
  }
}
