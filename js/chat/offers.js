/** @import { Turn } from "../wire.js" */
/** @import { Act } from "./actions.js" */

/** Whether a model goes on with a reply: it was cut off, or a person wrote it. @param {Turn} turn */
const unfinished = (turn) => turn.stop !== "eos";

/** Whether a reply was written or imported. @param {Turn} turn */
export const byHand = (turn) => turn.role === "assistant" && turn.made === null;

/**
 * What can be done with a turn, in the order of its buttons.
 *
 * @param {Turn} turn
 * @param {boolean} live whether there is a kernel to do it
 * @param {boolean} unanswered whether it is a message without a reply
 * @param {boolean} several whether it has versions
 * @returns {Act[]}
 */
export function offers(turn, live, unanswered, several) {
  /** @type {Act[]} */
  const acts = ["copy"];
  if (live && (turn.role === "assistant" || unanswered)) acts.push("regenerate");
  if (live) acts.push("edit");
  if (live && turn.role === "assistant" && unfinished(turn)) acts.push("continue");
  if (live || several || turn.made) acts.push("more");
  return acts;
}
