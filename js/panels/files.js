/** @import { Buffer } from "../wire.js" */

export const MOST_BYTES = 10_000_000; // that a notebook's connection takes in one message
const MOMENT = 10_000; // milliseconds after which a browser has surely begun a download

/** Hands a file to the browser's downloads. @param {string} name @param {string} type @param {Buffer[]} content */
export function download(name, type, content) {
  const parts = /** @type {BlobPart[]} */ (content);
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), MOMENT);
}

/** @param {number} bytes */
export const sizeOf = (bytes) =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Takes files that are dropped onto an element; the page around never sees them.
 *
 * @param {HTMLElement} root marked with `data-drop` while a file is over it
 * @param {(file: File) => void} take
 * @param {() => boolean} ready whether files are taken now
 */
export function watchDrops(root, take, ready) {
  /** @param {DragEvent} event */
  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files") || !ready()) return;
    event.preventDefault();
    event.stopPropagation();
    root.toggleAttribute("data-drop", true);
  };
  root.addEventListener("dragenter", over);
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", (event) => {
    if (!root.contains(/** @type {Node | null} */ (event.relatedTarget))) root.removeAttribute("data-drop");
  });
  root.addEventListener("drop", (event) => {
    if (!root.hasAttribute("data-drop")) return;
    event.preventDefault();
    event.stopPropagation();
    root.removeAttribute("data-drop");
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
