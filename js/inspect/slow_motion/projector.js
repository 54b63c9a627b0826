/** @import { Row } from "../tokens/rows.js" */
/** @import { SlowMotion } from "./slow-motion.js" */

import { button, CROSS, focus, h, icon, onClick } from "../../ui/dom.js";
import { told } from "../card/card.js";
import { percent } from "../tokens/names.js";
import { textsOf } from "./token-stream.js";

const BARS = 5;

/** The reply on the whole screen, for a room: its tokens, and what else the last of them could have been. */
export class Projector {
  /** How many tokens at the end of a finished reply are hidden; null where none is shown or it runs. @type {number | null} */
  hidden = null;
  #question;
  #text;
  #token;
  #bars;
  #side;
  #stage;
  #drawn = "";
  #full = false;
  /** @type {HTMLElement | null} what had the focus before */
  #from = null;

  /** @param {SlowMotion} slow */
  constructor(slow) {
    this.slow = slow;
    const leave = button("Leave the projector", "dgpt-round", icon(CROSS));
    this.#question = h("p", "dgpt-asked", { dir: "auto" });
    this.#text = h("p", "dgpt-said", { dir: "auto", tabindex: "0", "aria-label": "Reply", role: "group" });
    this.#token = h("p", "dgpt-told");
    this.#bars = h("ul", "dgpt-bars", { "aria-label": "What else there was" });
    this.#side = h(
      "div",
      "dgpt-side-bars",
      { tabindex: "0", role: "group", "aria-label": "Last token" },
      this.#token,
      this.#bars,
    );
    const head = h("div", "dgpt-stage-head", {}, this.#question, leave);
    this.#stage = h("div", "dgpt-stage", {}, head, h("div", "dgpt-stage-main", {}, this.#text, this.#side));
    this.element = h("dialog", "dgpt-projector", { "aria-label": "Projector" }, this.#stage);
    onClick(leave, () => this.close());
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    this.#stage.addEventListener("fullscreenchange", () => {
      const full = document.fullscreenElement === this.#stage;
      if (this.#full && !full) this.close();
      this.#full = full;
    });
  }

  get shown() {
    return this.element.isConnected;
  }

  /** Whether there is something to take back of a finished reply; null where none is shown. */
  get more() {
    return this.hidden === null ? null : this.hidden < (this.slow.tokens?.rows.length ?? 0);
  }

  open() {
    const { view } = this.slow;
    this.#from = /** @type {HTMLElement | null} */ (view.root.querySelector(":focus"));
    this.#drawn = "";
    this.#stage.append(this.slow.element);
    view.root.append(this.element);
    view.root.toggleAttribute("data-projector", true);
    this.element.showModal?.();
    this.#stage.requestFullscreen?.().catch(() => {});
    this.slow.paint();
    focus(this.slow.bar.forward);
  }

  close() {
    if (!this.shown) return;
    const { view } = this.slow;
    this.#full = false;
    if (document.fullscreenElement === this.#stage) document.exitFullscreen().catch(() => {});
    view.composer.element.before(this.slow.element);
    this.element.close?.();
    this.element.remove();
    view.root.toggleAttribute("data-projector", false);
    this.hidden = null;
    const back = this.#from?.isConnected ? this.#from : this.slow.bar.screen;
    this.slow.paint();
    focus(back);
  }

  /** Walks through a finished reply. @param {1 | -1} by @returns {boolean} whether it does */
  step(by) {
    const count = this.slow.tokens?.rows.length ?? 0;
    if (this.hidden === null || (by > 0 && this.hidden === 0)) return false;
    this.hidden = Math.min(count, this.hidden - by);
    this.slow.say("");
    return true;
  }

  update() {
    if (!this.shown) return;
    const { slow } = this;
    const { state } = slow.view;
    const { tokens, running, turn } = slow;
    if (running || turn === null) this.hidden = null;
    else this.hidden ??= 0;
    const count = Math.max(0, (tokens?.rows.length ?? 0) - (this.hidden ?? 0));
    const drawn = `${turn} ${count} ${tokens?.pieces.size}`;
    const parent = state.turns.get(turn ?? -1)?.parent ?? state.status.parent;
    this.#question.textContent = state.turns.get(parent ?? -1)?.text ?? "";
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const texts = tokens ? textsOf(tokens, count) : [];
    const { names } = slow;
    this.#text.replaceChildren(
      ...texts.map((text, index) =>
        tokens?.rows.eos(index) ? names.show(tokens.rows.id(index)) : h("span", "", {}, text),
      ),
    );
    const last = this.#text.lastElementChild;
    last?.setAttribute("data-last", "");
    last?.scrollIntoView?.({ block: "nearest" });
    const row = tokens && count > 0 ? tokens.rows.row(count - 1) : null;
    this.#side.hidden = row === null;
    if (row) this.#show(row);
  }

  /** @param {Row} row */
  #show(row) {
    const { names } = this.slow;
    this.#token.replaceChildren(names.tell(row.id), `: ${told(row)}.`);
    const most = Math.exp(row.alternatives[0]?.logprob ?? 0);
    this.#bars.replaceChildren(
      ...row.alternatives.slice(0, BARS).map(({ id, logprob }) => {
        const share = Math.exp(logprob);
        const fill = h("span", "dgpt-fill");
        fill.style.width = `${(100 * share) / most}%`;
        const chosen = id === row.id ? h("span", "dgpt-hidden", {}, ", said") : "";
        const name = h("span", "dgpt-alt-name", {}, names.show(id), chosen);
        const track = h("span", "dgpt-track", {}, fill);
        const cells = [name, track, h("span", "dgpt-alt-share", {}, percent(share))];
        const bar = h("li", "dgpt-alt", {}, ...cells);
        bar.toggleAttribute("data-chosen", id === row.id);
        return bar;
      }),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { slow } = this;
    if (event.key === "Escape") this.close();
    else if (event.key === "PageUp") slow.back();
    else if (event.key === "PageDown") this.#on(event.repeat);
    else if (event.key === "Tab") return;
    else if (!event.defaultPrevented) return slow.key(event);
    event.preventDefault();
  }

  /** @param {boolean} held whether the key is held down */
  #on(held) {
    const { slow } = this;
    const over = this.hidden === 0;
    if (held) return;
    if (slow.running && slow.pace.guessing) slow.offer.focus();
    else if (over) slow.say("The reply has ended. Step makes another version.");
    else slow.step();
  }
}
