import { valuesOf } from "./asking.js";

/** @import { Info, Model, Turn } from "../wire.js" */

const ROOM = 128; // tokens kept free for a reply, at most

/** Tokens of turns, the end of each included. @param {Turn[]} turns */
export const total = (turns) => turns.reduce((sum, { tokens }) => sum + tokens + 1, 0);

/** Tokens kept free for a reply. @param {number} longest @param {number} window */
export const roomOf = (longest, window) => Math.min(longest, ROOM, Math.floor(window / 2));

/**
 * @typedef {object} Seen what a reply saw when it was made
 * @property {Turn} reply
 * @property {Turn[] | null} turns null where it is not recorded
 * @property {Turn[]} fallen those that no longer fitted
 * @property {number} cut tokens of the first turn that did not fit
 * @property {number} window
 * @property {number} room
 */

/**
 * What an older reply of the path saw.
 *
 * @param {Pick<Model, "get">} model @param {Info} info @param {Turn[]} path @param {number | null | undefined} id
 * @returns {Seen | null} null where it is no reply of a model, or the last turn
 */
export function seenBy(model, info, path, id) {
  const place = path.findIndex((turn) => turn.id === id);
  const reply = path[place];
  if (!reply?.made || place === path.length - 1) return null;
  const { max_context = 1000, max_new_tokens = ROOM } = valuesOf(model, reply);
  const positions = reply.model === info.name ? info.positions : null;
  const window = Math.min(max_context, positions ?? max_context);
  const { first, seen } = reply.made;
  const start = path.findIndex((turn) => turn.id === first);
  const turns = start < 0 ? null : path.slice(start, place);
  return {
    reply,
    turns,
    fallen: path.slice(0, Math.max(0, start)),
    cut: turns && typeof seen === "number" ? Math.max(0, total(turns) - seen) : 0,
    window,
    room: roomOf(max_new_tokens, window),
  };
}
