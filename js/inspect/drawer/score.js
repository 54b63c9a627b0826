/** @import { Answer, Buffer, Op, Turn } from "../../protocol.js" */

import { button, field, h } from "../../ui/dom.js";
import { Cells } from "../strip/cells.js";
import { shownAs } from "../strip/glyphs.js";
import { measureOf, short, wordsOf } from "../strip/measures.js";
import { counted, NEEDS, percent } from "../tokens/names.js";
import { TurnTokens } from "../tokens/rows.js";

/** How probable a typed reply would have been, token by token, beside the model's own. */
export class Score {
  /** @type {Turn | null} the turn that is answered, or a reply to it */
  #turn = null;
  /** @type {unknown[]} */
  #shown = [];
  /** @type {TurnTokens | null} */
  #own = null;

  /**
   * @param {(op: Op, args: Record<string, unknown>) => Promise<Answer>} ask
   * @param {(turn: number) => TurnTokens | null} tokensOf
   */
  constructor(ask, tokensOf) {
    this.ask = ask;
    this.tokensOf = tokensOf;
    this.lead = h("p", "dgpt-small");
    this.field = field({
      "aria-label": "Type a reply",
      placeholder: "Type a reply",
      autocomplete: "off",
    });
    const score = button("Score", "dgpt-plain");
    score.setAttribute("type", "submit");
    this.form = h("form", "dgpt-row", {}, this.field, score);
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    this.results = h("div", "dgpt-group", { role: "status" });
    this.element = h("div", "dgpt-group", {}, this.lead, this.form, this.refusal, this.results);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#score(this.field.value);
    });
  }

  /** @param {Turn[]} path @param {boolean} live */
  update(path, live) {
    const last = path.at(-1);
    const shown = [last, live];
    if (shown.every((one, at) => one === this.#shown[at])) return;
    if (last !== this.#shown[0]) this.results.replaceChildren();
    this.#shown = shown;
    this.#turn = last ?? null;
    this.#own = last?.made ? this.tokensOf(last.id) : null;
    const asked = last?.role === "assistant" ? path.at(-2) : last;
    const able = live && asked?.role === "user";
    this.form.hidden = this.results.hidden = !able;
    this.lead.textContent = able
      ? `Another answer to “${asked.text.slice(0, 80)}”: how probable is each of its tokens?`
      : live
        ? "There is nothing to answer yet."
        : NEEDS;
  }

  /** @param {string} text */
  async #score(text) {
    const turn = this.#turn;
    this.refusal.textContent = "";
    if (!text || !turn) return;
    try {
      const answer = await this.ask("score", { turn: turn.id, text });
      if (turn !== this.#turn) return;
      const tokens = new TurnTokens(answer.tokens, /** @type {Buffer} */ (answer.buffers[0]));
      const own = this.#own;
      this.results.replaceChildren(...[run("Yours", tokens), ...(own ? [run("The model’s", own)] : [])]);
    } catch (error) {
      this.refusal.textContent = /** @type {Error} */ (error).message;
    }
  }
}

/** A reply with its numbers. @param {string} title @param {TurnTokens} tokens */
function run(title, tokens) {
  const cells = new Cells(tokens);
  cells.build(measureOf("bits"));
  const { rows, units } = cells;
  let bits = 0;
  let scored = 0;
  for (let index = 0; index < rows.length; index++) {
    const own = rows.bits(index);
    if (Number.isNaN(own)) continue;
    bits += own;
    scored++;
  }
  const row = cells.list.map((cell, place) => {
    const unit = units[place];
    if (!unit) return "";
    cell.removeAttribute("role");
    cell.removeAttribute("tabindex");
    cell.title = wordsOf(rows, unit);
    cell.textContent = shownAs(unit);
    const chance = 2 ** -measureOf("bits").of(rows, unit);
    return h("li", "", {}, cell, h("small", "", {}, Number.isNaN(chance) ? "–" : percent(chance)));
  });
  const unscored = rows.length - scored;
  const numbers = `${counted(scored, "token")}, ${short(bits)} bits, ${short(scored ? bits / scored : Number.NaN)} bits a token`;
  const rest = unscored ? `; ${counted(unscored, "token")} given, not scored` : "";
  return h(
    "section",
    "dgpt-run",
    { "aria-label": title },
    h("p", "", {}, h("strong", "", {}, title), h("span", "dgpt-small", {}, `${numbers}${rest}`)),
    h("ol", "dgpt-scored", {}, ...row),
  );
}
