import { focus } from "./dom.js";

/**
 * Puts text on the clipboard, also on plain http, where only the old command works.
 *
 * @param {string} text
 * @param {HTMLElement} near an element of the view, so that the fallback stays in its root
 * @returns {Promise<boolean>}
 */
export async function copyText(text, near) {
  try {
    if (globalThis.isSecureContext && navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // a frame without the permission: the old command still works there
  }
  return copyByCommand(text, near);
}

/** @param {string} text @param {HTMLElement} near */
function copyByCommand(text, near) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "dgpt-hidden";
  const root = /** @type {Document | ShadowRoot} */ (near.getRootNode());
  const focused = /** @type {HTMLElement | null} */ (root.activeElement);
  near.append(area);
  focus(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
    focus(focused);
  }
}
