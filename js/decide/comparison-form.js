/** @import { Choice, Preset, Side, Turn } from "../protocol.js" */
/** @import { Decider } from "./decider.js" */

import { valuesOf } from "../panels/settings.js";
import { button, h, onClick } from "../ui/dom.js";
import { shortened } from "./format.js";

const MOST = 6; // sides that the kernel takes

/** Asks for answers to the same message with several settings, and with another model. */
export class Sides {
  /** @type {Map<HTMLButtonElement, Side>} */
  #sides = new Map();
  /** @type {unknown[]} what the ways to choose from were made of */
  #made = [];
  /** @type {number | null} the message to answer, if not the last one of the path */
  #turn = null;

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    this.asked = h("p", "dgpt-small");
    this.ways = h("div", "dgpt-row", { role: "group", "aria-label": "Ways to answer" });
    this.models = h("div", "dgpt-row", { role: "group", "aria-label": "Another model" });
    this.other = h("details", "", {}, h("summary", "dgpt-small", {}, "With another model"), this.models);
    this.go = button("Answer side by side", "dgpt-plain");
    this.hint = h("p", "dgpt-small", { role: "status" });
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    this.element = h(
      "div",
      "dgpt-group",
      {},
      this.asked,
      this.ways,
      this.other,
      this.go,
      this.hint,
      this.refusal,
    );
    for (const group of [this.ways, this.models]) onClick(group, (event) => this.#toggle(group, event));
    onClick(this.go, () => this.#go());
  }

  update() {
    const { model } = this.decider.view;
    const made = [
      model.get("presets"),
      model.get("models"),
      model.get("settings_schema"),
      model.get("info")?.name,
    ];
    if (made.some((one, place) => one !== this.#made[place])) this.#offer(made);
    const turn = this.#question;
    const count = this.#chosen.length;
    this.asked.textContent = turn
      ? `Answers to “${shortened(turn.text)}”, each with the same dice.`
      : "There is no message to answer yet.";
    this.go.setAttribute("aria-disabled", String(!this.#ready));
    this.hint.textContent =
      !turn || this.#ready ? "" : count < 2 ? "Choose two ways or more." : `At most ${MOST}.`;
  }

  /** Makes ready to answer a message. @param {Turn} turn */
  answer({ id }) {
    this.#turn = id;
    this.update();
  }

  /** The message to answer: the one that was asked for while it is on the path, or else the last one. */
  get #question() {
    const { path } = this.decider.view.state;
    return path.find(({ id }) => id === this.#turn) ?? path.findLast(({ role }) => role === "user");
  }

  get #chosen() {
    return [...this.#sides].flatMap(([chip, side]) => (pressed(chip) ? [side] : []));
  }

  get #ready() {
    const count = this.#chosen.length;
    return this.#question !== undefined && count >= 2 && count <= MOST;
  }

  /** @param {unknown[]} made */
  #offer(made) {
    const before = new Set(this.#chosen.map(({ label }) => label));
    const [presets, models, schema, now] = /** @type {[Preset[]?, Choice[]?, any?, string?]} */ (made);
    this.#made = made;
    this.#sides.clear();
    const ways = [
      this.#chip({ label: "As now", values: {}, model: null }, "The settings as they are"),
      ...(presets ?? []).map((preset) =>
        this.#chip({ label: preset.name, values: valuesOf(preset, schema ?? []), model: null }, preset.help),
      ),
    ];
    const others = (models ?? [])
      .filter(({ name }) => name !== now)
      .map(({ name, title, help }) =>
        this.#chip({ label: title.split(":")[0] ?? title, values: {}, model: name }, `${title}; ${help}`),
      );
    this.ways.replaceChildren(...ways);
    this.models.replaceChildren(...others);
    this.other.hidden = others.length === 0;
    for (const [chip, { label }] of this.#sides)
      press(chip, before.size ? before.has(label) : ways.indexOf(chip) >= 0 && ways.indexOf(chip) < 2);
  }

  /** @param {Side} side @param {string} help */
  #chip(side, help) {
    const chip = button(side.label, "dgpt-plain dgpt-starter");
    chip.title = help;
    this.#sides.set(chip, side);
    return chip;
  }

  /** @param {HTMLElement} group @param {MouseEvent} event */
  #toggle(group, event) {
    const chip = /** @type {HTMLElement} */ (event.target).closest("button");
    if (!chip) return;
    const on = !pressed(chip);
    if (group === this.models) for (const other of group.querySelectorAll("button")) press(other, false); // one is enough
    press(chip, on);
    this.update();
  }

  async #go() {
    const turn = this.#question;
    if (!turn || !this.#ready) return;
    this.refusal.textContent = "";
    try {
      await this.decider.view.verbs.do("compare", { turn: turn.id, sides: this.#chosen });
    } catch (error) {
      this.refusal.textContent = /** @type {Error} */ (error).message;
    }
  }
}

/** @param {HTMLElement} chip */
const pressed = (chip) => chip.getAttribute("aria-pressed") === "true";

/** @param {HTMLElement} chip @param {boolean} on */
const press = (chip, on) => chip.setAttribute("aria-pressed", String(on));
