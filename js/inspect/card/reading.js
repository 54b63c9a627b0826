/** @import { Inspector } from "../inspector.js" */
/** @import { Unit } from "../words/units.js" */
/** @import { Words } from "../words/words.js" */

import { reveal } from "../../ui/scroll.js";
import { askingOf, valuesOf } from "../request.js";
import { Card } from "./card.js";

const MOMENT = 150; // milliseconds that a token has to be open before the kernel hears of it

/** The token that the reader has opened, and the card below its reply that tells of it. */
export class Reading {
  /** @type {{turn: number, index: number} | null} */
  at = null;
  /** @type {number | null} the message whose reply was forked, until the new version is there */
  #forked = null;
  /** @type {Card | null} */
  #card = null;
  #unfolded = false;
  #pinning = 0;

  /** @param {Inspector} inspector @param {() => void} changed */
  constructor(inspector, changed) {
    this.inspector = inspector;
    this.view = inspector.view;
    this.changed = changed;
  }

  /** @param {Words} words @param {Unit} unit @param {HTMLElement} word @param {boolean} into */
  toggle(words, unit, word, into) {
    const open = word.getAttribute("aria-expanded") === "true";
    if (open && !into) this.close(true);
    else {
      if (!open) this.open(words, unit);
      if (into) this.#card?.focus();
    }
  }

  /** The card goes along with the reader. @param {Words} words */
  follow(words) {
    const unit = words.units[words.place];
    if (this.at && unit) this.open(words, unit);
  }

  /** @param {Words} words @param {Unit} unit */
  open(words, unit) {
    const { view } = words;
    const { inspector } = this;
    const turn = this.view.state.turns.get(view.id);
    const tokens = inspector.tokensOf(view.id);
    if (!turn || !tokens) return;
    this.close(false);
    const index = unit.token;
    this.at = { turn: view.id, index };
    const hooks = {
      close: () => this.close(true),
      pick: (/** @type {number} */ token) => {
        this.open(words, { ...unit, token });
        this.#card?.focus();
      },
      unfold: (/** @type {boolean} */ how) => {
        this.#unfolded = how;
        this.#reveal();
      },
    };
    const { names } = inspector;
    const of = { tokens, unit, index, names, values: valuesOf(this.view.model, turn) };
    const able = inspector.live && inspector.owns(turn.id);
    const forked = () => {
      this.#forked = turn.parent;
    };
    const asking = askingOf(this.view, names, { turn: turn.id, index }, { able, forked });
    this.#card = new Card(of, asking, hooks, this.#unfolded);
    words.show(true);
    view.foot.before(this.#card.element);
    this.#reveal();
    this.#pin();
    this.changed();
  }

  /** @param {boolean} back whether the focus goes back to the word */
  close(back) {
    const words = this.at && this.inspector.replies.of(this.at.turn);
    this.at = null;
    this.#card?.element.remove();
    this.#card = null;
    words?.show(false);
    if (!back) return;
    words?.focus();
    this.#pin();
    this.changed();
  }

  /** Once a forked reply has taken the place of the old one, the way back is at hand. */
  arrive() {
    if (this.#forked === null) return;
    for (const view of this.view.transcript.views.values()) {
      if (view.parent !== this.#forked || !view.element.matches(":focus")) continue;
      this.#forked = null;
      view.focus("-1");
    }
  }

  dispose() {
    clearTimeout(this.#pinning);
  }

  #reveal() {
    const { log, follower } = this.view.transcript;
    const { element } = this.#card ?? {};
    if (!element) return;
    follower.release();
    reveal(log, () => element);
  }

  /** Lets the kernel know which token the reader looks at. */
  #pin() {
    clearTimeout(this.#pinning);
    const { inspector } = this;
    const { pin } = this.view.transcript;
    if (!inspector.live) return;
    this.#pinning = /** @type {any} */ (
      setTimeout(() => {
        const { turn } = pin;
        if (turn === null || !inspector.live) return;
        this.view.requests.request("pin", { turn, index: inspector.place(turn) }).catch(() => {});
      }, MOMENT)
    );
  }
}
