/** @import { State } from "../state.js" */

import { h } from "./dom.js";

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
    else if (ended !== null) this.say(outcome(state, ended));
  }
}

/** What came of a reply, or of a list of them. @param {State} state @param {number} id */
function outcome({ turns, nbests }, id) {
  const turn = turns.get(id) ?? [...turns.values()].find(({ made }) => made?.nbest === id);
  const list = nbests.get(id);
  return turn?.text ?? (list ? `${list.candidates.length} replies to choose from` : "stopped");
}
