/** @import { TurnTokens } from "../inspect/tokens/rows.js" */
/** @import { Candidate, NBest } from "../protocol.js" */
/** @import { Hooks as TableHooks } from "./table.js" */

import { button, h, onClick } from "../ui/dom.js";
import { marked, parting } from "./compare.js";
import { number, remarks } from "./format.js";

const END = "\0"; // in no piece of a reply

/**
 * Where replies first part, token by token, as `parting` gives it for words.
 *
 * @param {string[]} texts
 * @param {TurnTokens[]} tokens of each
 * @returns {[string, string, string][] | null} null if they are the same
 */
export function partingTokens(texts, tokens) {
  const longest = Math.max(...tokens.map(({ rows }) => rows.length));
  for (let index = 0; index < longest; index++) {
    const pieces = new Set(tokens.map((one) => pieceOf(one, index)));
    if (pieces.size > 1)
      return texts.map((text, place) => cut(text, /** @type {TurnTokens} */ (tokens[place]), index));
  }
  return null;
}

/** @param {TurnTokens} tokens @param {number} index */
function pieceOf({ rows, pieces }, index) {
  if (index >= rows.length || rows.eos(index)) return END;
  return String(pieces.get(rows.id(index)));
}

/** @param {string} text @param {TurnTokens} tokens @param {number} index @returns {[string, string, string]} */
function cut(text, { rows }, index) {
  let start = 0;
  for (let at = 0; at < Math.min(index, rows.length); at++) start += rows.chars(at);
  let end = start;
  for (let at = index; end === start && at < rows.length; at++) end += rows.chars(at); // a character of several tokens
  const [space = ""] = text.slice(start, end).match(/^\s*/) ?? [];
  if (space.length < end - start) start += space.length;
  return [text.slice(0, start), text.slice(start, end), text.slice(end)];
}

/** @typedef {TableHooks & {tokensOf: (turn: number) => TurnTokens | null}} Hooks */

/** Replies of several ways to answer beside each other: where they part, and how likely each is to the others. */
export class Beside {
  /** @type {unknown[]} */
  #shown = [];

  /** @param {NBest} list @param {Hooks} hooks @param {boolean} compact without what the others say of each */
  constructor(list, hooks, compact) {
    this.list = list;
    this.hooks = hooks;
    this.compact = compact;
    this.sides = h("div", "dgpt-sides");
    const told = remarks(list).map((text) => h("p", "dgpt-small", {}, text));
    const legend = compact ? "" : "Log-probabilities in nat: higher is likelier.";
    this.same = h("p", "dgpt-small");
    this.element = h(
      "div",
      "dgpt-beside",
      { role: "group", "aria-label": "Replies side by side" },
      ...told,
      this.sides,
      this.same,
      ...(legend ? [h("p", "dgpt-small", {}, legend)] : []),
    );
    this.update();
  }

  /** Takes in which tokens are known, which replies are in the tree, and whether one can be picked. */
  update() {
    const { candidates } = this.list;
    const { able, mark, tokensOf } = this.hooks;
    const known = candidates.flatMap((one) => tokensOf(one.turn) ?? []);
    const shown = [known.length, ...candidates.flatMap((one) => [able(one), mark(one)])];
    if (shown.every((one, place) => one === this.#shown[place])) return;
    this.#shown = shown;
    const texts = candidates.map(({ text }) => text);
    const whole = known.length === texts.length;
    const parts = whole ? partingTokens(texts, known) : parting(texts);
    this.same.textContent = parts ? "" : "They say the same.";
    const place = this.#focused;
    this.sides.replaceChildren(
      ...candidates.map((one, at) => this.#side(one, at, parts?.[at] ?? [one.text, null, ""])),
    );
    if (place >= 0) this.sides.children[place]?.querySelector("button")?.focus({ preventScroll: true });
  }

  get #focused() {
    return [...this.sides.children].findIndex((side) => side.contains(document.activeElement));
  }

  /** @param {Candidate} candidate @param {number} place @param {[string, string | null, string]} parts */
  #side(candidate, place, parts) {
    const { able, mark, pick } = this.hooks;
    const { label, stop } = candidate;
    const text = h("div", "dgpt-text", { dir: "auto" }, ...marked(parts));
    const cut = stop === "length" ? [h("p", "dgpt-small", {}, "reached the length limit")] : [];
    const go = button("Go on with this one", "dgpt-plain");
    onClick(go, () => pick(place));
    const chosen = mark(candidate) === "chosen";
    const way = chosen ? [h("span", "dgpt-tag", {}, "✓ chosen")] : able(candidate) ? [go] : [];
    const facts = h("dl", "dgpt-numbers dgpt-small", {}, ...this.#facts(candidate, place));
    const side = h(
      "div",
      "dgpt-side",
      { role: "group", "aria-label": label },
      h("strong", "", {}, label),
      text,
      ...cut,
      facts,
    );
    side.append(...way);
    return side;
  }

  /** @param {Candidate} candidate @param {number} place */
  #facts({ logprob, tokens }, place) {
    const across = this.compact ? [] : (this.list.cross?.[place] ?? []);
    const facts = [
      fact("tokens", "Length in tokens", String(tokens)),
      fact("log p", "Its log-probability under its model’s own distribution, in nat", number(logprob)),
    ];
    across.forEach((value, other) => {
      const name = this.list.candidates[other]?.label ?? "";
      const said = value === null ? "could not say this" : number(value);
      const help = `Log-probability of this reply, in nat, as “${name}” would draw it`;
      facts.push(fact(other === place ? "as it was drawn" : `as “${name}”`, help, said));
    });
    return facts;
  }
}

/** @param {string} name @param {string} title @param {string} value */
const fact = (name, title, value) => h("div", "", { title }, h("dt", "", {}, name), h("dd", "", {}, value));
