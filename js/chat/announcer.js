import { h } from "./dom.js";

/** @import { State } from "../state.js" */

/** Tells a screen reader that a reply has begun, and once what it was. */
export class Announcer {
  /** @type {number | null} */
  #running = null;

  constructor() {
    this.element = h("div", "dgpt-hidden", { role: "status" });
  }

  /** @param {string} text */
  say(text) {
    this.element.textContent = text;
  }

  /** @param {State} state */
  update(state) {
    const running = state.reply?.turn ?? null;
    const ended = this.#running;
    if (running === ended) return;
    this.#running = running;
    if (running !== null) this.say("generating");
    else if (ended !== null) this.say(state.turns.get(ended)?.text ?? "stopped");
  }
}
