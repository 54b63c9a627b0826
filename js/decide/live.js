/** @import { Transcript } from "../chat/transcript.js" */
/** @import { TurnView } from "../chat/turn.js" */
/** @import { State } from "../state.js" */
/** @import { Decider } from "./decider.js" */

import { h } from "../ui/dom.js";
import { Beside } from "./beside.js";

/** At the end of a chat, replies of which the reader has yet to choose one. */
export class Choosing {
  /** @type {Beside | null} */
  #shown = null;

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    this.element = h("div", "dgpt-choosing", {});
    decider.view.transcript.turns.element.after(this.element);
  }

  /** @param {State} state */
  update(state) {
    const list = open(state);
    if (list !== this.#shown?.list) {
      const focused = this.element.contains(document.activeElement);
      this.refusal.textContent = "";
      this.#shown = list
        ? new Beside(list, { ...this.decider.hooks, pick: (place) => this.#pick(place) }, true)
        : null;
      this.element.replaceChildren(...(this.#shown ? [this.#shown.element, this.refusal] : []));
      if (focused) this.decider.view.composer.focus();
    }
    this.#shown?.update();
  }

  dispose() {
    this.element.remove();
  }

  /** @param {number} place */
  async #pick(place) {
    if (this.#shown) this.refusal.textContent = await this.decider.pick(this.#shown.list, place);
  }
}

/** The newest comparison at the end of the path. @param {State} state */
function open({ path, nbests, answer }) {
  const end = path.at(-1)?.id;
  const lists = [...nbests.values()].filter(({ kind, parent }) => kind === "compared" && parent === end);
  return answer ? undefined : lists.sort((one, other) => one.id - other.id).at(-1);
}

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
