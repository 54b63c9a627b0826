/** @import { TurnView } from "../chat/turn.js" */
/** @import { Candidate, NBest, Turn } from "../protocol.js" */
/** @import { State } from "../state.js" */
/** @import { View } from "../view.js" */
/** @import { Hooks } from "./beside.js" */

import { TokenStore } from "../inspect/tokens/token-store.js";
import { h } from "../ui/dom.js";
import { Chips } from "./chips.js";
import { Compare } from "./compare.js";
import style from "./decide.css";
import { Choosing, Growing } from "./live.js";
import { DecidePanel } from "./panel.js";

const LINES = "M2.5 3.5h11M2.5 8h5M2.5 12.5h5M9.5 10.5l2 2 3-4";

/** What a chat shows where there are several replies to the same turn: how one is chosen, and by whom. */
export class Decider {
  #ended = new AbortController();

  /** @param {View} view */
  constructor(view) {
    this.view = view;
    view.root.prepend(h("style", "", {}, style));
    this.tokens = new TokenStore(view, () => this.#show());
    /** @type {Omit<Hooks, "pick">} */
    this.hooks = {
      able: ({ turn }) => view.able || view.state.turns.has(turn),
      mark: ({ turn }) => this.#mark(turn),
      tokensOf: (turn) => this.tokens.of(turn, view.able),
    };
    this.panel = new DecidePanel(this);
    view.drawer.add(this.panel, view.head.add("Decide", LINES));
    this.growing = new Growing(view.transcript);
    this.choosing = new Choosing(this);
    this.chips = new Chips(view, (list) => this.open(list));
    const { signal } = this.#ended;
    for (const event of ["focusin", "click"])
      view.transcript.log.addEventListener(event, () => this.chips.enter(), { signal });
  }

  /** @param {State} state */
  update(state) {
    this.growing.update(state);
    this.choosing.update(state);
    this.chips.update();
  }

  receive() {}

  dispose() {
    this.#ended.abort();
    this.choosing.dispose();
  }

  /** Opens the panel with a list. @param {NBest} list */
  open({ id }) {
    this.view.drawer.panels.open(this.panel);
    this.panel.lists.open(id);
  }

  /** Opens the panel to answer a message in several ways. @param {Turn} turn */
  beside(turn) {
    this.view.drawer.panels.open(this.panel);
    this.panel.sides.answer(turn);
    this.panel.asking.open = true;
    this.panel.asking.scrollIntoView?.({ block: "nearest" });
    this.panel.sides.go.focus({ preventScroll: true });
  }

  /** Puts the versions of a turn beside each other, in its place. @param {TurnView} turnView @param {Turn} turn */
  compare(turnView, turn) {
    const { transcript, state } = this.view;
    const versions = state.tree.children(turn.parent).flatMap((id) => state.turns.get(id) ?? []);
    const close = () => {
      turnView.put(null);
      turnView.focus("more");
    };
    const choose = (/** @type {Turn} */ chosen) => {
      close();
      if (chosen !== turn) transcript.hooks.select(chosen.id);
    };
    const compare = new Compare(versions, versions.indexOf(turn), { choose, close });
    transcript.commands.open(turnView, compare, true);
  }

  /** Goes on with a reply of a list. @param {NBest} list @param {number} place
   * @returns {Promise<string>} why it could not, or nothing */
  async pick({ id, candidates }, place) {
    const { view } = this;
    const candidate = /** @type {Candidate} */ (candidates[place]);
    try {
      if (view.able) await view.requests.request("pick", { nbest: id, place });
      else await view.verbs.select(candidate.turn);
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
    view.announcer.say(`Chosen: ${candidate.text}`);
    return "";
  }

  /** @param {number} turn */
  #mark(turn) {
    const { turns, path } = this.view.state;
    if (!turns.has(turn)) return null;
    return path.some(({ id }) => id === turn) ? "chosen" : "version";
  }

  /** Tokens that were asked for are here. */
  #show() {
    this.choosing.update(this.view.state);
    if (this.panel.element.isConnected) this.panel.update();
  }
}

/** Adds to a chat what shows how replies are chosen. @param {View} view */
function attach(view) {
  return new Decider(view);
}

export default { attach };
