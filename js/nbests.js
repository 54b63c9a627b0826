import { NBEST_KEY } from "./wire.js";

/** @import { Model, NBest } from "./wire.js" */

/**
 * Takes in the lists of replies that are new or were ranked again, and lets go of those that were forgotten.
 *
 * @param {Map<number, NBest>} known
 * @param {Pick<Model, "get">} model
 * @param {number} end of the ids
 */
export function gather(known, model, end) {
  for (let id = 0; id < end; id++) {
    const list = model.get(NBEST_KEY + id);
    if (list) known.set(id, list);
    else known.delete(id);
  }
}
