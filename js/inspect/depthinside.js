import { button, h, onClick } from "../chat/dom.js";
import { Attention } from "./depthattention.js";
import { percent } from "./format.js";
import { Names } from "./piece.js";

/** @import { Answer, Buffer } from "../wire.js" */

/** What happened in each layer and head when a token was chosen. */
export class DepthInside {
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
