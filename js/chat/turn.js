/** @import { Role, Stop, Turn } from "../protocol.js" */
/** @import { Act } from "./actions.js" */

import { focus, h, sign } from "../ui/dom.js";
import { byHand, TurnActions } from "./actions.js";

const BACK = "M9.5 4.5 6 8l3.5 3.5";
const FORTH = "M6.5 4.5 10 8l-3.5 3.5";

/** Which of its versions a turn is, between the buttons that go to its neighbours. */
class Versions {
  constructor() {
    this.back = step("Previous version", BACK, "-1");
    this.forth = step("Next version", FORTH, "1");
    this.place = h("span", "");
    this.element = h(
      "div",
      "dgpt-versions",
      { role: "group", "aria-label": "Versions" },
      this.back,
      this.place,
      this.forth,
    );
  }

  /** @param {number} place from 1 @param {number} count */
  show(place, count) {
    this.place.textContent = `${place} / ${count}`;
    this.back.setAttribute("aria-disabled", String(place === 1));
    this.forth.setAttribute("aria-disabled", String(place === count));
  }

  /** @param {boolean} entry whether the Tab key stops here */
  enter(entry) {
    this.back.tabIndex = this.forth.tabIndex = entry ? 0 : -1;
  }
}

/** @param {string} title @param {string} path @param {string} by */
function step(title, path, by) {
  const attributes = { type: "button", title, tabindex: "-1", "data-step": by };
  return sign(attributes, path);
}

/**
 * How far an event in a turn asks to go through its versions: a click on a button, an arrow key in the group.
 *
 * @param {Event} event
 * @returns {number} 0 for not at all
 */
export function versionStep(event) {
  const at = /** @type {Element} */ (event.target);
  if (event.type === "click") return Number(at.closest("[data-step]")?.getAttribute("data-step") ?? 0);
  const key = /** @type {KeyboardEvent} */ (event).key;
  if (!at.closest("[data-step]")) return 0;
  return { ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0;
}

/** @type {Partial<Record<Stop, string>>} */
const ENDED = {
  length: "reached the length limit",
  user: "stopped",
  error: "interrupted by an error",
};

/**
 * One turn on the page. The text is one text node, to which a running reply appends. What is beneath it is there only
 * while the turn is near what the reader sees.
 */
export class TurnView {
  #near = false;
  #entry = false;
  /** @type {readonly Act[]} */
  #acts = [];
  #offered = "";
  #place = 1;
  #count = 1;
  /** @type {Turn | null} */
  #settled = null;
  /** @type {TurnActions | null} */
  #actions = null;
  /** @type {Versions | null} */
  #versions = null;
  /** @type {HTMLElement | null} */
  #note = null;
  /** @type {HTMLElement | null} what stands in the turn for a while: an editor, a question, a comparison */
  #inset = null;

  /** @param {number} id @param {number | null} parent @param {Role} role @param {string} speaker */
  constructor(id, parent, role, speaker) {
    this.id = id;
    this.parent = parent;
    this.node = document.createTextNode("");
    this.text = h("div", "dgpt-text", { dir: "auto" }, this.node);
    this.foot = h("div", "dgpt-turn-foot");
    this.element = h(
      "article",
      `dgpt-turn dgpt-${role}`,
      {
        tabindex: "-1",
        "data-role": role,
        "data-turn": String(id),
        "aria-label": role === "user" ? "You" : speaker,
      },
      this.text,
      this.foot,
    );
  }

  get actions() {
    return this.#actions;
  }

  /** @param {string} text */
  say(text) {
    const shown = this.node.data;
    if (text === shown) return;
    if (shown && text.startsWith(shown)) this.node.appendData(text.slice(shown.length));
    else this.node.data = text;
  }

  /** Where a place in the text is on the page. @param {number} offset @returns {[Node, number]} */
  at(offset) {
    const texts = document.createTreeWalker(this.text, NodeFilter.SHOW_TEXT);
    let left = offset;
    let node = texts.nextNode();
    for (let next = node; next; next = texts.nextNode()) {
      node = next;
      const { length } = /** @type {Text} */ (node);
      if (left <= length) return [node, left];
      left -= length;
    }
    return [node ?? this.text, /** @type {Text | null} */ (node)?.length ?? 0];
  }

  /** The reply is being said. */
  run() {
    const state = this.node.data ? "saying" : "thinking";
    if (this.element.dataset.state !== state) this.element.dataset.state = state;
  }

  /** @param {Turn} turn what is said for good */
  settle(turn) {
    if (turn === this.#settled) return;
    this.#settled = turn;
    this.say(turn.text);
    delete this.element.dataset.state;
    const words = [byHand(turn) ? "not generated here" : "", (turn.stop && ENDED[turn.stop]) || ""];
    const note = words.filter(Boolean).join(", ");
    if (!note) return;
    this.#note ??= h("span", "dgpt-note");
    this.#note.textContent = note;
    this.foot.prepend(this.#note);
  }

  /**
   * @param {readonly Act[]} acts
   * @param {number} place among its versions, from 1
   * @param {number} count of its versions
   */
  offer(acts, place, count) {
    const offered = `${acts} ${place} ${count}`;
    if (offered === this.#offered) return;
    this.#offered = offered;
    this.#acts = acts;
    this.#place = place;
    this.#count = count;
    this.#furnish();
  }

  /** @param {boolean} near whether the turn is near what the reader sees */
  see(near) {
    if (near === this.#near || (!near && this.foot.querySelector(":focus"))) return;
    this.#near = near;
    this.#furnish();
  }

  /** @param {boolean} entry whether the Tab key stops at this turn */
  enter(entry) {
    this.#entry = entry;
    this.element.tabIndex = entry ? 0 : -1;
    this.#actions?.enter(entry);
    this.#versions?.enter(entry);
  }

  /**
   * Puts something in the turn, after its text or instead of it, and takes its actions away meanwhile.
   *
   * @param {HTMLElement | null} inset null for the turn as it was
   * @param {boolean} [instead]
   */
  put(inset, instead = false) {
    this.#inset?.remove();
    this.#inset = inset;
    this.text.hidden = instead && inset !== null;
    this.foot.hidden = inset !== null;
    if (inset) this.foot.before(inset);
    this.element.toggleAttribute("data-inset", inset !== null);
  }

  /** Focuses a button, or the turn for want of it. @param {string} name of an act, or of a step through the versions */
  focus(name) {
    const found = this.foot.querySelector(`[data-act="${name}"], [data-step="${name}"]`);
    const to = /** @type {HTMLElement} */ (found ?? this.element);
    focus(to);
  }

  #furnish() {
    const acts = this.#near ? this.#acts : [];
    const several = this.#near && this.#count > 1;
    if (!several) {
      this.#versions?.element.remove();
      this.#versions = null;
    } else {
      this.#versions ??= new Versions();
      this.#versions.show(this.#place, this.#count);
    }
    if (acts.length === 0) {
      this.#actions?.element.remove();
      this.#actions = null;
    } else {
      this.#actions ??= new TurnActions();
      this.#actions.offer(acts);
    }
    const { foot } = this;
    const row = this.#actions?.element ?? null;
    const versions = this.#versions?.element;
    if (row && row.parentNode !== foot) foot.append(row);
    if (versions && versions.parentNode !== foot) foot.insertBefore(versions, row);
    this.enter(this.#entry);
  }
}
