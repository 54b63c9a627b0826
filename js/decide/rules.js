/** @import { Choice, Rerank } from "../protocol.js" */
/** @import { Decider } from "./decider.js" */

import { button, field, h, onClick, unique } from "../ui/dom.js";

/** @type {[name: "echo" | "repeats" | "urls" | "empty", words: string][]} */
const RULES = [
  ["echo", "echoes the user"],
  ["repeats", "says something three times in a row"],
  ["urls", "holds a link"],
  ["empty", "says nothing"],
];

/** How one of several replies is chosen: the scorer, the draw, and what is dropped before. */
export class Rules {
  /** @type {Choice[] | null} */
  #offered = null;

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    const help = unique();
    this.scorer = h("select", "dgpt-button dgpt-plain", { "aria-label": "Scorer", "aria-describedby": help });
    this.help = h("p", "dgpt-small", { id: help });
    this.temperature = field({
      "aria-label": "Temperature of the draw",
      inputmode: "decimal",
      autocomplete: "off",
    });
    this.words = field({
      "aria-label": "Words that drop a reply",
      placeholder: "word, another",
      autocomplete: "off",
      spellcheck: "false",
    });
    /** @type {Map<typeof RULES[number][0], HTMLInputElement>} */
    this.boxes = new Map(RULES.map(([name]) => [name, h("input", "", { type: "checkbox" })]));
    const checks = RULES.map(([name, words]) =>
      h("label", "dgpt-check", {}, /** @type {HTMLInputElement} */ (this.boxes.get(name)), words),
    );
    this.again = button("Rank again", "dgpt-plain");
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    this.element = h(
      "div",
      "dgpt-group",
      {},
      h("div", "", {}, row("Best by", this.scorer), this.help),
      h(
        "div",
        "",
        {},
        row("Temperature of the draw", this.temperature),
        h("p", "dgpt-small", {}, "0 takes the best. Above, one is drawn, and the better is the likelier."),
      ),
      h(
        "div",
        "dgpt-checks",
        { role: "group", "aria-label": "Drop a reply that" },
        h("p", "", {}, "Drop a reply that"),
        ...checks,
      ),
      row("or has one of", this.words),
      this.again,
      this.refusal,
    );
    this.#listen();
  }

  update() {
    const { model } = this.decider.view;
    const { shown } = this.decider.panel.lists;
    /** @type {Rerank | undefined} */
    const rerank = model.get("rerank");
    /** @type {Choice[]} */
    const offered = model.get("rerankers") ?? [];
    if (offered !== this.#offered)
      this.scorer.replaceChildren(
        ...offered.map(({ name, title }) => h("option", "", { value: name }, title)),
      );
    this.#offered = offered;
    const list = shown === null ? undefined : this.decider.view.state.nbests.get(shown);
    this.again.hidden = list === undefined || list.kind === "compared";
    if (!rerank) return;
    this.scorer.value = rerank.name;
    this.help.textContent = offered.find(({ name }) => name === rerank.name)?.help ?? "";
    write(this.temperature, String(rerank.temperature));
    write(this.words, rerank.words.join(", "));
    for (const [name, box] of this.boxes) box.checked = rerank[name];
  }

  #listen() {
    const { scorer, temperature, words } = this;
    scorer.addEventListener("change", () => this.#set({ name: scorer.value }));
    temperature.addEventListener("change", () => this.#set({ temperature: read(temperature.value) }));
    words.addEventListener("change", () => this.#set({ words: wordsIn(words.value) }));
    for (const [name, box] of this.boxes)
      box.addEventListener("change", () => this.#set({ [name]: box.checked }));
    onClick(this.again, () => this.#rank());
  }

  /** @param {Partial<Record<keyof Rerank, unknown>>} values */
  async #set(values) {
    await this.#ask("rerank", { values });
    this.update();
  }

  async #rank() {
    const { shown } = this.decider.panel.lists;
    if (shown === null) return;
    if (await this.#ask("rank", { nbest: shown })) this.decider.view.announcer.say("Ranking again");
  }

  /** @param {"rank" | "rerank"} op @param {Record<string, unknown>} args @returns whether it was taken */
  async #ask(op, args) {
    this.refusal.textContent = "";
    try {
      await this.decider.view.requests.request(op, args);
      return true;
    } catch (error) {
      this.refusal.textContent = /** @type {Error} */ (error).message;
      return false;
    }
  }
}

/** @param {string} words @param {HTMLElement} control */
const row = (words, control) => h("label", "dgpt-row dgpt-rule", {}, h("span", "", {}, words), control);

/** What is being written stays. @param {HTMLInputElement} input @param {string} text */
function write(input, text) {
  if (!input.matches(":focus")) input.value = text;
}

/** A number, or for the kernel to judge what was written. @param {string} text */
function read(text) {
  const number = Number(text.trim().replace(",", "."));
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}

/** @param {string} text */
const wordsIn = (text) =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean);
