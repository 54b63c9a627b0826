/** @import { Answer, Info, Meter, Model, Op, Turn } from "../../protocol.js" */

import { h, onClick } from "../../ui/dom.js";
import { valuesOf } from "../request.js";
import { counted, grouped, NEEDS } from "../tokens/names.js";

/**
 * @typedef {object} Shape
 * @property {{turn: Turn, tokens: number}[]} turns in the window
 * @property {Set<number>} choosable
 * @property {number} fallen tokens that no longer fit
 * @property {number} cut
 * @property {number} window
 * @property {number} room
 * @property {number} reused
 * @property {number} mark 0 for none
 * @property {Set<number>} out left out for a moment
 */

const GHOST = 1 / 6; // of the bar, at most, for what fell out

/** The window as a bar, for eyes and the pointer; what it shows is said in words beside it. */
class Bar {
  /** @param {(turn: number) => void} choose */
  constructor(choose) {
    this.row = h("div", "dgpt-window");
    this.under = h("div", "dgpt-window-under");
    this.element = h("div", "dgpt-context-bar", { "aria-hidden": "true" }, this.row, this.under);
    onClick(this.row, (event) => {
      const turn = /** @type {HTMLElement} */ (event.target).dataset.turn;
      if (turn !== undefined && "choosable" in /** @type {HTMLElement} */ (event.target).dataset)
        choose(Number(turn));
    });
  }

  /** @param {Shape} shape */
  show({ turns, choosable, fallen, cut, window, room, reused, mark, out }) {
    const ghost = fallen ? Math.min(GHOST, fallen / (fallen + window)) : 0;
    const wide = (/** @type {number} */ tokens) => `${((tokens / window) * (1 - ghost) * 100).toFixed(3)}%`;
    const at = (/** @type {number} */ tokens) => `${((tokens / window) * (1 - ghost) + ghost) * 100}%`;
    const parts = turns.map(({ turn, tokens }, place) => {
      const part = h("div", "dgpt-window-turn", { "data-turn": String(turn.id), "data-role": turn.role });
      part.style.width = wide(place ? tokens : tokens - cut);
      part.title = `${turn.role === "user" ? "You" : "Model"}, ${tokens} tokens: ${turn.text.slice(0, 80)}`;
      part.toggleAttribute("data-choosable", choosable.has(turn.id));
      return part;
    });
    const gone = h("div", "dgpt-window-fallen", { title: `${fallen} tokens fell out` });
    gone.style.width = `${ghost * 100}%`;
    const used = turns.reduce((sum, { tokens }) => sum + tokens, -cut);
    const free = h("div", "dgpt-window-room", { title: `${room} tokens kept free for the reply` });
    free.style.width = wide(Math.min(room, Math.max(0, window - used)));
    this.row.replaceChildren(...(fallen ? [gone] : []), ...parts, free);
    const cached = h("div", "dgpt-window-reused");
    cached.style.insetInlineStart = at(0);
    cached.style.width = wide(Math.min(reused, used));
    const scale = [
      ["0", 0],
      ...(mark && mark < window ? [[`${mark}`, mark]] : []),
      [`${window}`, window],
    ].map(([words, tokens]) => {
      const tick = h("span", "dgpt-window-tick dgpt-small", {}, String(words));
      tick.style.insetInlineStart = at(Number(tokens));
      if (tokens === window) tick.dataset.end = "";
      if (tokens === mark) tick.dataset.mark = "";
      return tick;
    });
    this.under.replaceChildren(cached, ...scale);
    this.leave(out);
  }

  /** @param {Set<number>} out */
  leave(out) {
    for (const part of this.row.querySelectorAll("[data-turn]"))
      part.toggleAttribute("data-out", out.has(Number(/** @type {HTMLElement} */ (part).dataset.turn)));
  }
}

const ROOM = 128; // tokens kept free for a reply, at most

/** Tokens of turns, the end of each included. @param {Turn[]} turns */
const total = (turns) => turns.reduce((sum, { tokens }) => sum + tokens + 1, 0);

/** Tokens kept free for a reply. @param {number} longest @param {number} window */
export const roomOf = (longest, window) => Math.min(longest, ROOM, Math.floor(window / 2));

/**
 * @typedef {object} Seen what a reply saw when it was made
 * @property {Turn} reply
 * @property {Turn[] | null} turns null where it is not recorded
 * @property {Turn[]} fallen those that no longer fitted
 * @property {number} cut tokens of the first turn that did not fit
 * @property {number} window
 * @property {number} room
 */

/**
 * What an older reply of the path saw.
 *
 * @param {Pick<Model, "get">} model @param {Info} info @param {Turn[]} path @param {number | null | undefined} id
 * @returns {Seen | null} null where it is no reply of a model, or the last turn
 */
export function seenBy(model, info, path, id) {
  const place = path.findIndex((turn) => turn.id === id);
  const reply = path[place];
  if (!reply?.made || place === path.length - 1) return null;
  const { max_context = 1000, max_new_tokens = ROOM } = valuesOf(model, reply);
  const positions = reply.model === info.name ? info.positions : null;
  const window = Math.min(max_context, positions ?? max_context);
  const { first, seen } = reply.made;
  const start = path.findIndex((turn) => turn.id === first);
  const turns = start < 0 ? null : path.slice(start, place);
  return {
    reply,
    turns,
    fallen: path.slice(0, Math.max(0, start)),
    cut: turns && typeof seen === "number" ? Math.max(0, total(turns) - seen) : 0,
    window,
    room: roomOf(max_new_tokens, window),
  };
}

const TRAINED = 128; // tokens of the sequences that DialoGPT learned from
const NAMED = 32; // characters of a turn that tell which it is

/**
 * @typedef {object} Facts
 * @property {Turn[]} path
 * @property {Meter | null} meter
 * @property {number} room tokens kept free for a reply
 * @property {string} model
 * @property {boolean} live
 * @property {Seen | null} seen what the older reply saw that the reader has open
 */

/** What of the chat the model sees: the window as a bar, and what the last reply owes to each turn. */
export class Context {
  /** @type {Set<number>} */
  #out = new Set();
  /** @type {unknown[]} */
  #shown = [];
  #asked = 0;
  /** @type {number | null} the reply that is asked about */
  #reply = null;

  /** @param {(op: Op, args: Record<string, unknown>) => Promise<Answer>} ask */
  constructor(ask) {
    this.ask = ask;
    this.bar = new Bar((turn) => this.#toggle(turn));
    this.whose = h("h4", "");
    this.facts = h("dl", "dgpt-facts dgpt-small");
    this.lead = h("p", "dgpt-small");
    this.list = h("div", "dgpt-turn-list", { role: "group", "aria-label": "What the model is to see" });
    this.result = h("p", "dgpt-result", { role: "status" });
    this.what = h(
      "section",
      "dgpt-group",
      {},
      h("h4", "", {}, "Leave a turn out"),
      this.lead,
      this.list,
      this.result,
    );
    this.element = h("div", "dgpt-group", {}, this.whose, this.bar.element, this.facts, this.what);
    this.list.addEventListener("change", (event) =>
      this.#toggle(Number(/** @type {HTMLInputElement} */ (event.target).value)),
    );
  }

  /** @param {Facts} facts */
  update({ path, meter, room, model, live, seen }) {
    const shown = [
      path,
      meter?.first,
      meter?.used,
      meter?.reused,
      meter?.window,
      room,
      model,
      live,
      seen?.reply,
    ];
    if (shown.every((one, at) => one === this.#shown[at])) return;
    const same = [0, 1, 8].every((at) => shown[at] === this.#shown[at]);
    this.#shown = shown;
    if (!same) this.#out.clear();
    const first = path.findIndex(({ id }) => id === meter?.first);
    const start = Math.max(0, first);
    const fallen = seen?.fallen ?? path.slice(0, start);
    const turns = seen ? (seen.turns ?? []) : path.slice(start);
    const last = path.findLast(({ role, made }) => role === "assistant" && made);
    this.#reply = seen?.reply.id ?? last?.id ?? null;
    const answered = seen ? turns : turns.slice(0, Math.max(0, last ? turns.indexOf(last) : 0));
    const used = seen ? total(turns) - seen.cut : (meter?.used ?? total(turns));
    const shape = {
      fallen: total(fallen),
      cut: (seen ?? meter)?.cut ?? 0,
      window: seen?.window ?? meter?.window ?? used,
      room: seen?.room ?? room,
      reused: seen ? null : (meter?.reused ?? null),
    };
    const unknown = seen !== null && seen.turns === null;
    this.whose.textContent = seen ? "What this reply saw" : "What the next reply will see";
    this.bar.element.hidden = unknown;
    if (unknown)
      this.facts.replaceChildren(fact("Not recorded", "this reply comes from a chat that did not keep it"));
    else this.#tell({ ...shape, used, turns: turns.length, gone: fallen.length, model });
    this.bar.show({
      ...shape,
      turns: turns.map((turn) => ({ turn, tokens: turn.tokens + 1 })),
      choosable: new Set(live ? answered.map(({ id }) => id) : []),
      reused: shape.reused ?? 0,
      mark: marked(model, shape.window) ? TRAINED : 0,
      out: this.#out,
    });
    this.#offer(answered, live);
  }

  /** @param {Pick<Shape, "fallen" | "cut" | "window" | "room"> & Record<"used" | "turns" | "gone", number>
   *   & {reused: number | null, model: string}} shown */
  #tell({ used, window, turns, gone, fallen, cut, room, reused, model }) {
    /** @type {[string, string][]} */
    const facts = [
      ["In the window", `${grouped(used)} of ${counted(window, "token")}, ${counted(turns, "turn")}`],
      ["Fell out", gone ? `${counted(gone, "turn")}, ${counted(fallen, "token")}` : "nothing"],
    ];
    if (cut) facts.push(["Cut", `the first ${counted(cut, "token")} of a turn too long by itself`]);
    facts.push(["Kept free", `${counted(room, "token")} for the reply`]);
    if (reused !== null)
      facts.push([
        "Read before",
        `${counted(reused, "token")} of the last reply’s context were still in the cache`,
      ]);
    if (marked(model, window))
      facts.push([
        "Mark at 128",
        "where the sequences ended that DialoGPT learned from; beyond, it is off its ground",
      ]);
    this.facts.replaceChildren(...facts.map(([name, value]) => fact(name, value)));
  }

  /** @param {Turn[]} turns what the reply answered @param {boolean} live */
  #offer(turns, live) {
    const able = live && this.#reply !== null && turns.length > 0;
    this.list.hidden = this.result.hidden = !able;
    this.lead.textContent = able
      ? "How probable would the reply have been without it? One pass through the model each, exact."
      : live
        ? "No reply of this model follows a turn here."
        : NEEDS;
    this.list.replaceChildren(
      ...(able ? turns : []).map((turn) => {
        const box = h("input", "", { type: "checkbox", value: String(turn.id) });
        box.checked = !this.#out.has(turn.id);
        const said = turn.text.length > NAMED ? `${turn.text.slice(0, NAMED)}…` : turn.text;
        const who = h("strong", "", {}, turn.role === "user" ? "You" : "Model");
        const count = h("span", "dgpt-small", {}, counted(turn.tokens + 1, "token"));
        return h("label", "", {}, box, who, h("span", "", {}, said), count);
      }),
    );
    if (!this.#out.size) this.result.textContent = "";
  }

  /** @param {number} turn */
  #toggle(turn) {
    if (!this.#out.delete(turn)) this.#out.add(turn);
    for (const box of this.list.querySelectorAll("input")) box.checked = !this.#out.has(Number(box.value));
    this.bar.leave(this.#out);
    this.#weigh();
  }

  async #weigh() {
    const asked = ++this.#asked;
    const turns = [...this.#out].sort((a, b) => a - b);
    if (!turns.length) {
      this.result.textContent = "";
      return;
    }
    this.result.textContent = "Asking the model…";
    const words = await this.ask("without", { turn: this.#reply, turns }).then(
      (answer) => verdict(answer.logprob, answer.logprob_with, turns.length),
      (error) => error.message,
    );
    if (asked === this.#asked) this.result.textContent = words;
  }
}

/** Whether the window goes beyond what a model learned from. @param {string} model @param {number} window */
const marked = (model, window) => /^DialoGPT/i.test(model) && window > TRAINED;

/** @param {string} name @param {string} value */
const fact = (name, value) => h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value));

/** @param {number} less @param {number} whole nat @param {number} count of turns left out */
export function verdict(less, whole, count) {
  const gone = count === 1 ? "Without this turn" : `Without these ${count} turns`;
  const change = less - whole;
  const numbers = `${signed(less)} nats instead of ${signed(whole)}`;
  if (Math.abs(change) < 0.005) return `${gone} the reply would be just as likely: ${numbers}.`;
  const factor = Math.exp(Math.abs(change));
  const times =
    factor >= 1e6
      ? `e${Math.abs(change).toFixed(1)} (over a million)`
      : grouped(Number(factor.toPrecision(3)));
  return `${gone} the reply would be ${times} times ${change > 0 ? "more" : "less"} likely: ${change > 0 ? "+" : ""}${signed(change)} nats (${numbers}).`;
}

/** @param {number} nats */
const signed = (nats) => nats.toFixed(2).replace("-", "−");
