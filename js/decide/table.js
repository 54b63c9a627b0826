/** @import { Candidate, NBest } from "../protocol.js" */

import { button, h, onClick } from "../ui/dom.js";
import { number, remarks } from "./format.js";

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {string} help
 * @property {(candidate: Candidate) => number | string | null} of what it is sorted by
 * @property {boolean} down whether the greatest comes first
 * @property {boolean} score whether greater is better, and a bar says how much
 */

const NAT = "in nat; higher is likelier";

/** Their place, which stands before all others. @type {Column} */
export const RANK = {
  name: "#",
  help: "Rank: 1 is the best",
  of: ({ rank }) => rank || null,
  down: false,
  score: false,
};

/** @type {Column} */
export const TEXT = {
  name: "Reply",
  help: "What it says",
  of: ({ text }) => text.toLowerCase(),
  down: false,
  score: false,
};

/** The numbers that are known of the replies of a list. @param {NBest} list @returns {Column[]} */
export function columnsOf({ candidates, kind, scorers, weights }) {
  /** @type {(name: string, help: string, of: (one: Candidate) => number | null) => Column} */
  const score = (name, help, of) => ({ name, help, of, down: true, score: true });
  const logprob = score("log p", `Log-probability, ${NAT}`, (one) => one.logprob);
  const mean = score("per token", `Log-probability a token, ${NAT}`, (one) => one.mean);
  /** @type {Column[]} */
  const columns = [
    { name: "tokens", help: "Length in tokens", of: (one) => one.tokens, down: true, score: false },
    logprob,
    mean,
  ];
  if (kind === "beam")
    columns.push(score("beam", "What beam search gave it; higher is better", (one) => one.beam));
  const weighed = weights.some((weight) => weight !== 1);
  scorers.forEach((name, place) => {
    const of = (/** @type {Candidate} */ one) => one.scores[place] ?? null;
    if ([logprob, mean].some((column) => same(candidates, of, column.of))) return;
    const weight = weighed ? `; weight ${number(weights[place] ?? 1)}` : "";
    columns.push(score(name, `What ${name} gave it; higher is better${weight}`, of));
  });
  if (scorers.length > 1 || weighed)
    columns.push(score("total", "Sum of the scores, each with its weight", (one) => one.total));
  return columns.filter((column) => candidates.some((one) => column.of(one) !== null));
}

/** Whether two columns say the same wherever both say something.
 * @param {Candidate[]} candidates @param {Column["of"]} one @param {Column["of"]} other */
function same(candidates, one, other) {
  return candidates.every((candidate) => {
    const score = one(candidate);
    return score === null || Math.abs(Number(score) - Number(other(candidate))) < 5e-3;
  });
}

/** How far each value of a column lies between its lowest and its highest.
 * @param {Candidate[]} candidates @param {Column} column @returns {(candidate: Candidate) => number} 0..1 */
export function sharesOf(candidates, { of }) {
  const known = candidates.flatMap((one) => of(one) ?? []).map(Number);
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  return (one) => (range > 0 ? (Number(of(one)) - low) / range : 1);
}

/** Candidates in the order of a column; those without a value come last, as they were.
 * @param {Candidate[]} candidates @param {Column} column @param {boolean} down */
export function sorted(candidates, { of }, down) {
  const known = candidates.filter((one) => of(one) !== null);
  known.sort((a, b) => {
    const [left, right] = [of(a) ?? 0, of(b) ?? 0];
    return (left < right ? -1 : left > right ? 1 : 0) * (down ? -1 : 1);
  });
  return [...known, ...candidates.filter((one) => of(one) === null)];
}

/**
 * @typedef {object} Hooks
 * @property {(place: number) => void} pick
 * @property {(candidate: Candidate) => boolean} able whether a reply can be picked
 * @property {(candidate: Candidate) => "chosen" | "version" | null} mark where it is in the tree
 */

/** The replies of a list with what is known of them: of each its text, and below it its numbers. */
export class Table {
  #column = RANK;
  #down = false;
  /** @type {Map<Column, HTMLElement>} */
  #heads = new Map();
  /** @type {HTMLElement[]} one a candidate, in the order of the list */
  #rows = [];
  #shown = "";

  /** @param {NBest} list @param {string} caption @param {Hooks} hooks */
  constructor(list, caption, hooks) {
    this.list = list;
    this.hooks = hooks;
    const columns = columnsOf(list);
    this.columns = columns.map((column) => ({ ...column, share: sharesOf(list.candidates, column) }));
    const span = String(columns.length);
    const first = h("tr", "", {}, this.#head(RANK, { rowspan: "2" }), this.#head(TEXT, { colspan: span }));
    const second = h("tr", "", {}, ...this.columns.map((column) => this.#head(column)));
    this.table = h(
      "table",
      "dgpt-nbest",
      {},
      h("caption", "dgpt-hidden", {}, caption),
      h("thead", "", {}, first, second),
    );
    const told = remarks(list).map((text) => h("p", "dgpt-small", {}, text));
    const legend =
      "log p in nat: higher is likelier. A bar lies between the lowest and the highest of its column.";
    this.element = h(
      "div",
      "dgpt-listed",
      {},
      ...told,
      h("div", "dgpt-scroll", {}, this.table),
      h("p", "dgpt-small", {}, legend),
    );
    onClick(this.table, (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("tbody");
      if (row?.querySelector("button")) hooks.pick(Number(row.dataset.place));
    });
    this.update();
    this.#sort();
  }

  /** Takes in which replies are in the tree, and whether one can be picked. */
  update() {
    const { candidates } = this.list;
    const shown = String(candidates.map((one) => [this.hooks.mark(one), this.hooks.able(one)]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = this.#rows.findIndex((row) => row.querySelector(":focus"));
    const rows = candidates.map((one, place) => this.#row(one, place));
    rows.forEach((row, place) => {
      this.#rows[place]?.replaceWith(row);
    });
    this.#rows = rows;
    rows[focused]?.querySelector("button")?.focus({ preventScroll: true });
  }

  /** @param {Column} column @param {Record<string, string>} [attributes] */
  #head(column, attributes = {}) {
    const { name, help, down } = column;
    const sort = button("", "dgpt-sort");
    sort.textContent = name;
    sort.title = help;
    const head = h("th", "", { scope: "col", ...attributes }, sort);
    this.#heads.set(column, head);
    onClick(sort, () => {
      this.#down = column === this.#column ? !this.#down : down;
      this.#column = column;
      this.#sort();
    });
    return head;
  }

  #sort() {
    for (const [column, head] of this.#heads) {
      if (column !== this.#column) head.removeAttribute("aria-sort");
      else head.setAttribute("aria-sort", this.#down ? "descending" : "ascending");
    }
    const { candidates } = this.list;
    const order = sorted(candidates, this.#column, this.#down);
    this.table.append(...order.flatMap((one) => this.#rows[candidates.indexOf(one)] ?? []));
  }

  /** @param {Candidate} candidate @param {number} place */
  #row(candidate, place) {
    const { rank, text, dropped, stop } = candidate;
    const mark = this.hooks.mark(candidate);
    const said = text || "(nothing)";
    const words = this.hooks.able(candidate)
      ? h("button", "dgpt-button dgpt-pick", { type: "button", title: "Go on with this reply" }, said)
      : h("span", "dgpt-pick", {}, said);
    words.dir = "auto";
    const remark = [dropped && `dropped: ${dropped}`, stop === "length" && "reached the length limit"];
    const notes = h("span", "dgpt-small", {}, remark.filter(Boolean).join("; "));
    const state = mark ? [h("span", "dgpt-tag", {}, mark === "chosen" ? "✓ chosen" : mark)] : [];
    const span = String(this.columns.length);
    const order = this.list.scorers.length > 0 || rank > 0 ? rank || "–" : place + 1;
    const row = h(
      "tbody",
      "",
      { "data-place": String(place) },
      h(
        "tr",
        "",
        {},
        h("th", "", { scope: "rowgroup", rowspan: "2" }, String(order)),
        h("td", "", { colspan: span }, h("div", "dgpt-reply", {}, words, ...state, notes)),
      ),
      h("tr", "", {}, ...this.columns.map((column) => cell(column, candidate))),
    );
    row.toggleAttribute("data-dropped", dropped !== null);
    row.toggleAttribute("data-chosen", mark === "chosen");
    return row;
  }
}

/** @param {Column & {share: (one: Candidate) => number}} column @param {Candidate} candidate */
function cell({ of, score, share }, candidate) {
  const value = of(candidate);
  const known = typeof value === "number";
  const element = h("td", "", {}, known && !score ? String(value) : number(known ? value : null));
  if (score && known) element.style.setProperty("--share", String(Number(share(candidate).toFixed(3))));
  return element;
}
