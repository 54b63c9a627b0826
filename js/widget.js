/** @import { Model } from "./protocol.js" */

import { View } from "./view.js";

/**
 * @param {{model: Model, el: HTMLElement, signal?: AbortSignal}} host
 * @returns {() => void} takes the view off the page
 */
function render({ model, el, signal }) {
  const view = new View(model, el);
  const dispose = () => view.dispose();
  signal?.addEventListener("abort", dispose, { once: true });
  return dispose;
}

export default { render };
