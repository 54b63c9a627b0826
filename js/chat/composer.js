import { wellFormed } from "../protocol.js";
import { button, h, icon, onClick } from "../ui/dom.js";
import { Draft, tooLong } from "../ui/textarea.js";

const WAITING =
  "Waiting for the kernel… It may be busy with a cell; if it was restarted, run this cell again.";

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
    this.writing = new Draft("Message", "Write a message", () => this.submit());
    this.area = this.writing.area;
    this.stop = button("Stop", "dgpt-plain dgpt-round dgpt-stop", icon("M5 5h6v6H5z"));
    this.send = button("Send", "dgpt-round dgpt-send", icon("M8 13V3.5M3.5 7.5 8 3l4.5 4.5"));
    this.box = h("div", "dgpt-box", {}, this.writing.element, this.stop, this.send);
    this.hint = h("p", "dgpt-hint", { role: "alert" });
    this.element = h("div", "dgpt-composer", {}, this.box);
    this.area.addEventListener("input", () => this.#typed());
    onClick(this.send, () => {
      this.submit();
      this.focus();
    });
    onClick(this.stop, () => {
      hooks.stop();
      this.focus();
    });
    onClick(this.box, (event) => event.target === this.box && this.focus());
    this.#show();
  }

  get draft() {
    return this.writing.text;
  }

  set draft(text) {
    this.writing.text = text;
    this.#show();
  }

  focus() {
    this.writing.focus();
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
    this.writing.lock(!live);
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
    const blank = !this.draft.trim();
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
