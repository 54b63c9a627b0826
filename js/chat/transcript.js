/** @import { Turn } from "../protocol.js" */
/** @import { State } from "../state.js" */
/** @import { Act } from "./actions.js" */

import { button, focus, h, icon, onClick } from "../ui/dom.js";
import { Follower, Near, reveal } from "../ui/scroll.js";
import { availableActions, walkActions } from "./actions.js";
import { Find } from "./find.js";
import { Queue } from "./queue.js";
import { TurnView, versionStep } from "./turn.js";
import { TurnCommands } from "./turn-commands.js";
import { Divider, Parts } from "./turn-list.js";

const MOMENT = 150; // milliseconds that a selection has to last before the kernel hears of it

/** The turn that the reader has selected: marked on the page, and told to the kernel once it has settled. */
class Pin {
  /** @type {number | null} */
  turn = null;
  /** @type {number | null} */
  #told = null;
  #timer = 0;

  /** @param {(turn: number | null) => void} tell */
  constructor(tell) {
    this.tell = tell;
  }

  /** @param {number | null} turn */
  set(turn) {
    this.turn = turn;
    clearTimeout(this.#timer);
    if (turn === this.#told) return;
    this.#timer = /** @type {any} */ (
      setTimeout(() => {
        this.#told = turn;
        this.tell(turn);
      }, MOMENT)
    );
  }

  dispose() {
    clearTimeout(this.#timer);
  }
}

/**
 * @typedef {object} OwnHooks
 * @property {(item: string) => void} withdraw
 * @property {() => void} unfocus called when what had the focus has gone
 * @property {(turn: number | null) => void} pin tells which turn the reader has selected
 * @typedef {OwnHooks & import("./turn-commands.js").Hooks} Hooks
 */

const NEAR = 600; // pixels from what is seen at which a turn gets what is beneath it

/** The conversation: its turns, the reply that is being said, and what waits to be sent. */
export class Transcript {
  /** @type {Map<number, TurnView>} those on the page, root first */
  views = new Map();
  /** Told of turns that have come near what the reader sees, or have gone from there.
   * @type {Set<(view: TurnView, near: boolean) => void>} */
  furnishers = new Set();
  /** @type {State | null} */
  #state = null;
  #live = true;
  #shown = "";
  /** @type {TurnView | undefined} where the Tab key comes in */
  #entry;

  /** @param {Hooks} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.commands = new TurnCommands(hooks, (view) => this.#reveal(() => view.element));
    this.pin = new Pin(hooks.pin);
    this.turns = new Parts((part) => this.near.unobserve(part));
    this.queue = new Queue(hooks.withdraw, hooks.unfocus);
    this.flow = h("div", "dgpt-flow", {}, this.turns.element, this.queue.element);
    this.log = h(
      "div",
      "dgpt-log",
      { role: "log", "aria-label": "Conversation", "aria-live": "off", tabindex: "0" },
      this.flow,
    );
    this.jump = button(
      "Jump to latest",
      "dgpt-plain dgpt-round dgpt-jump",
      icon("M8 3v10M3.5 8.5 8 13l4.5-4.5"),
    );
    this.jump.hidden = true;
    this.divider = new Divider();
    this.follower = new Follower(this.log, this.flow, () => {
      if (this.jump.matches(":focus")) focus(this.log);
      this.jump.hidden = this.follower.following;
    });
    this.find = new Find({
      views: () => this.views.values(),
      reveal: (find) => this.#reveal(find),
      unfocus: hooks.unfocus,
    });
    const { menu } = this.commands;
    this.element = h("div", "dgpt-transcript", {}, this.find.element, this.log, this.jump, menu.element);
    this.near = new Near(this.log, NEAR, (entry) => this.#see(entry));
    onClick(this.jump, () => this.follower.follow());
    onClick(this.log, (event) => this.#act(event));
    this.log.addEventListener("keydown", (event) => this.#key(event));
    this.log.addEventListener("focusin", (event) => this.#select(this.#viewOf(event.target)));
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    this.#state = state;
    this.#live = live;
    const { path, answer, queue, tree } = state;
    this.element.hidden = path.length === 0 && !answer && queue.length === 0;
    this.log.style.setProperty("--d-height", state.height === null ? "" : `${state.height}px`);
    const shown = [path.at(-1)?.id, tree.revision, state.status.turn, state.status.parent, live].join();
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#arrange(state);
    }
    if (answer) {
      const view = this.views.get(answer.turn);
      view?.say(answer.text);
      view?.run();
    }
    this.divider.update(state.meter, path, (id) => this.views.get(id)?.element);
    this.queue.update(queue);
    this.find.update();
  }

  /** Opens an editor in a turn, if it is on the page. @param {number} id @param {string} draft */
  edit(id, draft) {
    const view = this.views.get(id);
    const turn = this.#state?.turns.get(id);
    if (view && turn) this.commands.edit(view, turn, draft);
  }

  /** Lets go of the selected turn. @returns {boolean} whether there was one */
  unpin() {
    const pinned = this.pin.turn !== null;
    if (pinned) this.#mark(null);
    return pinned;
  }

  /** Watches another scroll container like the log. @param {ConstructorParameters<typeof Near>} watched */
  watch(...watched) {
    return new Near(...watched);
  }

  /** @param {(view: TurnView, near: boolean) => void} furnish adds to the turns that are near */
  furnish(furnish) {
    this.furnishers.add(furnish);
    this.near.again();
  }

  dispose() {
    this.follower.dispose();
    this.near.disconnect();
    this.pin.dispose();
    this.find.dispose();
    this.commands.menu.close(false);
  }

  /** Brings the turns on the page into the order of the path; what stays is not touched. @param {State} state */
  #arrange(state) {
    const running = state.answer && !state.turns.has(state.answer.turn) ? state.answer.turn : null;
    const shown = new Set(state.path.map((turn) => turn.id));
    if (running !== null) shown.add(running);
    const left = this.#leave(shown);
    this.divider.leave();
    for (const id of shown) {
      const turn = state.turns.get(id);
      this.#furnish(this.#view(id, turn, state), turn, state);
    }
    const views = [...this.views.values()];
    const moved = this.turns.arrange(views.map((view) => view.element));
    for (const part of new Set(moved.map((element) => /** @type {Element} */ (element.parentElement))))
      this.near.observe(part);
    this.#enter(views.find((view) => view.id === this.pin.turn) ?? views.at(-1));
    if (left) this.#inherit(left, views);
    if (this.pin.turn !== null && !this.views.has(this.pin.turn)) this.#mark(null);
    this.commands.menu.keep();
  }

  /** Takes away what is not on the path any more. @param {Set<number>} shown
   * @returns {{parent: number | null, name: string} | null} where the focus was, if it has gone */
  #leave(shown) {
    let left = null;
    for (const [id, view] of this.views) {
      if (shown.has(id)) continue;
      const focused = view.element.matches(":focus") ? view.element : view.element.querySelector(":focus");
      if (focused) {
        const { act, step } = /** @type {HTMLElement} */ (focused).dataset;
        left = { parent: view.parent, name: act ?? step ?? "" };
      }
      view.element.remove();
      this.views.delete(id);
    }
    return left;
  }

  /** Another version of a turn that had the focus takes it over.
   * @param {{parent: number | null, name: string}} left @param {TurnView[]} views */
  #inherit({ parent, name }, views) {
    const heir = views.find((view) => view.parent === parent);
    heir?.see(true);
    if (heir) heir.focus(name);
    else this.hooks.unfocus();
  }

  /** @param {number} id @param {Turn | undefined} turn @param {State} state */
  #view(id, turn, state) {
    const known = this.views.get(id);
    const parent = turn ? turn.parent : state.status.parent;
    const view = known ?? new TurnView(id, parent, turn?.role ?? "assistant", state.info.title);
    this.views.delete(id); // so that they are in the order of the path
    this.views.set(id, view);
    return view;
  }

  /** @param {TurnView} view @param {Turn | undefined} turn @param {State} state */
  #furnish(view, turn, state) {
    if (turn) view.settle(turn);
    const versions = state.versions(view.parent);
    const unanswered = turn?.role === "user" && turn === state.path.at(-1) && !state.answer;
    const acts = turn ? availableActions(turn, this.#live, unanswered, versions.length > 1) : [];
    view.offer(acts, versions.indexOf(view.id) + 1, versions.length);
  }

  /** @param {TurnView | undefined} view */
  #enter(view) {
    if (view === this.#entry) return;
    this.#entry?.enter(false);
    this.#entry = view;
    view?.enter(true);
  }

  /** Brings something into sight that is not at the end. @param {() => Element | Range} find */
  #reveal(find) {
    this.follower.release();
    reveal(this.log, find);
  }

  /** @param {TurnView | undefined} view */
  #select(view) {
    if (!view) return;
    this.#enter(view);
    this.#mark(view);
  }

  /** @param {TurnView | null} view */
  #mark(view) {
    const before = this.pin.turn === null ? undefined : this.views.get(this.pin.turn);
    const pinned = view && this.#state?.turns.has(view.id) ? view : null;
    before?.element.removeAttribute("aria-current");
    pinned?.element.setAttribute("aria-current", "true");
    this.pin.set(pinned?.id ?? null);
  }

  /** @param {EventTarget | null} target */
  #viewOf(target) {
    const turn = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-turn]"));
    return this.views.get(Number(turn?.dataset.turn));
  }

  /** @param {IntersectionObserverEntry} entry of a part */
  *#see({ target, isIntersecting }) {
    for (const element of target.children) {
      const view = this.#viewOf(element);
      if (!view) continue;
      view.see(isIntersecting);
      for (const furnish of this.furnishers) furnish(view, isIntersecting);
      yield;
    }
    this.find.update();
  }

  /** @param {MouseEvent} event */
  #act(event) {
    const view = this.#viewOf(event.target);
    this.#select(view); // where a tap does not focus
    if (!view || this.#step(event, view)) return;
    const act = /** @type {Element} */ (event.target).closest("[data-act]")?.getAttribute("data-act");
    const turn = this.#state?.turns.get(view.id);
    if (act && turn && this.#state)
      this.commands.do(/** @type {Act} */ (act), view, turn, this.#state, this.#live);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const view = this.#viewOf(event.target);
    if (!view || event.defaultPrevented) return;
    if (this.#step(event, view) || (event.target === view.element && this.#walk(event.key, view)))
      event.preventDefault();
    else walkActions(event);
  }

  /** Goes to another version. @param {Event} event @param {TurnView} view @returns {boolean} whether that was meant */
  #step(event, view) {
    const by = versionStep(event);
    const versions = this.#state?.versions(view.parent) ?? [];
    const place = versions.indexOf(view.id) + by;
    const to = versions[place];
    if (by === 0 || to === undefined) return by !== 0;
    this.follower.release();
    const words = `Version ${place + 1} of ${versions.length}`;
    this.hooks.select(to).then((done) => done && this.hooks.say(words));
    return true;
  }

  /** Walks from turn to turn. @param {string} key @param {TurnView} view @returns {boolean} whether it does */
  #walk(key, view) {
    const views = [...this.views.values()];
    const at = views.indexOf(view);
    const place = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: views.length - 1 }[key];
    if (place === undefined) return false;
    const to = views[place];
    focus(to?.element);
    if (to) this.#reveal(() => to.element);
    return true;
  }
}
