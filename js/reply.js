/** @import { Frame, Snapshot } from "./wire.js" */

/** What is still being said: a reply, or several side by side. */
export class Reply {
  text = "";

  /** @param {number} turn the id that it will have, or that the list of its drafts will @param {number} drafts */
  constructor(turn, drafts) {
    this.turn = turn;
    /** @type {string[]} the replies of a list; none for a reply alone */
    this.drafts = Array(drafts).fill("");
  }

  /** @param {Frame} frame the next one */
  fold({ text, at, more = [] }) {
    this.text = this.text.slice(0, at ?? undefined) + text;
    for (const [place, words] of more) this.drafts[place] = (this.drafts[place] ?? "") + words;
  }

  /** @param {Snapshot} snapshot */
  take({ text, drafts = [] }) {
    this.text = text;
    this.drafts = drafts;
  }
}

/** Whether anything has been said. @param {Snapshot} snapshot */
export const begun = ({ text, drafts = [] }) => text !== "" || drafts.some(Boolean);
