import { byHand } from "./offers.js";

/** @import { Turn } from "../wire.js" */

/**
 * How a reply was made, as terms and what they are: the model, its precision, the dice, and the settings that differ
 * from the default. Nothing for a message.
 *
 * @param {Turn} turn
 * @returns {[string, string][]}
 */
export function howMade(turn) {
  if (byHand(turn)) return [["Origin", "not generated here"]];
  if (!turn.made) return [];
  const { settings, reply, precision } = turn.made;
  const { seed, ...others } = settings;
  return [
    ["Model", turn.model.split("/").at(-1) ?? turn.model],
    ["Precision", precision],
    ["Dice", `seed ${seed}, reply ${reply}`],
    ...Object.entries(others).map(([name, value]) => /** @type {[string, string]} */ ([name, String(value)])),
  ];
}
