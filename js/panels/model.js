import { button, h } from "../chat/dom.js";
import { choiceRow } from "./choice.js";

/** @import { Choice, Info, Meter, Model, Status } from "../wire.js" */

const CHOSEN = "m3 8.5 3.2 3.2L13 5";

/** What runs and where, what is to be known of it, and the other models to choose from. */
export class ModelPanel {
  title = "Model";
  /** Whether another model can be chosen. */
  live = true;
  #shown = "";
  /** @type {Choice[] | null} */
  #choices = null;

  /** @param {Pick<Model, "get">} model @param {(name: string) => Promise<unknown>} use rejects with the reason */
  constructor(model, use) {
    this.model = model;
    this.use = use;
    this.facts = h("dl", "dgpt-facts");
    this.notes = h("div", "dgpt-notes");
    this.choices = h("div", "dgpt-choices");
    this.name = h("input", "dgpt-button dgpt-plain dgpt-field", {
      "aria-label": "Another model",
      placeholder: "A folder, or a name on the hub",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    const form = h("form", "dgpt-row", {}, this.name, button("Use", "dgpt-plain"));
    const title = h("h3", "", {}, "Change the model");
    const stays = h("p", "dgpt-small", {}, "The conversation stays.");
    this.change = h("section", "dgpt-group", {}, title, stays, this.choices, form, this.refusal);
    this.element = h("div", "dgpt-group", {}, this.facts, this.notes, this.change);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#use(this.name.value.trim());
    });
    form.querySelector("button")?.setAttribute("type", "submit");
    this.choices.addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("button");
      if (row?.getAttribute("aria-current") !== "true") this.#use(row?.dataset.name ?? "");
    });
  }

  update() {
    /** @type {Info} */
    const info = this.model.get("info");
    this.change.hidden = !this.live;
    this.#state(info, this.model.get("status"), this.model.get("meter"));
    const choices = this.model.get("models") ?? [];
    if (choices !== this.#choices) {
      this.#choices = choices;
      this.choices.replaceChildren(...choices.map((/** @type {Choice} */ one) => choiceRow(one, CHOSEN)));
    }
    for (const row of this.choices.querySelectorAll("button"))
      row.setAttribute("aria-current", String(row.dataset.name === info.name));
  }

  /** @param {Info} info @param {Status | undefined} status @param {Meter | null | undefined} meter */
  #state(info, status, meter) {
    /** @type {[string, string | null | undefined][]} */
    const facts = [
      ["Model", info.name],
      ["Parameters", info.parameters === null ? null : count(info.parameters)],
      ["Device", info.device],
      ["Precision", info.precision],
      ["Revision", info.revision?.slice(0, 12)],
      ["Window", tokens(meter?.window ?? info.positions)],
      ["Last reply", typeof status?.speed === "number" ? `${rate(status.speed)} tokens/s` : null],
    ];
    const known = facts.filter(([, value]) => value);
    const shown = [...known, ...info.notes].join("\n");
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.facts.replaceChildren(
      ...known.map(([name, value]) => h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value ?? ""))),
    );
    this.notes.replaceChildren(...info.notes.map((note) => h("p", "", {}, note)));
  }

  /** @param {string} name */
  async #use(name) {
    if (!name) return;
    this.refusal.textContent = "";
    try {
      await this.use(name);
      this.name.value = "";
    } catch (error) {
      this.refusal.textContent = /** @type {Error} */ (error).message;
    }
  }
}

/** @param {number} value */
function count(value) {
  return value >= 1e9
    ? `${(value / 1e9).toFixed(2)} billion`
    : `${Number((value / 1e6).toPrecision(3))} million`;
}

/** @param {number | null} value */
const tokens = (value) => (value === null ? null : `${value} tokens`);

/** @param {number} value */
const rate = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
