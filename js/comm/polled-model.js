/** @import { Model } from "../protocol.js" */

/**
 * The host's model, and over it what polls have brought: a key's value from a poll holds until the host's own model
 * reports a change of that key. On a host that loses nothing this is the host's model and no more.
 *
 * @implements {Model}
 */
export class PolledModel {
  /** @type {Map<string, {value: unknown, under: unknown}>} each with the host's value that it stands over */
  #over = new Map();
  /** @type {Set<(...args: any[]) => void>} */
  #changed = new Set();

  /** @param {Model} host */
  constructor(host) {
    this.host = host;
  }

  /** Whether the host's model is known to have missed something. */
  get behind() {
    for (const key of this.#over.keys()) this.get(key); // lets go of what the host has caught up with
    return this.#over.size > 0;
  }

  get widget_manager() {
    return this.host.widget_manager;
  }

  /** @param {string} key @returns {any} */
  get(key) {
    const own = this.host.get(key);
    const over = this.#over.get(key);
    if (!over) return own;
    if (own === over.under) return over.value;
    this.#over.delete(key);
    return own;
  }

  /** @param {string} event @param {(...args: any[]) => void} callback */
  on(event, callback) {
    if (event === "change") this.#changed.add(callback);
    this.host.on(event, callback);
  }

  /** @param {string} event @param {(...args: any[]) => void} callback */
  off(event, callback) {
    if (event === "change") this.#changed.delete(callback);
    this.host.off(event, callback);
  }

  /** @type {Model["send"]} */
  send(content, callbacks, buffers) {
    this.host.send(content, callbacks, buffers);
  }

  /**
   * Takes over what a poll brought.
   *
   * @param {Record<string, unknown>} state
   * @returns {boolean} whether it was news
   */
  take(state) {
    const news = Object.entries(state).filter(([key, value]) => !same(this.get(key), value));
    for (const [key, value] of news) {
      const under = this.host.get(key);
      if (same(under, value)) this.#over.delete(key);
      else this.#over.set(key, { value, under });
    }
    if (news.length > 0) for (const callback of [...this.#changed]) callback();
    return news.length > 0;
  }
}

/** @param {unknown} one @param {unknown} other both as JSON @returns {boolean} */
function same(one, other) {
  return one === other || JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
