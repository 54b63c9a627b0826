/** @import { Turn } from "../protocol.js" */

import { button, focus, h, onClick } from "../ui/dom.js";
import { composing } from "../ui/textarea.js";

/**
 * Where texts first part, as the three parts of each: what all have, the first word that not all have, the rest.
 *
 * @param {string[]} texts
 * @returns {[string, string, string][] | null} null if they are the same
 */
export function parting(texts) {
  const [first = "", ...others] = texts;
  if (others.every((other) => other === first)) return null;
  let same = 0;
  while (same < first.length && others.every((other) => other[same] === first[same])) same++;
  while (same > 0 && texts.every((text) => inWord(text, same))) same--;
  return texts.map((text) => parts(text, same));
}

/** Whether a place is inside a word, or inside a character. @param {string} text @param {number} place */
function inWord(text, place) {
  return /\S/.test(text[place - 1] ?? " ") && (place === text.length || /\S/.test(text[place] ?? ""));
}

/** @param {string} text @param {number} place @returns {[string, string, string]} */
function parts(text, place) {
  const [, space = "", word = ""] = text.slice(place).match(/^(\s*)(\S*)/) ?? [];
  const start = place + space.length;
  return [text.slice(0, start), word, text.slice(start + word.length)];
}

/**
 * A text with the place marked where it parts from others.
 *
 * @param {[string, string | null, string]} parts before, what differs, the rest; null where nothing does
 */
export function marked([before, apart, rest]) {
  return [before, ...(apart === null ? [] : [h("mark", "", {}, apart || "ends here")]), rest];
}

/** @param {number} place @param {boolean} shown */
const label = (place, shown) => `Version ${place + 1}${shown ? ", shown" : ""}`;

/** Two versions of a turn side by side, and the word where they first differ. */
export class Compare {
  /**
   * @param {Turn[]} versions
   * @param {number} shown the place of the one on the page
   * @param {{choose: (turn: Turn) => void, close: () => void}} hooks
   */
  constructor(versions, shown, hooks) {
    this.versions = versions;
    this.hooks = hooks;
    const right = Math.max(1, shown);
    this.left = this.#side("Left version", right - 1, shown);
    this.right = this.#side("Right version", right, shown);
    this.same = h("p", "dgpt-small", { "aria-live": "polite" });
    const close = button("Close", "dgpt-plain");
    onClick(close, hooks.close);
    this.element = h(
      "div",
      "dgpt-compare",
      { role: "group", "aria-label": "Compare versions" },
      h("div", "dgpt-sides", {}, this.left.element, this.right.element),
      h("div", "dgpt-row", {}, this.same, close),
    );
    this.element.addEventListener("change", () => this.#show());
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || composing(event)) return;
      event.preventDefault();
      hooks.close();
    });
    this.#show();
  }

  focus() {
    focus(this.left.choice);
  }

  /** @param {string} name @param {number} place @param {number} shown */
  #side(name, place, shown) {
    const options = this.versions.map((_, at) =>
      h("option", "", { value: String(at) }, label(at, at === shown)),
    );
    const choice = h("select", "dgpt-button dgpt-plain", { "aria-label": name }, ...options);
    choice.value = String(place);
    const text = h("div", "dgpt-text", { dir: "auto" });
    const go = button("Go on with this one", "dgpt-plain");
    onClick(go, () => this.hooks.choose(this.#of(choice)));
    return { choice, text, element: h("div", "dgpt-side", {}, choice, text, go) };
  }

  /** @param {HTMLSelectElement} choice */
  #of(choice) {
    return /** @type {Turn} */ (this.versions[Number(choice.value)]);
  }

  #show() {
    const sides = [this.left, this.right];
    const texts = sides.map((side) => this.#of(side.choice).text);
    const parts = parting(texts);
    this.same.textContent = parts ? "" : "These two say the same.";
    sides.forEach((side, place) => {
      side.text.replaceChildren(...marked(parts?.[place] ?? [texts[place] ?? "", null, ""]));
    });
  }
}
