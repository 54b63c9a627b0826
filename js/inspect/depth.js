import { button, field, h, unique } from "../chat/dom.js";
import { DepthInside } from "./depthinside.js";
import { grouped, NEEDS, named, percent, shownParts } from "./format.js";

/** @import { Answer, Op, Piece } from "../wire.js" */
/** @import { TurnTokens } from "./rows.js" */

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
