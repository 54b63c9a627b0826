/** @import { Answer, Buffer, Choice, Model, Op } from "../protocol.js" */

import { button, choiceRow, h, onClick } from "../ui/dom.js";

const MOST_BYTES = 10_000_000; // that a notebook's connection takes in one message
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
const sizeOf = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

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

export const DOWN = "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10";

/** Takes a conversation out of the notebook, and back in. */
export class KeepPanel {
  title = "Keep";
  /** @type {Choice[] | null} */
  #formats = null;

  /**
   * @param {Pick<Model, "get">} model
   * @param {(op: Op, args: Record<string, unknown>, buffers?: Buffer[]) => Promise<Answer>} ask
   */
  constructor(model, ask) {
    this.model = model;
    this.ask = ask;
    this.path = button("This path", "dgpt-plain dgpt-starter");
    this.all = button("All branches", "dgpt-plain dgpt-starter");
    this.formats = h("div", "dgpt-choices");
    this.said = h("p", "", { role: "status" });
    this.picker = h("input", "", { type: "file", accept: ".json,.jsonl", "aria-label": "File to open" });
    this.picker.hidden = true;
    const open = button("Open a file…", "dgpt-plain");
    const drop = h("span", "dgpt-small", {}, "or drop it onto the chat");
    this.opening = h("div", "dgpt-row", {}, open, drop, this.picker);
    this.element = h(
      "div",
      "dgpt-group",
      {},
      this.said,
      h("h3", "", {}, "Download"),
      h("div", "dgpt-row", { role: "group", "aria-label": "What to download" }, this.path, this.all),
      this.formats,
      h("h3", "", {}, "Open"),
      h("p", "dgpt-small", {}, "A saved conversation, or messages as JSON. What is here stays, as a branch."),
      this.opening,
    );
    this.#choose(false);
    onClick(this.path, () => this.#choose(false));
    onClick(this.all, () => this.#choose(true));
    onClick(open, () => this.picker.click());
    this.picker.addEventListener("change", () => this.#picked());
    onClick(this.formats, (event) => {
      const format = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.name;
      if (format) this.#tell(this.formats, "Preparing…", () => this.#download(format));
    });
  }

  update() {
    const formats = this.model.get("formats") ?? [];
    if (formats === this.#formats) return;
    this.#formats = formats;
    this.formats.replaceChildren(...formats.map((/** @type {Choice} */ format) => choiceRow(format, DOWN)));
  }

  /** Takes over what a file holds. @param {File} file */
  open(file) {
    return this.#tell(this.opening, `Opening ${file.name}…`, () => this.#import(file));
  }

  /** @param {boolean} branches */
  #choose(branches) {
    this.branches = branches;
    this.path.setAttribute("aria-pressed", String(!branches));
    this.all.setAttribute("aria-pressed", String(branches));
  }

  #picked() {
    const file = this.picker.files?.[0];
    if (file) this.open(file);
    this.picker.value = ""; // so that the same file can be chosen again
  }

  /** @param {string} format */
  async #download(format) {
    const { name, type, buffers } = await this.ask("export", { format, branches: this.branches });
    download(name, type, buffers);
    const bytes = buffers.reduce(
      (/** @type {number} */ sum, /** @type {Buffer} */ one) => sum + one.byteLength,
      0,
    );
    return `Saved as ${name}, ${sizeOf(bytes)}.`;
  }

  /** @param {File} file */
  async #import(file) {
    if (file.size > MOST_BYTES)
      throw new Error(
        `It has ${sizeOf(file.size)}; at most ${sizeOf(MOST_BYTES)} fit through a page. From code: ChatWidget.load(…).`,
      );
    const { turns } = await this.ask("import", { name: file.name }, [await file.arrayBuffer()]);
    if (turns === 0) return `There are no turns in ${file.name}.`;
    return `${turns === 1 ? "A turn" : `${turns} turns`} from ${file.name}, as a branch of their own.`;
  }

  /** @param {HTMLElement} place after which it is told @param {string} doing @param {() => Promise<string>} act */
  async #tell(place, doing, act) {
    place.after(this.said);
    this.said.textContent = doing;
    this.said.className = "";
    this.said.textContent = await act().catch((error) => {
      this.said.className = "dgpt-grave";
      return error.message;
    });
    this.said.scrollIntoView?.({ block: "nearest" });
  }
}
