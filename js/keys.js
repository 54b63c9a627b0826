/** @import { View } from "./view.js" */

import { composing } from "./ui/textarea.js";

/** Heeds the keys that mean the chat as a whole. @param {View} view */
export function bindKeys(view) {
  view.root.addEventListener("keydown", (event) => press(view, event));
}

/**
 * Keys stay in the widget, so that none of them is a shortcut of the notebook, but for those with Ctrl or ⌘ that
 * mean nothing here and edit no text: they happen once more beside it, where a host hears them.
 *
 * @param {View} view @param {KeyboardEvent} event
 */
function press(view, event) {
  event.stopPropagation();
  if (event.defaultPrevented || composing(event)) return;
  const own = event.key === "Escape" ? leave(view, event.target) : search(view, event);
  const other = !own && commands(event) && /^[^acvxyz]$/i.test(event.key);
  if (own || (other && !view.host.dispatchEvent(new KeyboardEvent(event.type, event))))
    event.preventDefault();
}

/** @param {View} view @param {EventTarget | null} at @returns {boolean} whether there was something to leave */
function leave({ drawer, transcript, verbs, running, live }, at) {
  if (drawer.panels.dismiss(at)) return true;
  if (!running || !live) return transcript.unpin();
  verbs.stop();
  return true;
}

/** @param {View} view @param {KeyboardEvent} event @returns {boolean} whether it asks to find something, and there is something */
function search({ transcript }, event) {
  const asked = commands(event) && !event.shiftKey && event.key.toLowerCase() === "f";
  if (!asked || transcript.element.hidden) return false;
  transcript.find.open();
  return true;
}

/** @param {KeyboardEvent} event */
const commands = ({ ctrlKey, metaKey, altKey }) => (ctrlKey || metaKey) && !altKey;
