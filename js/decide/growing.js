import { h } from "../chat/dom.js";

/** @import { Transcript } from "../chat/transcript.js" */
/** @import { TurnView } from "../chat/turn.js" */
/** @import { State } from "../state.js" */

/** Replies that are being made side by side, each a line, in the place of the one that will be chosen. */
export class Growing {
  /** @type {TurnView | null} where they stand */
  #view = null;
  #begun = false;
  /** @type {Text[]} */
  #lines = [];

  /** @param {Transcript} transcript */
  constructor(transcript) {
    this.transcript = transcript;
    this.list = h("ol", "dgpt-drafts", { "aria-label": "Replies being made", tabindex: "0" });
    this.detail = h("p", "dgpt-small");
    this.element = h("div", "dgpt-growing", {}, this.list, this.detail);
  }

  /** @param {State} state */
  update({ answer, status }) {
    const view = (answer && this.transcript.views.get(answer.turn)) ?? null;
    const drafts = answer?.drafts ?? [];
    const begun = drafts.some(Boolean);
    this.detail.textContent = status.detail;
    const shown = view && (begun || status.detail) ? view : null;
    if (shown !== this.#view || begun !== this.#begun) this.#move(shown, begun);
    if (shown) this.#write(drafts);
  }

  /** @param {TurnView | null} view @param {boolean} begun */
  #move(view, begun) {
    if (view !== this.#view) {
      this.element.remove();
      this.list.replaceChildren();
      this.#lines = [];
    }
    this.#view = view;
    this.#begun = begun;
    this.list.hidden = !begun;
    view?.put(this.element, begun);
  }

  /** @param {string[]} drafts */
  #write(drafts) {
    drafts.forEach((text, place) => {
      const line = this.#lines[place] ?? this.#add(place);
      if (line.data !== text) line.data = text;
    });
  }

  /** @param {number} place */
  #add(place) {
    const line = document.createTextNode("");
    const number = h("span", "dgpt-place", {}, String(place + 1));
    this.list.append(h("li", "", {}, number, h("span", "dgpt-draft-text", { dir: "auto" }, line)));
    this.#lines[place] = line;
    return line;
  }
}
