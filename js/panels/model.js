/** @import { Choice, Info, Meter, Model, Op, Status } from "../protocol.js" */

import { button, CHECK, choiceRow, field, h, onClick } from "../ui/dom.js";

/** Names to choose one from. */
class Choices {
  element = h("div", "dgpt-choices");
  /** @type {Choice[] | undefined} */
  #shown;

  /** @param {(name: string) => void} choose */
  constructor(choose) {
    onClick(this.element, (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("button");
      if (row?.matches("[aria-current=false]")) choose(row.dataset.name ?? "");
    });
  }

  /** @param {Choice[]} choices @param {string | null} current */
  offer(choices = [], current) {
    if (choices !== this.#shown) this.element.replaceChildren(...choices.map((one) => choiceRow(one, CHECK)));
    this.#shown = choices;
    for (const row of this.element.querySelectorAll("button"))
      row.setAttribute("aria-current", String(row.dataset.name === current));
  }
}

/** What runs and where, what is to be known of it, and the other models to choose from. */
export class ModelPanel {
  title = "Model";
  /** Whether another model can be chosen. */
  live = true;
  #shown = "";

  /** @param {Pick<Model, "get">} model
   * @param {(op: Op, args: Record<string, string>) => Promise<unknown>} use rejects with the reason */
  constructor(model, use) {
    this.model = model;
    this.use = use;
    this.facts = h("dl", "dgpt-facts");
    this.notes = h("div", "dgpt-notes");
    this.models = new Choices((model) => this.#use("use_model", { model }));
    this.precisions = new Choices((precision) => this.#use("use_precision", { precision }));
    this.name = field({
      "aria-label": "Another model",
      placeholder: "A folder, or a name on the hub",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    const form = h("form", "dgpt-row", {}, this.name, button("Use", "dgpt-plain"));
    const title = h("h3", "", {}, "Change the model");
    const stays = h("p", "dgpt-small", {}, "The conversation stays.");
    const lists = [this.precisions.element, this.models.element];
    this.change = h("section", "dgpt-group", {}, title, stays, ...lists, form, this.refusal);
    this.element = h("div", "dgpt-group", {}, this.facts, this.notes, this.change);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const model = this.name.value.trim();
      if (model) this.#use("use_model", { model });
    });
    form.querySelector("button")?.setAttribute("type", "submit");
  }

  update() {
    /** @type {Info} */
    const info = this.model.get("info");
    this.change.hidden = !this.live;
    this.#state(info, this.model.get("status"), this.model.get("meter"));
    this.precisions.offer(this.model.get("precisions"), info.precision);
    this.models.offer(this.model.get("models"), info.name);
  }

  /** @param {Info} info @param {Status | undefined} status @param {Meter | null | undefined} meter */
  #state(info, status, meter) {
    /** @type {[string, any][]} */
    const facts = [
      ["Model", info.name],
      ["Parameters", info.parameters && count(info.parameters)],
      ["Device", info.device],
      ["Precision", info.precision],
      ["Revision", info.revision?.slice(0, 12)],
      ["Window", tokens(meter?.window ?? info.positions)],
      ["Last reply", status?.speed ? `${Number(status.speed.toPrecision(2))} tokens/s` : null],
    ];
    const known = facts.filter(([, value]) => value);
    const shown = String([known, info.notes]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.facts.replaceChildren(
      ...known.map(([name, value]) => h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value))),
    );
    this.notes.replaceChildren(...info.notes.map((note) => h("p", "", {}, note)));
  }

  /** @param {Op} op @param {Record<string, string>} args */
  async #use(op, args) {
    this.refusal.textContent = "";
    try {
      await this.use(op, args);
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
const tokens = (value) => value && `${value} tokens`;
