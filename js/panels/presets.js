/** @import { Preset, Setting } from "../wire.js" */
/** @import { Value } from "./scale.js" */

/** @typedef {Record<string, Value>} Values */

const KEPT = ["length", "candidates"]; // groups of settings that no preset changes

/** @param {Setting[]} schema @returns {Values} */
export const defaults = (schema) =>
  Object.fromEntries(schema.map((setting) => [setting.name, setting.default]));

/** What a preset sets: what it does not name goes back to its default, but for the groups that are kept and the seed.
 * @param {Preset} preset @param {Setting[]} schema @returns {Values} */
export function valuesOf(preset, schema) {
  const own = schema.filter(({ name, group }) => !KEPT.includes(group) && name !== "seed");
  return { ...defaults(own), .../** @type {Values} */ (preset.values) };
}
