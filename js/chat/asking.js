import { button, focus, h, onClick } from "./dom.js";
import { composing } from "./draft.js";

/** @param {number} following turns after the one that is to be forgotten */
export function question(following) {
  if (following === 0) return "Forget this turn? It cannot be undone.";
  const those =
    following === 1 ? "the one that follows" : `the ${following} that follow, in all their versions`;
  return `Forget this turn and ${those}? It cannot be undone.`;
}

/** A question before something that cannot be undone, in the place of what it is about. */
export class Asking {
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
