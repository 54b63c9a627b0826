/** @import { Buffer } from "../protocol.js" */
/** @import { State } from "../state.js" */
/** @import { View } from "../view.js" */
/** @import { TurnTokens } from "./tokens/rows.js" */

import { h } from "../ui/dom.js";
import { reveal } from "../ui/scroll.js";
import { Reading } from "./card/reading.js";
import { InspectPanel, shareRow } from "./drawer/drawer.js";
import style from "./inspect.css";
import { SlowMotion } from "./slow_motion/slow-motion.js";
import { Names } from "./tokens/names.js";
import { TokenStore } from "./tokens/token-store.js";
import { Replies } from "./words/replies.js";

const STRIP = "M2 4h4v3H2zM9 4h5v3H9zM2 9.5h6v3H2zM11 9.5h3v3h-3z";

/** What a chat shows of its tokens: words to click, and what is known of the one that was. */
export class Inspector {
  /** Told whenever something has changed: the state, or which word is open. @type {Set<() => void>} */
  listeners = new Set();
  live = false;

  #begun = false;
  #ended = new AbortController();

  /** @param {View} view */
  constructor(view) {
    this.view = view;
    this.names = new Names();
    this.tokens = new TokenStore(
      view,
      () => this.#came(),
      (tokens) => this.names.read(tokens),
    );
    this.reading = new Reading(this, () => this.#changed());
    const { log } = view.transcript;
    view.root.prepend(h("style", "", {}, style));
    this.panel = new InspectPanel({
      model: view.model,
      requests: view.requests,
      state: view.state,
      tokensOf: (id) => this.tokensOf(id),
      open: (id, index) => this.show(id, index),
      live: () => this.live,
      watch: view.transcript.watch,
      selected: () => view.transcript.pin.turn,
    });
    view.drawer.add(this.panel, view.head.add("Inspect", STRIP));
    this.listen(() => this.panel.follow(this.open));
    this.slow = new SlowMotion(this);
    this.panel.element.prepend(this.slow.toggle);
    view.drawer.keep.element.append(shareRow(view.requests));
    this.replies = new Replies(view, this.names, {
      tokensOf: (id) => this.tokensOf(id),
      open: (words, unit, word, into) => {
        this.replies.hint.done();
        this.reading.toggle(words, unit, word, into);
      },
      moved: (words) => this.reading.follow(words),
      held: (id) => this.open?.turn === id,
    });
    const { signal } = this.#ended;
    for (const event of ["focusin", "click"]) log.addEventListener(event, () => this.#enter(), { signal });
    log.addEventListener("keydown", (event) => this.#key(event), { signal });
    view.root.addEventListener("keydown", (event) => this.#seek(event), { signal });
  }

  /** The token that is open. */
  get open() {
    return this.reading.at;
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    if (live !== this.live && this.open) this.reading.close(false);
    this.live = live;
    this.#furnish();
    this.reading.arrive();
    this.#begin();
    this.slow.update(state, live);
    this.#changed();
  }

  /** A message that is no answer. @param {unknown} content @param {Buffer[]} buffers */
  receive(content, buffers) {
    this.slow.stream.receive(content, buffers);
  }

  dispose() {
    this.#ended.abort();
    this.panel.dispose();
    this.slow.dispose();
    this.reading.dispose();
  }

  /** Tells of every change, until the chat is closed. @param {() => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }

  /** The tokens of a turn, as far as they are here. @param {number} id @returns {TurnTokens | null} */
  tokensOf(id) {
    const ready = this.live && this.view.state.status.phase === "ready";
    return this.tokens.of(id, ready && this.owns(id)) ?? this.slow.stream.tokensOf(id);
  }

  /** Whether a turn is in the ids of the model that is loaded. @param {number} id */
  owns(id) {
    const { turns, info } = this.view.state;
    return turns.get(id)?.model === info.name;
  }

  /** The token that is open in a turn, if one is. @param {number | null} turn @returns {number | null} */
  place(turn) {
    return this.open && this.open.turn === turn ? this.open.index : null;
  }

  /** Opens what is known of a token, and brings it into sight. @param {number} id of the turn @param {number} index */
  show(id, index) {
    this.replies.furnish(id);
    const words = this.replies.of(id);
    const unit = words?.go(index);
    if (!words || !unit) return;
    words.focus();
    this.reading.open(words, { ...unit, token: index });
    this.view.transcript.follower.release();
    reveal(this.view.transcript.log, () => words.word);
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

  /** Tokens that were asked for are here. */
  #came() {
    this.#furnish();
    this.#changed();
  }

  #furnish() {
    this.replies.update((id) => this.open?.turn === id && this.reading.close(false));
  }

  /** The reader has come to a turn. */
  #enter() {
    this.replies.enter();
    this.panel.follow(this.open);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.open) return;
    event.preventDefault();
    this.reading.close(true);
  }

  /** Goes to the most surprising word of the newest reply. @param {KeyboardEvent} event */
  #seek(event) {
    if (!event.altKey || event.code !== "Period" || event.ctrlKey || event.metaKey) return;
    const at = this.view.state.path.findLast(({ id }) => this.replies.of(id));
    const words = at && this.replies.of(at.id);
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
