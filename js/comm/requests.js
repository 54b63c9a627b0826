/** @import { Answer, Buffer, Model, Op } from "../protocol.js" */

const PATIENCE = 4000; // milliseconds before a missing answer is worth a word
const ASKED_BY_NOBODY = new Set(["mount", "sync", "poll"]); // nobody waits for these

let views = 0;

/** The questions of one view, each answered once. A late answer is waited for, never lost. */
export class Requests {
  /** @type {Map<string, {resolve: (answer: Answer) => void, reject: (error: Error) => void, timer: number}>} */
  #pending = new Map();
  #count = 0;
  #overdue = new Set();

  /**
   * @param {Model} model
   * @param {{waiting?: (waiting: boolean) => void, cut?: () => void}} [hooks] told when the kernel keeps a view
   *   waiting, and when no longer; and when nothing can be sent to it any more
   */
  constructor(model, hooks = {}) {
    this.model = model;
    this.hooks = hooks;
    this.prefix = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}-${++views}`;
  }

  /**
   * @param {Op} op
   * @param {Record<string, unknown>} [args]
   * @param {Buffer[]} [buffers] files
   * @returns {Promise<Answer>} the answer with its `buffers`; rejects with the kernel's own words
   */
  request(op, args = {}, buffers) {
    const id = `${this.prefix}.${++this.#count}`;
    return new Promise((resolve, reject) => {
      const timer = ASKED_BY_NOBODY.has(op) ? 0 : setTimeout(() => this.#late(id), PATIENCE);
      this.#pending.set(id, { resolve, reject, timer: /** @type {any} */ (timer) });
      try {
        this.model.send({ ...args, op, id }, undefined, buffers);
      } catch (error) {
        this.#settle(id)?.reject(error instanceof Error ? error : new Error(String(error)));
        this.hooks.cut?.();
      }
    });
  }

  /**
   * @param {unknown} content a custom message
   * @param {Buffer[]} [buffers] what came with it; which kind depends on the host
   * @returns {boolean} whether it was an answer to this view
   */
  receive(content, buffers = []) {
    const answer = /** @type {Answer} */ (content);
    const waiting = typeof answer?.id === "string" ? this.#settle(answer.id) : undefined;
    if (!waiting) return false;
    if (answer.ok === true) waiting.resolve({ ...answer, buffers });
    else waiting.reject(new Error(typeof answer.error === "string" ? answer.error : "The kernel refused."));
    return true;
  }

  /** Gives up on every answer. @param {string} reason */
  abandon(reason) {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new Error(reason));
  }

  /** @param {string} id */
  #settle(id) {
    const waiting = this.#pending.get(id);
    if (!waiting) return undefined;
    clearTimeout(waiting.timer);
    this.#pending.delete(id);
    if (this.#overdue.delete(id) && this.#overdue.size === 0) this.hooks.waiting?.(false);
    return waiting;
  }

  /** @param {string} id */
  #late(id) {
    this.#overdue.add(id);
    if (this.#overdue.size === 1) this.hooks.waiting?.(true);
  }
}
