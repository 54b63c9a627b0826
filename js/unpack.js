/** @import { Buffer } from "./protocol.js" */
/** @import { State } from "./state.js" */
/** @import { View } from "./view.js" */

/**
 * @typedef {object} Part a part of the page that comes when there is something for it
 * @property {(state: State, live: boolean) => void} update
 * @property {(content: unknown, buffers: Buffer[]) => void} receive a message that is no answer
 * @property {() => void} dispose
 */

/** @type {Map<string, Promise<((view: View) => any) | null>>} */
const loaded = new Map();

/**
 * The code of a part, as the kernel sends it; null where the page does not let it run.
 *
 * @param {string} code an ES module, deflated, in base64; its default export has `attach`
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

/** @param {string} code @returns {Promise<(view: View) => any>} */
async function run(code) {
  const folded = new Blob([Uint8Array.from(atob(code), (char) => char.charCodeAt(0))]).stream();
  const source = await new Response(folded.pipeThrough(new DecompressionStream("deflate"))).text();
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const module = await import(/* @vite-ignore */ url);
  URL.revokeObjectURL(url);
  return module.default.attach;
}
