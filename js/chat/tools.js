/** @import { State } from "../state.js" */
/** @import { Head } from "./head.js" */

/** What can be done with the whole chat, at its head. */
export class Tools {
  /** @param {Head} head @param {{clear: () => void, undo: () => void, find: () => void}} hooks */
  constructor(head, hooks) {
    this.clear = head.add("New chat", "M8 3v10M3 8h10", hooks.clear);
    this.undo = head.add("Undo", "M5.5 2.5 2.5 5.5l3 3M3 5.5h6.2a3.8 3.8 0 0 1 0 7.6H6", hooks.undo);
    this.find = head.add("Find", "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4 14 14", hooks.find);
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    const blank = state.path.length === 0 && !state.answer;
    this.clear.hidden = !live || blank;
    this.undo.hidden = !live || (blank && !state.reply); // a blank page says where the chat is, with a way back
    this.undo.setAttribute("aria-disabled", String(!state.canUndo));
    this.find.hidden = blank;
  }
}
