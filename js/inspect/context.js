import { h } from "../chat/dom.js";
import { Bar } from "./contextbar.js";
import { total } from "./contextseen.js";
import { counted, grouped, NEEDS } from "./format.js";

/** @import { Answer, Meter, Op, Turn } from "../wire.js" */
/** @import { Shape } from "./contextbar.js" */
/** @import { Seen } from "./contextseen.js" */

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
