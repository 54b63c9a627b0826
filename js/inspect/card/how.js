/** @import { Names } from "../tokens/names.js" */
/** @import { Choice, Place, Segment, Step, Values } from "./steps.js" */

import { button, focus, h, onClick } from "../../ui/dom.js";
import { percent } from "../tokens/names.js";
import { approximate, stepsOf } from "./steps.js";

/** @type {Record<string, {label: string, min: number, max: number, step: number, off?: number}>} */
const RANGES = {
  temperature: { label: "Temperature", min: 0.1, max: 2, step: 0.05 },
  top_k: { label: "Top-k", min: 1, max: 100, step: 1, off: 0 },
  top_p: { label: "Top-p", min: 0.05, max: 1, step: 0.01 },
};

/** A slider on a setting. Tells each move, and where it comes to rest. */
class Slider {
  /** @param {string} name @param {number} value @param {(value: number, rest: boolean) => void} moved */
  constructor(name, value, moved) {
    const range = RANGES[name] ?? { label: name, min: 0, max: 1, step: 0.01 };
    const { label, step, off } = range;
    const min = Math.min(range.min, value || range.min);
    const most = Math.max(range.max, value);
    const max = off === undefined ? most : most + step; // where there is an end beyond the end, it is off
    const attributes = { type: "range", "aria-label": label, min: String(min), max: String(max) };
    this.input = h("input", "dgpt-slider", { ...attributes, step: String(step) });
    this.input.value = String(value === off ? max : value);
    const read = () => {
      const now = Number(this.input.value);
      return off !== undefined && now > most ? off : now;
    };
    const tell = () => this.input.setAttribute("aria-valuetext", read() === off ? "off" : String(read()));
    tell();
    this.input.addEventListener("input", () => {
      tell();
      moved(read(), false);
    });
    this.input.addEventListener("change", () => moved(read(), true));
  }
}

/** Whether a setting has a slider. @param {string} name */
const slides = (name) => name in RANGES;

const SHADES = 8;
const ROOM = 0.035; // the share that a letter takes in a narrow view

/** A bar from 0 to 1, divided among tokens; what is the same in the next picture keeps its place and its shade. */
class Stack {
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();

  /** @param {Names} names @param {Map<number, number>} shades of tokens, 0 for the most probable */
  constructor(names, shades) {
    this.names = names;
    this.shades = shades;
    this.element = h("div", "dgpt-stack", { role: "img" });
    this.pin = h("span", "dgpt-dice-pin");
    this.pin.hidden = true;
  }

  /** @param {Segment[]} segments @param {{draw?: number | null, hit?: number}} marks */
  show(segments, { draw = null, hit }) {
    const kept = new Map(this.#parts);
    this.#parts.clear();
    const parts = segments.map(({ what, share }) => {
      let key = String(what);
      while (this.#parts.has(key)) key += "'";
      const part = kept.get(key) ?? this.#part(what);
      part.style.width = `${(100 * share).toFixed(3)}%`;
      part.toggleAttribute("data-narrow", share < ROOM * ((part.textContent?.length ?? 0) + 1));
      part.toggleAttribute("data-hit", what === hit);
      this.#parts.set(key, part);
      return part;
    });
    const now = [...parts, this.pin];
    if (now.some((one, place) => this.element.childNodes[place] !== one))
      this.element.replaceChildren(...now);
    else while (this.element.childNodes.length > now.length) this.element.lastChild?.remove();
    this.pin.hidden = draw === null;
    this.pin.style.insetInlineStart = `${100 * (draw ?? 0)}%`;
    this.element.hidden = segments.length === 0;
    this.element.setAttribute("aria-label", this.#told(segments));
  }

  /** @param {Segment["what"]} what */
  #part(what) {
    const shade = typeof what === "number" ? this.shades.get(what) : undefined;
    const part = h("span", "dgpt-share", { "data-kind": typeof what === "number" ? "token" : what });
    if (shade !== undefined) part.dataset.shade = String(shade);
    part.append(typeof what === "number" ? this.names.show(what) : what === "cut" ? "cut" : "");
    part.title = this.#name(what);
    return part;
  }

  /** @param {Segment["what"]} what */
  #name(what) {
    return typeof what === "number" ? this.names.name(what) : what === "cut" ? "cut" : "everything else";
  }

  /** @param {Segment[]} segments */
  #told(segments) {
    const most = segments.filter(
      ({ what, share }, place) => place < 5 || typeof what === "string" || share > 0.2,
    );
    return most.map(({ what, share }) => `${this.#name(what)} ${percent(share)}`).join(", ");
  }
}

/** Which shade each token has in all pictures: by its place in the model's own distribution.
 * @param {number[]} ids most probable first */
function shadesOf(ids) {
  return new Map(ids.slice(0, SHADES).map((id, place) => [id, place]));
}

/**
 * @typedef {object} Asked
 * @property {((values: Record<string, number>) => Promise<Choice>) | null} explain null without a model
 * @property {() => Promise<Place[]>} ranked
 * @property {(token: number) => void} fork
 */

/** How a token was chosen: a picture for each step, and sliders that ask what the same dice would have done. */
export class How {
  /** @type {Map<string, StepView>} */
  #steps = new Map();
  /** @type {Choice | null} with the reply's own settings */
  #exact = null;
  /** @type {Place[]} */
  #known = [];
  /** @type {Record<string, number>} */
  #changed = {};
  #asked = 0;
  /** @type {Map<number, number>} */
  #shades = new Map();

  /**
   * @param {number} chosen the token that is there
   * @param {Values & Record<string, any>} values the settings of the reply
   * @param {Names} names @param {Asked} asking
   */
  constructor(chosen, values, names, asking) {
    this.chosen = chosen;
    this.values = values;
    this.names = names;
    this.asking = asking;
    this.list = h("ol", "dgpt-steps");
    this.source = h("p", "dgpt-small dgpt-source");
    this.now = h("p", "dgpt-now", { "aria-live": "polite" });
    this.back = button("Back to the reply’s own settings", "dgpt-quiet");
    this.fork = button("Say it here", "dgpt-plain");
    this.after = h("div", "dgpt-row", {}, this.fork, this.back);
    this.verdict = h("div", "dgpt-verdict", {}, this.source, this.now, this.after);
    this.element = h("div", "dgpt-how", {}, this.list, this.verdict);
    onClick(this.back, () => this.#reset());
    this.now.hidden = this.after.hidden = true;
  }

  /** Shows what is known without the model. @param {Choice} choice */
  record(choice) {
    this.source.textContent =
      "From the stored record: what was cut is exact, the rest by the most probable tokens. Sliders need the model.";
    this.#draw(choice, this.values, false);
  }

  /** Asks the model. */
  async ask() {
    const { explain, ranked } = this.asking;
    if (!explain) return;
    this.source.textContent = "Asking the model…";
    const [exact, known] = await Promise.all([explain({}), ranked()]);
    this.#exact = exact;
    this.#known = known;
    this.#draw(exact, this.values, true);
    this.#invite();
  }

  /** @param {string} name @param {number} value @param {boolean} rest */
  async #move(name, value, rest) {
    const exact = this.#exact;
    if (!exact) return;
    this.#changed[name] = value;
    const values = { ...this.values, ...this.#changed };
    const asked = ++this.#asked;
    if (!rest) {
      this.#draw(approximate(exact, this.#known, values), values, true);
      this.source.textContent = `≈ while you drag: reckoned from the ${this.#known.length} most probable tokens.`;
      this.#tell(null);
      return;
    }
    try {
      const choice = await this.asking.explain?.(this.#changed);
      if (!choice || asked !== this.#asked) return;
      this.#draw(choice, values, true);
      this.source.textContent = "Exact, over the whole vocabulary.";
      this.#tell(choice);
    } catch (error) {
      this.source.textContent = /** @type {Error} */ (error).message;
    }
  }

  #invite() {
    const slider = this.list.querySelector("input");
    this.source.textContent = slider ? "Move a slider: what would the same dice have hit?" : "";
  }

  #reset() {
    this.#changed = {};
    this.#asked++;
    for (const step of this.#steps.values()) step.element.remove();
    this.#steps.clear();
    this.now.hidden = this.after.hidden = true;
    if (this.#exact) this.#draw(this.#exact, this.values, true);
    this.#invite();
    focus(this.list.querySelector("input"));
  }

  /** Says what the same dice would hit now. @param {Choice | null} choice null while that is not exact */
  #tell(choice) {
    this.after.hidden = false;
    this.now.hidden = choice === null;
    const other = choice !== null && choice.chosen !== this.chosen;
    this.fork.hidden = !other;
    if (!choice) return;
    const name = this.names.tell(choice.chosen);
    this.now.replaceChildren("With this, the same dice hit ", name, other ? "." : ", as they did.");
    this.fork.textContent = `Say “${this.names.name(choice.chosen)}” here`;
    this.fork.onclick = () => this.asking.fork(choice.chosen);
  }

  /** @param {Choice} choice @param {Values & Record<string, any>} values @param {boolean} live */
  #draw(choice, values, live) {
    if (this.#shades.size === 0) this.#shades = shadesOf(choice.stages[0]?.ids ?? []);
    const steps = stepsOf(choice, values, live);
    const views = steps.map((step) => this.#step(step, live));
    const elements = views.map(({ element }) => element);
    for (const [name, { element }] of this.#steps)
      if (!elements.includes(element)) {
        element.remove();
        this.#steps.delete(name);
      }
    let next = this.list.firstChild;
    for (const element of elements)
      if (element === next) next = next.nextSibling;
      else this.list.insertBefore(element, next);
    views.forEach((view, place) => {
      view.show(/** @type {Step} */ (steps[place]), this.names);
    });
  }

  /** @param {Step} step @param {boolean} live */
  #step({ name }, live) {
    const moved = (/** @type {number} */ value, /** @type {boolean} */ rest) => this.#move(name, value, rest);
    const slider = live && slides(name) ? new Slider(name, Number(this.values[name]), moved) : null;
    const view = this.#steps.get(name) ?? new StepView(new Stack(this.names, this.#shades), slider);
    this.#steps.set(name, view);
    return view;
  }
}

/** One step: what happened, its picture, and the slider that changes it. */
class StepView {
  /** @param {Stack} stack @param {Slider | null} slider */
  constructor(stack, slider) {
    this.stack = stack;
    this.title = h("strong", "");
    this.text = h("span", "");
    const words = h("p", "dgpt-step-words", {}, this.title, " ", this.text);
    this.element = h("li", "dgpt-step", {}, words, ...(slider ? [slider.input] : []), stack.element);
  }

  /** @param {Step} step @param {Names} names */
  show({ name, title, text, segments, draw, hit }, names) {
    this.element.dataset.stage = name;
    this.title.textContent = title;
    this.text.replaceChildren(text, ...(hit === undefined ? [] : [" ", names.tell(hit), "."]));
    this.stack.show(segments, { draw: draw ?? null, ...(hit === undefined ? {} : { hit }) });
  }
}
