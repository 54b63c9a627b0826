import { walkActions } from "./actions.js";
import { copyText } from "./copy.js";
import { button, h, icon } from "./dom.js";
import { Queue } from "./queue.js";
import { Follower } from "./scroll.js";
import { TurnView } from "./turn.js";

/** @import { State } from "../state.js" */
/** @import { Meter, Turn } from "../wire.js" */

/** The conversation: its turns, the reply that is being said, and what waits to be sent. */
export class Transcript {
  /** @type {Map<number, TurnView>} */
  #views = new Map();
  /** @type {Turn[]} */
  #path = [];
  /** @type {number | null} */
  #running = null;
  /** @type {Meter | null | undefined} what the divider tells of */
  #meter;

  /** @param {{withdraw: (item: string) => void, unfocus: () => void, say: (text: string) => void}} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    this.turns = h("div", "dgpt-turns");
    this.queue = new Queue(hooks.withdraw, hooks.unfocus);
    this.flow = h("div", "dgpt-flow", {}, this.turns, this.queue.element);
    this.log = h(
      "div",
      "dgpt-log",
      { role: "log", "aria-label": "Conversation", "aria-live": "off", tabindex: "0" },
      this.flow,
    );
    this.jump = button("Jump to latest", "dgpt-round dgpt-jump", icon("M8 3v10M3.5 8.5 8 13l4.5-4.5"));
    this.jump.hidden = true;
    this.divider = h("div", "dgpt-divider", { role: "note" });
    this.element = h("div", "dgpt-transcript", {}, this.log, this.jump);
    this.follower = new Follower(this.log, this.flow, () => {
      if (this.jump.matches(":focus")) this.log.focus({ preventScroll: true });
      this.jump.hidden = this.follower.following;
    });
    this.jump.addEventListener("click", () => this.follower.follow());
    this.log.addEventListener("click", (event) => this.#act(event));
    this.log.addEventListener("keydown", walkActions);
  }

  /** @param {State} state */
  update(state) {
    const { path, reply, queue } = state;
    this.element.hidden = path.length === 0 && !reply && queue.length === 0;
    this.log.style.maxHeight = state.height === null ? "" : `${state.height}px`;
    const running = reply && reply.turn !== path.at(-1)?.id ? reply.turn : null;
    if (path !== this.#path || running !== this.#running) {
      this.#path = path;
      this.#running = running;
      this.#arrange(state);
    }
    if (reply && running !== null) {
      const view = this.#view(running, "assistant", state);
      view.say(reply.text);
      view.settle(true, null);
    }
    this.#divide(state.meter);
    this.queue.update(queue);
  }

  dispose() {
    this.follower.dispose();
  }

  /** Brings the turns on the page into the order of the path; what stays is not touched. @param {State} state */
  #arrange(state) {
    const shown = new Set(this.#path.map((turn) => turn.id));
    if (this.#running !== null) shown.add(this.#running);
    for (const [id, view] of this.#views) {
      if (shown.has(id)) continue;
      view.element.remove();
      this.#views.delete(id);
    }
    this.divider.remove();
    this.#meter = undefined;
    let next = this.turns.firstChild;
    for (const id of shown) {
      const turn = state.turns.get(id);
      const view = this.#view(id, turn?.role ?? "assistant", state);
      if (turn && id !== this.#running) {
        view.say(turn.text);
        view.settle(false, turn.stop);
      }
      if (view.element === next) next = next.nextSibling;
      else this.turns.insertBefore(view.element, next);
    }
  }

  /** @param {number} id @param {Turn["role"]} role @param {State} state */
  #view(id, role, state) {
    let view = this.#views.get(id);
    if (!view) {
      view = new TurnView(id, role, state.info.title);
      this.#views.set(id, view);
    }
    return view;
  }

  /** Marks where the model's window begins. @param {Meter | null} meter */
  #divide(meter) {
    if (meter === this.#meter) return;
    this.#meter = meter;
    const start = meter ? this.#path.findIndex((turn) => turn.id === meter.first) : -1;
    this.#path.forEach((turn, place) => {
      this.#views.get(turn.id)?.element.toggleAttribute("data-out", place < start);
    });
    const words = meter && start >= 0 ? missing(start, meter.cut > 0) : "";
    this.divider.textContent = words;
    const first = this.#path[start];
    if (words && first) this.#views.get(first.id)?.element.before(this.divider);
    else this.divider.remove();
  }

  /** @param {MouseEvent} event */
  async #act(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-act]");
    const turn = /** @type {HTMLElement | null | undefined} */ (button?.closest("[data-turn]"));
    const view = this.#views.get(Number(turn?.dataset.turn));
    if (!view || button?.getAttribute("data-act") !== "copy") return;
    const copied = await copyText(view.node.data, this.element);
    const words = copied ? "Copied" : "Copying failed";
    view.actions.report("copy", copied, words);
    this.hooks.say(words);
  }
}

/** What the model does not see of a path. @param {number} turns before its window @param {boolean} cut */
function missing(turns, cut) {
  if (cut) return "Only the end of this message is in the model’s window";
  if (turns === 0) return "";
  return `${turns === 1 ? "The turn above is" : "Earlier turns are"} no longer in the model’s window`;
}
