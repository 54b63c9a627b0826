/** @import { Answer, Buffer, Op, Piece } from "../../protocol.js" */
/** @import { TurnTokens } from "../tokens/rows.js" */

import { button, field, h, onClick, unique } from "../../ui/dom.js";
import { grouped, Names, NEEDS, named, percent, shownParts } from "../tokens/names.js";
import { float16 } from "../tokens/rows.js";

const BEFORE = 400; // tokens before the one looked at
const MOST = 5;
const STEPS = [0.01, 0.03, 0.08, 0.15, 0.3, 0.5];

/** Where the heads of a layer looked. */
class Attention {
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
    const from = Math.max(0, seen.length - BEFORE);
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

/** What happened in each layer and head when a token was chosen. */
class DepthInside {
  /** @param {() => Promise<Answer | null>} look */
  constructor(look) {
    this.look = look;
    this.button = button("Look inside", "dgpt-plain");
    this.said = h("p", "dgpt-small", { role: "status" });
    this.body = h("div", "dgpt-group");
    const lead = h("p", "dgpt-small", {}, "Layers and heads when this token was chosen, by one more pass.");
    this.element = h("section", "dgpt-group", {}, lead, this.button, this.said, this.body);
    onClick(this.button, () => this.#ask());
  }

  clear() {
    this.body.replaceChildren();
    this.said.textContent = "";
  }

  async #ask() {
    this.said.textContent = "Asking the model…";
    try {
      const answer = await this.look();
      if (!answer) return;
      this.said.textContent = "";
      this.#show(answer);
    } catch (error) {
      this.said.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {Answer} answer */
  #show(answer) {
    const names = new Names();
    names.learn(Object.entries(answer.pieces).map(([id, piece]) => [Number(id), piece]));
    const attention = new Attention(answer, /** @type {Buffer} */ (answer.buffers[0]));
    this.body.replaceChildren(
      h("h4", "", {}, "Each layer’s best guess"),
      h(
        "p",
        "dgpt-small",
        {},
        "What the model would say if it stopped there (logit lens), and the chance of the token that was chosen.",
      ),
      lens(answer.layers, names),
      h("h4", "", {}, "Attention"),
      attention.element,
    );
  }
}

/** @param {{ids: number[], shares: number[], chance: number}[]} layers @param {Names} names */
function lens(layers, names) {
  const head = ["Layer", "Best guess", "", "Chosen token"].map((name) =>
    name ? h("th", "", { scope: "col" }, name) : h("td", ""),
  );
  const rows = layers.map(({ ids, shares, chance }, place) => {
    const bar = h("div", "dgpt-chance-bar", { "aria-hidden": "true" });
    bar.style.setProperty("--share", String(chance));
    const guess = h("td", "dgpt-exact", {}, names.show(ids[0] ?? -1));
    guess.title = ids.map((id, at) => `${names.name(id)} ${percent(shares[at] ?? 0)}`).join(", ");
    return h(
      "tr",
      "",
      {},
      h("th", "", { scope: "row" }, place ? String(place) : "input"),
      guess,
      h("td", "", {}, percent(shares[0] ?? 0)),
      h("td", "", {}, h("span", "", {}, percent(chance)), bar),
    );
  });
  return h(
    "table",
    "dgpt-table dgpt-lens",
    {},
    h("thead", "", {}, h("tr", "", {}, ...head)),
    h("tbody", "", {}, ...rows),
  );
}

const SHOWN = 10; // ranks at a time

/** What those who look find below everything: ids, any rank, any piece, layers and heads. */
export class Depth {
  /** @type {{turn: number, index: number, position: number | null} | null} */
  #at = null;
  #key = "";
  #asked = 0;

  /**
   * @param {(op: Op, args: Record<string, unknown>) => Promise<Answer>} ask
   * @param {(turn: number) => TurnTokens | null} tokensOf
   */
  constructor(ask, tokensOf) {
    this.ask = ask;
    this.tokensOf = tokensOf;
    this.token = h("dl", "dgpt-facts");
    this.lead = h("p", "dgpt-small");
    this.rank = field({ inputmode: "numeric", value: "1" });
    this.piece = field({
      placeholder: "with its space",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.places = h("div", "", { role: "status" });
    this.inside = new DepthInside(() => this.#look());
    this.controls = h(
      "div",
      "dgpt-group",
      {},
      asking("From rank", this.rank, "Show", () => this.#ranked()),
      asking("Piece", this.piece, "How probable?", () => this.#chances()),
      this.places,
      this.inside.element,
    );
    this.element = h("div", "dgpt-group", {}, this.token, this.lead, this.controls);
  }

  /**
   * @param {{turn: number, index: number, position: number | null} | null} at the token that is looked at
   * @param {boolean} live
   */
  update(at, live) {
    const tokens = at && this.tokensOf(at.turn);
    const key = JSON.stringify([at, live, Boolean(tokens)]);
    if (key === this.#key) return;
    this.#key = key;
    const moved = at?.turn !== this.#at?.turn || at?.index !== this.#at?.index;
    this.#at = at;
    const { rows, pieces } = tokens ?? {};
    const known = at && rows && at.index < rows.length;
    const scored = known && !Number.isNaN(rows.bits(at.index));
    this.controls.hidden = !live || !scored;
    this.lead.textContent = !known
      ? "Choose a token in the strip."
      : !scored
        ? "This token was given, not chosen by the model: choose one of a reply."
        : live
          ? ""
          : NEEDS;
    this.lead.hidden = !this.lead.textContent;
    const facts = known
      ? [
          ["Token", rows.eos(at.index) ? "end of turn" : named(pieces?.get(rows.id(at.index)) ?? "?")],
          ["Id", String(rows.id(at.index))],
          ["Place in its turn", String(at.index)],
          ...(at.position === null ? [] : [["Place on the path", String(at.position)]]),
          ["Bytes", bytesOf(pieces?.get(rows.id(at.index)) ?? "")],
        ]
      : [];
    this.token.replaceChildren(
      ...facts.map(([name = "", value = ""]) =>
        h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value)),
      ),
    );
    if (!moved) return;
    this.#asked++;
    this.places.replaceChildren();
    this.inside.clear();
  }

  #ranked() {
    const first = Number(this.rank.value.replace(/[\s,.]/g, ""));
    if (!Number.isInteger(first) || first < 1) return this.#refuse("Ranks are whole numbers from 1 on.");
    return this.#place("ranked", { first, count: SHOWN });
  }

  #chances() {
    if (!this.piece.value) return this.#refuse("Type a piece of text first.");
    return this.#place("chances", { text: this.piece.value });
  }

  /** @param {Op} op @param {Record<string, unknown>} args */
  async #place(op, args) {
    const asked = ++this.#asked;
    const own = { turn: this.#at?.turn, index: this.#at?.index };
    try {
      const { places } = await this.ask(op, { ...own, ...args });
      if (asked !== this.#asked) return;
      if (!places.length) return this.#refuse("The vocabulary has no such rank.");
      this.places.replaceChildren(
        table(places, op === "chances" && places.length > 1 ? together(places) : ""),
      );
    } catch (error) {
      if (asked === this.#asked) this.#refuse(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} reason */
  #refuse(reason) {
    this.places.replaceChildren(h("p", "dgpt-grave", {}, reason));
  }

  async #look() {
    const at = this.#at;
    const answer = await this.ask("inside", { turn: at?.turn, index: at?.index });
    return at === this.#at ? answer : null;
  }
}

/** @param {{logprob: number}[]} places one token after another */
const together = (places) =>
  `Each after the one above it; together ${percent(Math.exp(places.reduce((sum, { logprob }) => sum + logprob, 0)))}`;

/** @param {string} words @param {HTMLInputElement} field @param {string} act @param {() => unknown} ask */
function asking(words, field, act, ask) {
  field.id = unique();
  const go = button(act, "dgpt-plain");
  go.setAttribute("type", "submit");
  const form = h("form", "dgpt-row dgpt-asking", {}, h("label", "", { for: field.id }, words), field, go);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  return form;
}

/** @param {{token: number, piece: Piece, logprob: number, rank: number}[]} places @param {string} words */
function table(places, words) {
  const head = ["Rank", "Token", "Id", "Probability"].map((name) => h("th", "", { scope: "col" }, name));
  const rows = places.map(({ token, piece, logprob, rank }) =>
    h(
      "tr",
      "",
      {},
      h("td", "", {}, grouped(rank)),
      h("td", "dgpt-exact", {}, ...shownParts(piece).map(({ text }) => text)),
      h("td", "", {}, String(token)),
      h("td", "", {}, percent(Math.exp(logprob))),
    ),
  );
  const caption = words ? [h("caption", "dgpt-small", {}, words)] : [];
  return h(
    "table",
    "dgpt-table",
    {},
    ...caption,
    h("thead", "", {}, h("tr", "", {}, ...head)),
    h("tbody", "", {}, ...rows),
  );
}

/** @param {Piece} piece */
function bytesOf(piece) {
  const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
