import { byteLength, MAX_MESSAGE_BYTES, wellFormed } from "../wire.js";
import { button, h, icon } from "./dom.js";

const WAITING =
  "Waiting for the kernel… It may be busy with a cell; if it was restarted, run this cell again.";
const MIRRORED = 4000; // characters that decide the height of the box; more never fit

const RIGHT_TO_LEFT = /[\p{sc=Arab}\p{sc=Hebr}\p{sc=Syrc}\p{sc=Thaa}\p{sc=Nkoo}\p{sc=Adlm}]/u;

/** The direction of a draft. `dir="auto"` means the same, but takes seconds for a megabyte. @param {string} draft */
function direction(draft) {
  const letter = draft.slice(0, MIRRORED).match(/\p{L}/u);
  return letter && RIGHT_TO_LEFT.test(letter[0]) ? "rtl" : "ltr";
}

/** @param {number} bytes */
const kilobytes = (bytes) => `${Math.ceil(bytes / 1000).toLocaleString("en")} kB`;

/** @param {KeyboardEvent} event */
export const composing = (event) => event.isComposing || event.keyCode === 229;

/**
 * Where a message is written. A draft is cleared only when the kernel has taken it; what was typed meanwhile stays.
 */
export class Composer {
  #busy = false;
  #edited = false;
  #again = false;
  #running = false;
  #live = true;
  #waiting = false;
  #reason = "";

  /** @param {{send: (text: string) => Promise<unknown>, stop: () => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.area = h("textarea", "dgpt-draft", {
      "aria-label": "Message",
      placeholder: "Write a message",
      rows: "1",
      autocomplete: "off",
    });
    this.grow = h("div", "dgpt-grow", {}, this.area);
    this.stop = button("Stop", "dgpt-round dgpt-stop", icon("M5 5h6v6H5z"));
    this.send = button("Send", "dgpt-round dgpt-send", icon("M8 13V3.5M3.5 7.5 8 3l4.5 4.5"));
    this.box = h("div", "dgpt-box", {}, this.grow, this.stop, this.send);
    this.hint = h("p", "dgpt-hint", { role: "alert" });
    this.element = h("div", "dgpt-composer", {}, this.box);
    this.area.addEventListener("input", () => this.#typed());
    this.area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || composing(event)) return;
      event.preventDefault();
      this.submit();
    });
    this.send.addEventListener("click", () => {
      this.submit();
      this.focus();
    });
    this.stop.addEventListener("click", () => {
      hooks.stop();
      this.focus();
    });
    this.box.addEventListener("click", (event) => event.target === this.box && this.focus());
    this.#show();
  }

  get draft() {
    return this.area.value;
  }

  set draft(text) {
    this.area.value = text;
    this.#show();
  }

  focus() {
    this.area.focus({ preventScroll: true });
  }

  /** @param {string} reason why something was not done; empty for none */
  say(reason) {
    this.#reason = reason;
    this.#show();
  }

  /** @param {boolean} waiting whether an answer of the kernel is overdue */
  wait(waiting) {
    this.#waiting = waiting;
    this.#show();
  }

  /** @param {boolean} running @param {boolean} live */
  update(running, live) {
    if (running === this.#running && live === this.#live) return;
    this.#running = running;
    this.#live = live;
    this.area.readOnly = !live;
    this.area.setAttribute("aria-disabled", String(!live));
    this.#show();
  }

  /** Sends the draft. A second call for the same draft, before the first is answered, does nothing. */
  async submit() {
    if (!this.#live || !this.draft.trim()) return;
    if (this.#busy) {
      this.#again = this.#edited;
      return;
    }
    const sent = this.draft;
    const refusal = tooLong(sent);
    this.say(refusal);
    if (refusal) return;
    this.#busy = true;
    this.#edited = false;
    try {
      await this.hooks.send(wellFormed(sent));
      this.#accepted(sent);
    } catch (error) {
      this.#again = false;
      this.say(error instanceof Error ? error.message : String(error));
    }
    this.#busy = false;
    if (!this.#again) return;
    this.#again = false;
    this.submit();
  }

  /** Takes what was sent out of the draft, and leaves what was typed since. @param {string} sent */
  #accepted(sent) {
    const { draft } = this;
    if (!this.#edited) this.draft = "";
    else if (draft !== sent && draft.startsWith(sent)) this.draft = draft.slice(sent.length).trimStart();
  }

  #typed() {
    this.#edited = true;
    this.say(this.#reason && tooLong(this.draft));
  }

  #show() {
    const { draft } = this;
    this.grow.dataset.draft = draft.slice(0, MIRRORED);
    this.area.dir = direction(draft);
    const blank = !draft.trim();
    const idle = !this.#running || !this.#live;
    if (idle && this.stop.matches(":focus")) this.focus();
    this.stop.hidden = idle;
    this.send.hidden = blank && !this.stop.hidden;
    this.send.setAttribute("aria-disabled", String(blank || !this.#live));
    const hint = this.#live ? this.#reason || (this.#waiting ? WAITING : "") : "";
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
    this.hint.toggleAttribute("data-refused", hint !== WAITING);
  }
}

/** @param {string} text @returns {string} why it cannot be sent, or nothing */
function tooLong(text) {
  if (text.length * 3 <= MAX_MESSAGE_BYTES) return "";
  const size = byteLength(text);
  if (size <= MAX_MESSAGE_BYTES) return "";
  return `This message has ${kilobytes(size)}; at most ${kilobytes(MAX_MESSAGE_BYTES)} can be sent. It stays here until you shorten it.`;
}
