import { wellFormed } from "../protocol.js";
import { button, focus, h, onClick } from "../ui/dom.js";
import { composing, Draft, tooLong } from "../ui/textarea.js";

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

/** @param {number} following turns after the one that is to be forgotten */
export function question(following) {
  if (following === 0) return "Forget this turn? It cannot be undone.";
  const those =
    following === 1 ? "the one that follows" : `the ${following} that follow, in all their versions`;
  return `Forget this turn and ${those}? It cannot be undone.`;
}

/** A question before something that cannot be undone, in the place of what it is about. */
export class ConfirmInset {
  /**
   * @param {string} words
   * @param {string} label of the button that does it
   * @param {{act: () => Promise<unknown>, close: () => void}} hooks
   */
  constructor(words, label, hooks) {
    const said = h("p", "", {}, words);
    const refusal = h("p", "dgpt-refusal", { role: "alert" });
    this.cancel = button("Cancel", "dgpt-plain");
    const yes = button(label, "dgpt-plain dgpt-grave");
    this.element = h(
      "div",
      "dgpt-notice",
      { role: "group", "aria-label": words },
      said,
      refusal,
      h("div", "dgpt-actions", {}, this.cancel, yes),
    );
    onClick(this.cancel, () => hooks.close());
    onClick(yes, () =>
      hooks.act().catch((error) => {
        refusal.textContent = error.message;
      }),
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || composing(event)) return;
      event.preventDefault();
      hooks.close();
    });
  }

  focus() {
    focus(this.cancel);
  }
}
