/** @import { Op } from "./protocol.js" */
/** @import { View } from "./view.js" */

import { wellFormed } from "./protocol.js";

/** What a reader does to the chat. */
export class Verbs {
  /** @param {View} view */
  constructor(view) {
    this.view = view;
  }

  /** @param {string} text */
  async send(text) {
    await this.do("send", { text });
  }

  stop() {
    this.ask("stop");
  }

  /** Asks for what goes on at the end of the chat, and goes there.
   * @param {Op} op @param {Record<string, unknown>} args */
  async do(op, args) {
    const answer = await this.view.requests.request(op, args);
    if (answer.item !== undefined) this.view.transcript.follower.follow();
    return answer;
  }

  /** Goes to a version of a turn, also without a kernel. @param {number} turn @returns whether it could */
  async select(turn) {
    if (this.view.able) return Boolean(await this.ask("select", { turn }));
    this.view.state.select(turn);
    return true;
  }

  async clear() {
    await this.ask("clear");
    this.view.composer.focus();
  }

  async undo() {
    this.#restore((await this.ask("undo"))?.text);
  }

  /** Puts a message that was taken back into an empty composer. @param {string} [text] */
  #restore(text) {
    if (text && !this.view.composer.draft) this.view.composer.draft = text;
  }

  /** @param {string} text a starter */
  async begin(text) {
    if (this.view.start.element.inert) return;
    this.view.start.element.inert = true;
    this.view.composer.focus();
    await this.send(wellFormed(text)).catch((error) => this.view.composer.say(error.message));
    this.view.start.element.inert = false;
  }

  /** @param {string} item */
  async withdraw(item) {
    const { kind, turn } = this.view.state.queue.find(({ id }) => id === item) ?? {};
    this.view.composer.focus();
    const answer = await this.ask("withdraw", { item });
    if (typeof answer?.text !== "string") return;
    if (kind === "edit" && typeof turn === "number") this.view.transcript.edit(turn, answer.text);
    else this.#restore(answer.text);
  }

  /**
   * @param {Op} op
   * @param {Record<string, unknown>} [args]
   */
  ask(op, args) {
    return this.view.requests.request(op, args).catch((error) => {
      this.view.composer.say(error.message);
      return undefined;
    });
  }
}
