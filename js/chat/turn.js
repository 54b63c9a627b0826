import { TurnActions } from "./actions.js";
import { h } from "./dom.js";

/** @import { Role, Stop } from "../wire.js" */

/** @type {Partial<Record<Stop, string>>} */
const ENDED = {
  length: "reached the length limit",
  user: "stopped",
  error: "interrupted by an error",
};

/** One turn on the page. The text is one text node, to which a running reply appends. */
export class TurnView {
  /** @param {number} id @param {Role} role @param {string} speaker */
  constructor(id, role, speaker) {
    this.role = role;
    this.node = document.createTextNode("");
    this.text = h("div", "dgpt-text", { dir: "auto" }, this.node);
    this.actions = new TurnActions();
    this.actions.offer(["copy"]);
    this.foot = h("div", "dgpt-turn-foot", {}, this.actions.element);
    this.element = h(
      "article",
      `dgpt-turn dgpt-${role}`,
      { "data-role": role, "data-turn": String(id), "aria-label": role === "user" ? "You" : speaker },
      this.text,
      this.foot,
    );
    /** @type {HTMLElement | null} */
    this.note = null;
  }

  /** @param {string} text */
  say(text) {
    const shown = this.node.data;
    if (text === shown) return;
    if (shown && text.startsWith(shown)) this.node.appendData(text.slice(shown.length));
    else this.node.data = text;
  }

  /** @param {boolean} running @param {Stop | null} stop */
  settle(running, stop) {
    const state = running ? (this.node.data ? "saying" : "thinking") : "";
    if (this.element.dataset.state !== state) this.element.dataset.state = state;
    const ended = (!running && stop && ENDED[stop]) || "";
    if (!ended && !this.note) return;
    if (!this.note) {
      this.note = h("span", "dgpt-note");
      this.foot.prepend(this.note);
    }
    this.note.textContent = ended;
  }
}
