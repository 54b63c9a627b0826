import { wellFormed } from "../wire.js";
import { button, h, onClick } from "./dom.js";
import { composing, Draft, tooLong } from "./draft.js";

/** Where a turn is said in other words, in its place. The draft stays until the kernel has taken it. */
export class Editor {
  #busy = false;

  /**
   * @param {string} name what is edited
   * @param {string} text as it is
   * @param {{save: (text: string) => Promise<unknown>, close: () => void}} hooks `close` is called when it is done
   *   or given up
   */
  constructor(name, text, hooks) {
    this.text = text;
    this.hooks = hooks;
    this.draft = new Draft(name, "", () => this.save());
    this.refusal = h("p", "dgpt-refusal", { role: "alert" });
    const save = button("Save", "dgpt-send");
    const cancel = button("Cancel", "dgpt-plain");
    const box = h("div", "dgpt-box", {}, this.draft.element);
    const row = h("div", "dgpt-row", {}, this.refusal, cancel, save);
    this.element = h("div", "dgpt-editor", {}, box, row);
    this.draft.text = text;
    onClick(save, () => this.save());
    onClick(cancel, () => hooks.close());
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || composing(event)) return;
      event.preventDefault();
      hooks.close();
    });
  }

  focus() {
    this.draft.focus();
    this.draft.area.setSelectionRange(this.draft.text.length, this.draft.text.length);
  }

  async save() {
    const text = wellFormed(this.draft.text);
    if (this.#busy || !text.trim()) return;
    const refusal = tooLong(text);
    this.refusal.textContent = refusal;
    if (refusal) return;
    if (text !== this.text) {
      this.#busy = true;
      try {
        await this.hooks.save(text);
      } catch (error) {
        this.refusal.textContent = /** @type {Error} */ (error).message;
        return;
      } finally {
        this.#busy = false;
      }
    }
    this.hooks.close();
  }
}
