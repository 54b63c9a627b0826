/** @import { Buffer } from "./protocol.js" */
/** @import { State } from "./state.js" */
/** @import { Part } from "./unpack.js" */
/** @import { View } from "./view.js" */

import { load } from "./unpack.js";

/**
 * The place of a part that is brought in when it is wanted.
 *
 * @template {Part} P
 */
export class LazyPart {
  /** @type {P | null} */
  here = null;
  /** @type {Promise<P | null> | null} */
  #coming = null;
  #ended = false;

  /**
   * @param {View} view
   * @param {string} trait that holds its code
   * @param {() => boolean} wanted whether there is something for it
   */
  constructor(view, trait, wanted) {
    this.view = view;
    this.trait = trait;
    this.wanted = wanted;
  }

  /** Its code, or nothing where the kernel sends none. @returns {string} */
  get code() {
    return this.view.model.get(this.trait) || "";
  }

  /** Brings it in, if it is not here yet. @returns {Promise<P | null>} null where it cannot be had */
  bring() {
    if (!this.#coming && this.code) this.#coming = this.#attach();
    return this.#coming ?? Promise.resolve(null);
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    if (!this.#coming && this.wanted()) this.bring();
    this.here?.update(state, live);
  }

  /** @param {unknown} content @param {Buffer[]} buffers */
  receive(content, buffers) {
    this.here?.receive(content, buffers);
  }

  dispose() {
    this.#ended = true;
    this.here?.dispose();
  }

  async #attach() {
    const attach = await load(this.code);
    if (!attach || this.#ended) return null;
    this.here = /** @type {P} */ (attach(this.view));
    this.view.paint();
    return this.here;
  }
}
