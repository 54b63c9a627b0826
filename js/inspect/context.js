import { h } from "../chat/dom.js";
import { Bar } from "./contextbar.js";
import { counted, grouped } from "./format.js";

/** @import { Answer, Meter, Op, Turn } from "../wire.js" */

const TRAINED = 128; // tokens of the sequences that DialoGPT learned from
const NAMED = 32; // characters of a turn that tell which it is

/**
 * @typedef {object} Facts
 * @property {Turn[]} path
 * @property {Meter | null} meter
 * @property {number} room tokens kept free for a reply
 * @property {string} model
 * @property {boolean} live
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
    this.element = h("div", "dgpt-group", {}, this.bar.element, this.facts, this.what);
    this.list.addEventListener("change", (event) =>
      this.#toggle(Number(/** @type {HTMLInputElement} */ (event.target).value)),
    );
  }

  /** @param {Facts} facts */
  update({ path, meter, room, model, live }) {
    const shown = [path, meter?.first, meter?.used, meter?.reused, meter?.window, room, model, live];
    if (shown.every((one, at) => one === this.#shown[at])) return;
    const samePath = path === this.#shown[0] && meter?.first === this.#shown[1];
    this.#shown = shown;
    this.element.hidden = false;
    if (!samePath) this.#out.clear();
    const first = meter?.first === null ? 0 : path.findIndex(({ id }) => id === meter?.first);
    const seen = path.slice(Math.max(0, first));
    const fallen = path.slice(0, Math.max(0, first));
    this.#reply = path.findLast(({ role, made }) => role === "assistant" && made)?.id ?? null;
    const before = seen.slice(
      0,
      Math.max(
        0,
        seen.findIndex(({ id }) => id === this.#reply),
      ),
    );
    this.#tell(seen, fallen, meter, room, model);
    this.bar.show({
      turns: seen.map((turn) => ({ turn, tokens: turn.tokens + 1 })),
      choosable: new Set(live ? before.map(({ id }) => id) : []),
      fallen: total(fallen),
      cut: meter?.cut ?? 0,
      window: meter?.window ?? total(seen),
      room,
      reused: meter?.reused ?? 0,
      mark: /DialoGPT/i.test(model) ? TRAINED : 0,
      out: this.#out,
    });
    this.#offer(before, live);
  }

  /** @param {Turn[]} seen @param {Turn[]} fallen @param {Meter | null} meter @param {number} room @param {string} model */
  #tell(seen, fallen, meter, room, model) {
    const used = meter?.used ?? total(seen);
    /** @type {[string, string][]} */
    const facts = [
      [
        "In the window",
        `${grouped(used)} of ${counted(meter?.window ?? used, "token")}, ${counted(seen.length, "turn")}`,
      ],
      [
        "Fell out",
        fallen.length ? `${counted(fallen.length, "turn")}, ${counted(total(fallen), "token")}` : "nothing",
      ],
    ];
    if (meter?.cut)
      facts.push(["Cut", `the first ${counted(meter.cut, "token")} of a turn too long by itself`]);
    facts.push(["Kept free", `${counted(room, "token")} for the reply`]);
    if (typeof meter?.reused === "number")
      facts.push([
        "Read before",
        `${counted(meter.reused, "token")} of the last reply’s context were still in the cache`,
      ]);
    if (/DialoGPT/i.test(model))
      facts.push([
        "Mark at 128",
        "where the sequences ended that DialoGPT learned from; beyond, it is off its ground",
      ]);
    this.facts.replaceChildren(
      ...facts.map(([name, value]) => h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value))),
    );
  }

  /** @param {Turn[]} turns what the last reply answered @param {boolean} live */
  #offer(turns, live) {
    const able = live && this.#reply !== null && turns.length > 0;
    this.list.hidden = this.result.hidden = !able;
    this.lead.textContent = able
      ? "How probable would the last reply have been without it? One pass through the model each, exact."
      : live
        ? "There is no reply of this model yet that follows something."
        : "This needs the model: run the notebook’s cell again.";
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

/** @param {Turn[]} turns */
const total = (turns) => turns.reduce((sum, { tokens }) => sum + tokens + 1, 0);

/** @param {number} less @param {number} whole nat @param {number} count of turns left out */
export function verdict(less, whole, count) {
  const gone = count === 1 ? "Without this turn" : `Without these ${count} turns`;
  const change = less - whole;
  const numbers = `${less.toFixed(2)} nats instead of ${whole.toFixed(2)}`;
  if (Math.abs(change) < 0.005) return `${gone} the last reply would be just as likely: ${numbers}.`;
  const factor = Math.exp(Math.abs(change));
  const times =
    factor >= 1e6
      ? `e${Math.abs(change).toFixed(1)} (over a million)`
      : grouped(Number(factor.toPrecision(3)));
  const sign = change > 0 ? "+" : "−";
  return `${gone} the last reply would be ${times} times ${change > 0 ? "more" : "less"} likely: ${sign}${Math.abs(change).toFixed(2)} nats (${numbers}).`;
}
