/** @import { Model, Turn } from "../protocol.js" */
/** @import { View } from "../view.js" */
/** @import { Asked } from "./card/how.js" */
/** @import { Names } from "./tokens/names.js" */

/**
 * What a card asks the kernel about a token.
 *
 * @param {View} view
 * @param {Names} names learn what the answers mention
 * @param {{turn: number, index: number}} place
 * @param {{able: boolean, forked: () => void}} hooks whether the model is there that chose it; told once it is forked
 * @returns {Asked}
 */
export function askingOf({ requests, transcript }, names, place, { able, forked }) {
  const explain = async (/** @type {Record<string, number>} */ values) => {
    const answer = await requests.request("explain", { ...place, values });
    names.learn(Object.entries(answer.pieces ?? {}).map(([id, piece]) => [Number(id), piece]));
    return /** @type {any} */ (answer);
  };
  return {
    explain: able ? explain : null,
    ranked: async () => {
      const { places } = await requests.request("ranked", { ...place, first: 1, count: 200 });
      names.learn(places.map((/** @type {any} */ one) => [one.token, one.piece]));
      return places;
    },
    fork: async (token) => {
      try {
        await transcript.hooks.ask("fork", { ...place, token });
        forked();
      } catch (error) {
        transcript.hooks.complain(/** @type {Error} */ (error).message);
      }
    },
  };
}

/** The settings that a reply was made with. @param {Pick<Model, "get">} model @param {Turn} turn @returns {any} */
export function valuesOf(model, turn) {
  const schema = /** @type {{name: string, default: unknown, usual?: unknown}[]} */ (
    model.get("settings_schema") ?? []
  );
  const defaults = Object.fromEntries(schema.map((one) => [one.name, one.usual ?? one.default]));
  return { temperature: 1, top_k: 40, top_p: 0.9, min_p: 0, ...defaults, ...turn.made?.settings };
}
