/** @import { Answer, Piece } from "../../protocol.js" */
/** @import { Names } from "../tokens/names.js" */

import { wellFormed } from "../../protocol.js";
import { button, field, focus, h, onClick } from "../../ui/dom.js";

/**
 * @typedef {object} Hooks
 * @property {() => Promise<Answer>} choices what the next token might be
 * @property {(kind: Kind, what: {text: string | null, token: number | null}) => Promise<unknown>} take
 * @property {() => void} leave called when what had the focus has gone
 * @typedef {"guess" | "force"} Kind
 */

const WORDS = {
  guess: { title: "What comes next?", take: "Guess" },
  force: { title: "Put a token of yours next", take: "Put it there" },
};

/** A question for the next token: typed, or picked from ten. They are asked for only where somebody wants to pick. */
export class Offer {
  #title;
  #field;
  #word;
  #spaced;
  #submit;
  #more;
  #list;
  #names;
  #hooks;
  /** @type {Kind | null} */
  #kind = null;
  #at = "";
  #ready = false;
  #picking = false;
  #begun = false;
  #shown = ""; // the place that the choices are for

  /** @param {Names} names @param {Hooks} hooks */
  constructor(names, hooks) {
    this.#names = names;
    this.#hooks = hooks;
    this.#title = h("strong", "");
    const attributes = { type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
    this.#field = field(attributes);
    this.#word = h("input", "", { type: "checkbox" });
    this.#word.checked = true;
    this.#spaced = h("label", "dgpt-row", {}, this.#word, "New word");
    this.#submit = h("button", "dgpt-button dgpt-plain", { type: "submit" });
    this.#more = button("Ten to pick from", "dgpt-plain");
    this.#list = h("div", "dgpt-row dgpt-picks", { role: "group", "aria-label": "Ten to pick from" });
    const row = h("div", "dgpt-row", {}, this.#field, this.#submit, this.#spaced, this.#more);
    this.element = h("form", "dgpt-offer", {}, this.#title, row, this.#list);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#field.value) this.#take({ text: this.#text(), token: null });
    });
    onClick(this.#more, () => {
      this.#picking = !this.#picking;
      this.#pick();
    });
    this.show(null, "", false, false);
  }

  /**
   * @param {Kind | null} kind what is asked; null for nothing
   * @param {string} at changes with the place that is asked for
   * @param {boolean} ready whether a token is held there
   * @param {boolean} begun whether something was said before it
   */
  show(kind, at, ready, begun) {
    const left = kind === null && this.element.matches(":focus-within");
    if (kind && kind !== this.#kind) {
      this.#title.textContent = WORDS[kind].title;
      this.#field.setAttribute("aria-label", WORDS[kind].title);
      this.#submit.textContent = WORDS[kind].take;
    }
    if (at !== this.#at || kind !== this.#kind) this.#field.value = "";
    this.#kind = kind;
    this.#at = at;
    this.#ready = ready;
    this.#begun = begun;
    this.element.hidden = kind === null;
    this.#spaced.hidden = !begun;
    for (const one of [this.#submit, ...this.#list.children])
      one.setAttribute("aria-disabled", String(!ready));
    this.#pick();
    if (left) this.#hooks.leave();
  }

  focus() {
    focus(this.#field);
  }

  /** What was typed, with the space that a new word begins with. */
  #text() {
    const text = wellFormed(this.#field.value);
    const space = this.#begun && this.#word.checked && /^[\p{L}\p{N}]/u.test(text);
    return space ? ` ${text}` : text;
  }

  /** @param {{text: string | null, token: number | null}} what */
  async #take(what) {
    if (!this.#ready || !this.#kind) return;
    this.#ready = false;
    if (!(await this.#hooks.take(this.#kind, what))) this.#ready = true;
  }

  /** Shows what there is to pick from, if that is wanted; what was there before stays until then. */
  async #pick() {
    this.#more.setAttribute("aria-pressed", String(this.#picking));
    this.#list.hidden = !this.#picking;
    const at = this.#at;
    if (!this.#picking || !this.#ready || !this.#kind || this.#shown === at) return;
    this.#shown = at;
    const answer = await this.#hooks.choices().catch(() => null);
    if (at !== this.#at) return;
    if (!answer) this.#shown = "";
    else this.#fill(answer.ids, answer.end, answer.pieces);
  }

  /** @param {number[]} ids @param {number} end @param {Record<string, Piece>} pieces */
  #fill(ids, end, pieces) {
    const focused = this.#list.matches(":focus-within");
    this.#names.end = end;
    this.#names.learn(ids.map((id) => [id, pieces[id] ?? "?"]));
    this.#list.replaceChildren(
      ...ids.map((id) => {
        const pick = h("button", "dgpt-button dgpt-plain", { type: "button" }, this.#names.show(id));
        onClick(pick, () => this.#take({ text: null, token: id }));
        return pick;
      }),
    );
    if (focused) focus(/** @type {HTMLElement} */ (this.#list.firstElementChild));
  }
}

/** The guesses so far. */
export class Score {
  /** @type {{turn: number, index: number, bits: number, right: boolean}[]} */
  guesses = [];

  /**
   * @param {(turn: number, index: number) => number} own surprisal of the token that it was, bits
   * @returns {string} in words
   */
  words(own) {
    const { guesses } = this;
    const mean = (/** @type {number[]} */ bits) =>
      (bits.reduce((sum, one) => sum + one, 0) / bits.length).toFixed(1);
    const known = guesses.map(({ turn, index }) => own(turn, index)).filter((bits) => !Number.isNaN(bits));
    const right = `${guesses.filter((one) => one.right).length} of ${guesses.length} right.`;
    const yours = `Your guesses surprise the model by ${mean(guesses.map(({ bits }) => bits))} bits each`;
    return `${right} ${yours}${known.length ? `, its own tokens by ${mean(known)}` : ""}.`;
  }
}
