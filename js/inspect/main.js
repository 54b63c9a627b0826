import { h } from "../chat/dom.js";
import { reveal } from "../chat/scroll.js";
import { askingOf, valuesOf } from "./asking.js";
import { Card, told } from "./card.js";
import { InspectPanel } from "./drawer.js";
import { Hint } from "./hint.js";
import style from "./inspect.css";
import { Known } from "./known.js";
import { shareRow } from "./share.js";
import { SlowMotion } from "./slow.js";
import { unitsOf } from "./units.js";
import { Words } from "./words.js";

/** @import { State } from "../state.js" */
/** @import { View } from "../view.js" */
/** @import { Buffer } from "../wire.js" */
/** @import { TurnTokens } from "./rows.js" */
/** @import { Unit } from "./units.js" */

const STRIP = "M2 4h4v3H2zM9 4h5v3H9zM2 9.5h6v3H2zM11 9.5h3v3h-3z";

/** What a chat shows of its tokens: words to click, and what is known of the one that was. */
export class Inspector {
  /** Told whenever something has changed: the state, or which word is open. @type {Set<() => void>} */
  listeners = new Set();
  /** The token that is open. @type {{turn: number, index: number} | null} */
  open = null;
  live = false;

  /** @type {Map<number, Element>} turns that are watched for coming near */
  #watched = new Map();
  /** @type {Set<number>} */
  #near = new Set();
  /** @type {Map<number, Words>} */
  #words = new Map();
  /** @type {Card | null} */
  #card = null;
  #unfolded = false;
  #begun = false;
  /** @type {number | null} the message whose reply was forked, until the new version is there */
  #forked = null;
  #pinning = 0;
  #ended = new AbortController();

  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.hint = new Hint();
    this.known = new Known(view, (id) => this.#came(id));
    this.names = this.known.names;
    const { log } = view.transcript;
    view.root.prepend(h("style", "", {}, style));
    this.sight = new IntersectionObserver((seen) => this.#see(seen), { root: log, rootMargin: "300px 0px" });
    const { signal } = this.#ended;
    for (const event of ["focusin", "click"]) log.addEventListener(event, () => this.#enter(), { signal });
    log.addEventListener("keydown", (event) => this.#key(event), { signal });
    view.root.addEventListener("keydown", (event) => this.#seek(event), { signal });
    this.panel = new InspectPanel({
      model: view.model,
      requests: view.requests,
      state: view.state,
      tokensOf: (id) => this.tokensOf(id),
      open: (id, index) => this.show(id, index),
      live: () => this.live,
    });
    view.drawer.add(this.panel, view.head.add("Inspect", STRIP));
    this.listen(() => this.panel.follow(this.open));
    this.slow = new SlowMotion(this);
    this.panel.element.prepend(this.slow.toggle);
    view.drawer.keep.element.append(shareRow(view.requests));
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    if (live !== this.live && this.open) this.#close(false);
    this.live = live;
    const { views } = this.view.transcript;
    for (const [id, element] of this.#watched)
      if (views.get(id)?.element !== element) this.#leave(id, element);
    for (const [id, { element }] of views) {
      const turn = state.turns.get(id);
      if (turn?.role !== "assistant" || !turn.made || this.#watched.has(id)) continue;
      this.#watched.set(id, element);
      this.sight.observe(element);
    }
    for (const id of this.#near) this.#furnish(id);
    this.#enter();
    this.#arrive();
    this.#begin();
    this.slow.update(state, live);
    this.#changed();
  }

  /** Opens the token that a shared chat comes with, once it is here. */
  #begin() {
    const [turn, index] = this.view.model.get("pinned") ?? [];
    if (
      this.#begun ||
      typeof turn !== "number" ||
      !this.view.transcript.views.has(turn) ||
      !this.tokensOf(turn)
    )
      return;
    this.#begun = true;
    if (typeof index === "number") this.show(turn, index);
  }

  /** A message that is no answer. @param {unknown} content @param {Buffer[]} buffers */
  receive(content, buffers) {
    this.slow.receive(content, buffers);
  }

  dispose() {
    this.#ended.abort();
    this.sight.disconnect();
    this.panel.dispose();
    this.slow.dispose();
    clearTimeout(this.#pinning);
  }

  /** Tells of every change, until the chat is closed. @param {() => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }

  /** The tokens of a turn, as far as they are here. @param {number} id @returns {TurnTokens | null} */
  tokensOf(id) {
    return this.known.of(id, this.live) ?? this.slow.tokensOf(id);
  }

  /** The token that is open in a turn, if one is. @param {number | null} turn @returns {number | null} */
  place(turn) {
    return this.open && this.open.turn === turn ? this.open.index : null;
  }

  /** Opens what is known of a token, and brings it into sight. @param {number} id of the turn @param {number} index */
  show(id, index) {
    this.#furnish(id);
    const words = this.#words.get(id);
    const unit = words?.go(index);
    if (!words || !unit) return;
    words.focus();
    this.#open(words, { ...unit, token: index });
    this.view.transcript.follower.release();
    reveal(this.view.transcript.log, () => words.word);
  }

  /** Tokens that were asked for are here. @param {number} id */
  #came(id) {
    if (this.#near.has(id)) this.#furnish(id);
    this.#enter();
    this.#changed();
  }

  /** @param {number} id @param {Element} element */
  #leave(id, element) {
    if (this.open?.turn === id) this.#close(false);
    this.sight.unobserve(element);
    this.#watched.delete(id);
    this.#near.delete(id);
    this.#words.delete(id);
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #see(seen) {
    for (const { target, isIntersecting } of seen) {
      const id = Number(/** @type {HTMLElement} */ (target).dataset.turn);
      if (isIntersecting) {
        this.#near.add(id);
        this.#furnish(id);
      } else if (this.#near.delete(id) && this.open?.turn !== id) this.#strip(id);
    }
    this.#enter();
    this.view.transcript.find.update();
  }

  /** Makes words of a reply's text. @param {number} id */
  #furnish(id) {
    const view = this.view.transcript.views.get(id);
    const turn = this.view.state.turns.get(id);
    if (!view || !turn || this.#words.has(id)) return;
    const tokens = this.tokensOf(id);
    const units = tokens?.rows.full ? unitsOf(tokens, turn.text) : [];
    if (!tokens || units.length === 0) return;
    const words = new Words(view, units, {
      say: (unit) => this.#said(tokens, unit),
      open: (unit, word, into) => this.#toggle(words, unit, word, into),
      moved: () => this.open && this.#follow(words),
    });
    this.#words.set(id, words);
    this.hint.offer(view);
    if (tokens.differs !== null && !view.foot.querySelector(".dgpt-differs"))
      view.foot.prepend(
        h("span", "dgpt-note dgpt-differs", {}, `differs from token ${tokens.differs} on this machine`),
      );
  }

  /** @param {number} id */
  #strip(id) {
    const words = this.#words.get(id);
    if (!words || words.focused) return;
    words.drop();
    this.#words.delete(id);
  }

  /** What a screen reader says of a word. @param {TurnTokens} tokens @param {Unit} unit */
  #said({ rows }, { token, degree }) {
    const row = rows.row(token);
    return `${this.names.name(row.id)}: ${told(row)}${degree ? ", a surprise" : ""}`;
  }

  /** The words of a reply are a stop of the Tab key where their turn is. */
  #enter() {
    for (const words of this.#words.values()) words.enter();
  }

  /** @param {Words} words @param {Unit} unit @param {HTMLElement} word @param {boolean} into */
  #toggle(words, unit, word, into) {
    const open = word.getAttribute("aria-expanded") === "true";
    this.hint.done();
    if (open && !into) this.#close(true);
    else {
      if (!open) this.#open(words, unit);
      if (into) this.#card?.focus();
    }
  }

  /** The card goes along with the reader. @param {Words} words */
  #follow(words) {
    const unit = words.units[words.place];
    if (unit) this.#open(words, unit);
  }

  /** @param {Words} words @param {Unit} unit */
  #open(words, unit) {
    const { view } = words;
    const turn = this.view.state.turns.get(view.id);
    const tokens = this.tokensOf(view.id);
    if (!turn || !tokens) return;
    this.#close(false);
    const index = unit.token;
    this.open = { turn: view.id, index };
    const pick = (/** @type {number} */ token) => {
      this.#open(words, { ...unit, token });
      this.#card?.focus();
    };
    const hooks = {
      close: () => this.#close(true),
      pick,
      unfold: (/** @type {boolean} */ how) => {
        this.#unfolded = how;
        this.#reveal();
      },
    };
    const of = { tokens, unit, index, names: this.names, values: valuesOf(this.view.model, turn) };
    const able = this.live && this.known.own(turn);
    const forked = () => {
      this.#forked = turn.parent;
    };
    const asking = askingOf(this.view, this.names, { turn: turn.id, index }, { able, forked });
    const card = new Card(of, asking, hooks, this.#unfolded);
    this.#card = card;
    words.show(true);
    view.foot.before(card.element);
    this.#reveal();
    this.#pin();
    this.#changed();
  }

  /** @param {boolean} back whether the focus goes back to the word */
  #close(back) {
    const words = this.open && this.#words.get(this.open.turn);
    this.open = null;
    this.#card?.element.remove();
    this.#card = null;
    words?.show(false);
    if (!back) return;
    words?.focus();
    this.#pin();
    this.#changed();
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
    const { pin } = this.view.transcript;
    if (!this.live) return;
    this.#pinning = /** @type {any} */ (
      setTimeout(() => {
        const { turn } = pin;
        if (turn === null || !this.live) return;
        this.view.requests.request("pin", { turn, index: this.place(turn) }).catch(() => {});
      }, 150)
    );
  }

  /** Once a forked reply has taken the place of the old one, the way back is at hand. */
  #arrive() {
    if (this.#forked === null) return;
    for (const view of this.view.transcript.views.values()) {
      if (view.parent !== this.#forked || !view.element.matches(":focus")) continue;
      this.#forked = null;
      view.focus("-1");
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.open) return;
    event.preventDefault();
    this.#close(true);
  }

  /** Goes to the most surprising word of the newest reply. @param {KeyboardEvent} event */
  #seek(event) {
    if (!event.altKey || event.code !== "Period" || event.ctrlKey || event.metaKey) return;
    const at = this.view.state.path.findLast(({ id }) => this.#words.has(id));
    const words = at && this.#words.get(at.id);
    if (!words) return;
    event.preventDefault();
    words.focus();
    reveal(this.view.transcript.log, () => words.word);
  }

  #changed() {
    for (const listener of this.listeners) listener();
  }
}

/** Adds to a chat what shows its tokens. @param {View} view */
function attach(view) {
  return new Inspector(view);
}

export default { attach };
