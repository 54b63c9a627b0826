import { h } from "../chat/dom.js";
import { named, percent, shownParts } from "./format.js";
import { float16 } from "./rows.js";

/** @import { Answer, Buffer, Piece } from "../wire.js" */

const SHOWN = 400; // tokens before the one looked at
const MOST = 5;
const STEPS = [0.01, 0.03, 0.08, 0.15, 0.3, 0.5];

/** Where the heads of a layer looked. */
export class Attention {
  /** @param {Answer} answer to `inside` @param {Buffer} data float16 `[layers, heads, seen]` */
  constructor(answer, data) {
    this.seen = /** @type {number[]} */ (answer.seen);
    this.pieces = /** @type {Record<string, Piece>} */ (answer.pieces);
    this.heads = /** @type {number} */ (answer.heads);
    this.data = ArrayBuffer.isView(data)
      ? new DataView(data.buffer, data.byteOffset, data.byteLength)
      : new DataView(data);
    this.layers = Math.round(this.data.byteLength / 2 / this.heads / this.seen.length);
    this.layer = choice("Layer", this.layers, this.layers - 1);
    this.head = choice("Head", this.heads, -1, "all heads, averaged");
    this.map = h("p", "dgpt-cells");
    this.most = h("ol", "dgpt-most dgpt-small");
    const note =
      "Where the model looked, not why it said this. A large share on the first token often means: nowhere.";
    this.element = h(
      "div",
      "dgpt-group",
      {},
      h("p", "dgpt-small", {}, note),
      h("div", "dgpt-row", {}, label("Layer", this.layer), label("Head", this.head)),
      this.map,
      this.most,
    );
    for (const select of [this.layer, this.head]) select.addEventListener("change", () => this.#show());
    this.#show();
  }

  /** @returns {number[]} the share of each token seen */
  get shares() {
    const { heads, seen, data } = this;
    const layer = Number(this.layer.value);
    const head = Number(this.head.value);
    const of = head < 0 ? Array.from({ length: heads }, (_, one) => one) : [head];
    return seen.map((_, place) => {
      const read = (/** @type {number} */ one) =>
        float16(data.getUint16(2 * ((layer * heads + one) * seen.length + place), true));
      return of.reduce((sum, one) => sum + read(one), 0) / of.length;
    });
  }

  #show() {
    const { shares, seen, pieces } = this;
    const from = Math.max(0, seen.length - SHOWN);
    const cells = seen.slice(from).map((id, at) => {
      const share = shares[from + at] ?? 0;
      const level = STEPS.filter((step) => share >= step).length;
      const words = shownParts(pieces[id] ?? "?")
        .map(({ text }) => text)
        .join("");
      return h("span", `dgpt-cell${level ? ` dgpt-l${level}` : ""}`, { title: percent(share) }, words || "∅");
    });
    const left = from ? [h("span", "dgpt-small", {}, `… ${from} tokens before `)] : [];
    this.map.replaceChildren(...left, ...cells);
    const best = shares.map((share, place) => ({ share, place })).sort((a, b) => b.share - a.share);
    this.most.replaceChildren(
      ...best.slice(0, MOST).map(({ share, place }) => {
        const id = seen[place] ?? -1;
        return h(
          "li",
          "",
          {},
          `${percent(share)} on ${named(pieces[id] ?? "?")}, place ${place} in the window`,
        );
      }),
    );
  }
}

/** @param {string} words @param {number} count @param {number} chosen @param {string} [all] */
function choice(words, count, chosen, all) {
  const options = Array.from({ length: count }, (_, place) =>
    h("option", "", { value: String(place) }, `${words} ${place + 1}`),
  );
  const select = h(
    "select",
    "dgpt-button dgpt-plain",
    { "aria-label": words },
    ...(all ? [h("option", "", { value: "-1" }, all)] : []),
    ...options,
  );
  select.value = String(chosen);
  return select;
}

/** @param {string} words @param {HTMLElement} field */
const label = (words, field) => h("label", "dgpt-row", {}, words, field);
