/** @import { State } from "./state.js" */
/** @import { View } from "./view.js" */
/** @import { Buffer } from "./wire.js" */

/**
 * @typedef {object} Inspector what shows the tokens of a chat
 * @property {(state: State, live: boolean) => void} update
 * @property {(content: unknown, buffers: Buffer[]) => void} receive
 * @property {(turn: number | null) => number | null} place of the token that is open in a turn
 * @property {() => void} dispose
 * @typedef {(view: View) => Inspector} Attach
 */

/** @type {Map<string, Promise<Attach | null>>} */
const loaded = new Map();

/**
 * The code that shows tokens, as the kernel sends it; null where the page does not let it run.
 *
 * @param {string} code an ES module, deflated, in base64
 */
export function load(code) {
  let attach = loaded.get(code);
  if (!attach) {
    attach = run(code).catch((error) => {
      console.warn(error);
      return null;
    });
    loaded.set(code, attach);
  }
  return attach;
}

/** @param {string} code @returns {Promise<Attach>} */
async function run(code) {
  const folded = new Blob([Uint8Array.from(atob(code), (char) => char.charCodeAt(0))]).stream();
  const source = await new Response(folded.pipeThrough(new DecompressionStream("deflate"))).text();
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const module = await import(/* @vite-ignore */ url);
  URL.revokeObjectURL(url);
  return module.default.attach;
}
