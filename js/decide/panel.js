/** @import { NBest } from "../protocol.js" */
/** @import { State } from "../state.js" */
/** @import { Decider } from "./decider.js" */

import { focus, h } from "../ui/dom.js";
import { Beside } from "./beside.js";
import { Sides } from "./comparison-form.js";
import { scorersOf, shortened } from "./format.js";
import { Rules } from "./rules.js";
import { Table } from "./table.js";

const KINDS = { sampled: "replies", beam: "beams", compared: "side by side" };

/** The lists of replies along the selected path, the newest first: one of them is unfolded. */
class Lists {
  /** The one that is unfolded. @type {number | null} */
  shown = null;
  /** @type {Map<number, Entry>} */
  #entries = new Map();
  /** @type {number | null} */
  #newest = null;

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    this.empty = h("p", "dgpt-small");
    this.lists = h("div", "dgpt-lists");
    this.refusal = h("p", "dgpt-grave", { role: "alert" });
    this.element = h("div", "", {}, this.empty, this.refusal, this.lists);
  }

  /** @param {State} state */
  update(state) {
    const lists = along(state);
    const newest = lists[0]?.id ?? null;
    const known = lists.some(({ id }) => id === this.shown);
    if (newest !== this.#newest || (this.shown !== null && !known)) this.shown = newest;
    this.#newest = newest;
    this.empty.textContent = lists.length
      ? ""
      : "No reply was chosen among several yet. In the settings, under Several replies, say how many are made.";
    const old = this.#entries;
    this.#entries = new Map();
    for (const list of lists) {
      const entry = old.get(list.id) ?? new Entry(list.id, (open) => this.#toggle(list.id, open));
      this.#entries.set(list.id, entry);
      entry.name(list, state.turns.get(list.parent)?.text ?? "");
    }
    const elements = [...this.#entries.values()].map(({ element }) => element);
    if (elements.some((one, place) => one !== this.lists.children[place]))
      this.lists.replaceChildren(...elements);
    else while (this.lists.children.length > elements.length) this.lists.lastChild?.remove();
    this.#fill();
  }

  /** Unfolds a list, and goes there. @param {number} id */
  open(id) {
    this.#toggle(id, true);
    const summary = this.#entries.get(id)?.summary;
    focus(summary);
    summary?.scrollIntoView?.({ block: "nearest" });
  }

  /** @param {number} id @param {boolean} open */
  #toggle(id, open) {
    if (open === (id === this.shown)) return;
    this.shown = open ? id : null;
    this.#fill();
    this.decider.panel.rules.update();
  }

  #fill() {
    for (const [id, entry] of this.#entries) {
      const list = this.decider.view.state.nbests.get(id);
      if (list) entry.show(list, id === this.shown, (place) => this.#pick(list, place), this.decider);
    }
  }

  /** @param {NBest} list @param {number} place */
  async #pick(list, place) {
    this.refusal.textContent = await this.decider.pick(list, place);
  }
}

/** One list with its heading. */
class Entry {
  /** @type {NBest | null} what is unfolded */
  #list = null;
  /** @type {Table | Beside | null} */
  #content = null;
  #asked = "";

  /** @param {number} id @param {(open: boolean) => void} toggled */
  constructor(id, toggled) {
    this.asked = h("span", "dgpt-question", { dir: "auto" });
    this.how = h("span", "dgpt-small");
    this.summary = h("summary", "", {}, this.asked, this.how);
    this.element = h("details", "dgpt-section", { "data-nbest": String(id) }, this.summary);
    this.element.addEventListener("toggle", () => toggled(this.element.open));
  }

  /** @param {NBest} list @param {string} question */
  name(list, question) {
    this.#asked = shortened(question);
    this.asked.textContent = this.#asked;
    this.how.textContent = `${list.candidates.length} ${KINDS[list.kind]}${scorersOf(list)}`;
  }

  /** @param {NBest} list @param {boolean} open @param {(place: number) => void} pick @param {Decider} decider */
  show(list, open, pick, decider) {
    if (this.element.open !== open) this.element.open = open;
    if (!open) return;
    if (list !== this.#list) {
      this.#list = list;
      this.#content?.element.remove();
      const hooks = { ...decider.hooks, pick };
      this.#content =
        list.kind === "compared" ? new Beside(list, hooks, false) : new Table(list, this.#asked, hooks);
      this.element.append(this.#content.element);
    }
    this.#content?.update();
  }
}

/** Those whose question is on the selected path, the newest first. @param {State} state */
function along({ path, nbests }) {
  const places = new Map(path.map(({ id }, place) => [id, place]));
  const place = (/** @type {NBest} */ { parent }) => places.get(parent) ?? -1;
  return [...nbests.values()]
    .filter((list) => place(list) >= 0)
    .sort((one, other) => place(other) - place(one) || other.id - one.id);
}

/** How replies are chosen: the lists that one was chosen from, by what, and other ways to answer. */
export class DecidePanel {
  title = "Decide";

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    this.lists = new Lists(decider);
    this.rules = new Rules(decider);
    this.sides = new Sides(decider);
    this.choosing = section("How to choose", this.rules.element);
    this.asking = section("Side by side", this.sides.element);
    this.element = h("div", "dgpt-decide", {}, this.lists.element, this.choosing, this.asking);
  }

  update() {
    const { view } = this.decider;
    this.lists.update(view.state);
    this.choosing.hidden = this.asking.hidden = !view.able;
    if (!view.able) return;
    this.rules.update();
    this.sides.update();
  }
}

/** @param {string} title @param {HTMLElement} content */
const section = (title, content) =>
  h("details", "dgpt-section", {}, h("summary", "", {}, h("h3", "", {}, title)), content);
