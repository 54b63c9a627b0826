import { byteLength, MAX_MESSAGE_BYTES } from "../protocol.js";
import { focus, h } from "./dom.js";

const MIRRORED = 4000; // characters that decide the height of the box; more never fit
const RIGHT_TO_LEFT = /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}\p{sc=Adlm}]/u;

/** The direction of a draft. `dir="auto"` means the same, but takes seconds for a megabyte. @param {string} draft */
function direction(draft) {
  const letter = draft.slice(0, MIRRORED).match(/\p{L}/u);
  return letter && RIGHT_TO_LEFT.test(letter[0]) ? "rtl" : "ltr";
}

/** Whether a key belongs to an input method. @param {KeyboardEvent} event */
export const composing = (event) => event.isComposing || event.keyCode === 229;

/** A text area that grows with its text. Enter submits it, Shift and Enter begin a line. */
export class Draft {
  /** @param {string} name @param {string} placeholder @param {() => void} submit */
  constructor(name, placeholder, submit) {
    this.area = h("textarea", "dgpt-draft", {
      "aria-label": name,
      placeholder,
      rows: "1",
      autocomplete: "off",
    });
    this.element = h("div", "dgpt-grow", {}, this.area);
    this.area.addEventListener("input", () => this.#show());
    this.area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || composing(event)) return;
      event.preventDefault();
      submit();
    });
    this.#show();
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    this.area.value = text;
    this.#show();
  }

  focus() {
    focus(this.area);
  }

  /** Makes it readable only, or writable again. @param {boolean} locked */
  lock(locked) {
    this.area.readOnly = locked;
    this.area.setAttribute("aria-disabled", String(locked));
  }

  #show() {
    this.element.dataset.draft = this.text.slice(0, MIRRORED);
    this.area.dir = direction(this.text);
  }
}

/** @param {number} bytes */
const kilobytes = (bytes) => `${Math.ceil(bytes / 1000).toLocaleString("en")} kB`;

/** @param {string} text @returns {string} why it cannot be sent, or nothing */
export function tooLong(text) {
  if (text.length * 3 <= MAX_MESSAGE_BYTES) return "";
  const size = byteLength(text);
  if (size <= MAX_MESSAGE_BYTES) return "";
  return `This message has ${kilobytes(size)}; at most ${kilobytes(MAX_MESSAGE_BYTES)} can be sent. It stays here until you shorten it.`;
}
