import { button, h, onClick } from "../chat/dom.js";
import { columnsOf, RANK, sharesOf, sorted, TEXT } from "./columns.js";
import { number, remarks } from "./words.js";

/** @import { Candidate, NBest } from "../wire.js" */
/** @import { Column } from "./columns.js" */

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
