/** @import { Transcript } from "../../chat/transcript.js" */
/** @import { Requests } from "../../comm/requests.js" */
/** @import { Model, Turn } from "../../protocol.js" */
/** @import { State } from "../../state.js" */
/** @import { TurnTokens } from "../tokens/rows.js" */

import { copyText } from "../../ui/clipboard.js";
import { button, h, onClick } from "../../ui/dom.js";
import { Strip } from "../strip/strip.js";
import { Context, roomOf, seenBy } from "./context.js";
import { Depth } from "./layers.js";
import { Score } from "./score.js";

/**
 * @typedef {object} Parts
 * @property {Pick<Model, "get">} model
 * @property {Pick<Requests, "request">} requests
 * @property {State} state
 * @property {(turn: number) => TurnTokens | null} tokensOf
 * @property {(turn: number, index: number) => void} open explains a token
 * @property {() => boolean} live whether a kernel answers
 * @property {Transcript["watch"]} watch
 * @property {() => number | null} selected the turn that the reader has selected
 */

/** All that is known of the tokens of a path; a panel beside the chat. */
export class InspectPanel {
  title = "Inspect";
  /** @type {{turn: number, index: number} | null} the token that is looked at */
  #at = null;
  /** @type {Turn[]} */
  #path = [];
  #wanted = true; // to bring the newest reply into sight

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    const { requests, tokensOf, open } = parts;
    const ask = requests.request.bind(requests);
    this.strip = new Strip(tokensOf, {
      open,
      watch: parts.watch,
      chosen: (turn, index) => this.#choose(turn, index),
    });
    this.context = new Context(ask);
    this.score = new Score(ask, tokensOf);
    this.depth = new Depth(ask, tokensOf);
    /** @type {Map<HTMLDetailsElement, () => void>} what a section does when it is in sight */
    this.sections = new Map([
      [section("Tokens", this.strip.element, true), () => this.#strip()],
      [section("Context", this.context.element), () => this.#context()],
      [section("Score", this.score.element), () => this.score.update(this.#path, parts.live())],
      [section("Deeper", this.depth.element), () => this.#depth()],
    ]);
    this.empty = h("p", "", {}, "Nothing has been said yet.");
    this.element = h("div", "dgpt-inspect", {}, this.empty, ...this.sections.keys());
    for (const [details, update] of this.sections)
      details.addEventListener("toggle", () => details.open && update());
  }

  dispose() {
    this.strip.dispose();
  }

  update() {
    this.#path = this.parts.state.path;
    this.empty.hidden = this.#path.length > 0;
    for (const [details, update] of this.sections) {
      details.hidden = this.#path.length === 0;
      if (details.open && !details.hidden) update();
    }
    if (!this.#wanted || !this.#path.length) return;
    this.#wanted = false;
    requestAnimationFrame(() => {
      if (!this.#at) this.strip.end();
    });
  }

  /** Takes in what has changed, and goes to the token that is explained. @param {{turn: number, index: number} | null} at */
  follow(at) {
    if (!this.element.isConnected) return;
    const moved = at && (at.turn !== this.#at?.turn || at.index !== this.#at?.index);
    if (moved) this.show(at.turn, at.index);
    else this.update();
  }

  /** Goes to a token of a turn. @param {number} turn @param {number | null} index */
  show(turn, index) {
    this.#at = { turn, index: index ?? 0 };
    this.update();
    this.strip.go(turn, index ?? 0);
    this.#depth();
  }

  /** @param {number} turn @param {number} index */
  #choose(turn, index) {
    this.#at = { turn, index };
    const [details] = [...this.sections.keys()].slice(-1);
    if (details?.open) this.#depth();
  }

  #strip() {
    const { state, tokensOf } = this.parts;
    const running = state.answer && tokensOf(state.answer.turn);
    const first = state.meter?.first ?? null;
    const count = running?.rows.length ?? 0;
    const sources = this.#path.map(({ id, role, tokens }, place) => ({
      id,
      name: role === "user" ? "You" : "Model",
      count: tokens + 1,
      edge: id === first && place ? "What is above no longer fits the model’s window." : "",
    }));
    if (state.answer && count) sources.push({ id: state.answer.turn, name: "Model", count, edge: "" });
    this.strip.update(sources);
  }

  #context() {
    const { state, model, live } = this.parts;
    const longest = model.get("settings")?.max_new_tokens ?? Number.POSITIVE_INFINITY;
    this.context.update({
      path: this.#path,
      meter: state.meter,
      room: roomOf(longest, state.meter?.window ?? 0),
      model: state.info.title,
      live: live(),
      seen: seenBy(model, state.info, this.#path, this.parts.selected() ?? this.#at?.turn),
    });
  }

  /** What surprised the model most in the newest reply of its own. */
  #newest() {
    const turn = this.#path.findLast(({ made }) => made)?.id;
    const rows = turn === undefined ? null : this.parts.tokensOf(turn)?.rows;
    if (turn === undefined || !rows?.full) return null;
    let index = 0;
    for (let at = 1; at < rows.length; at++) if (rows.bits(at) > (rows.bits(index) || 0)) index = at;
    return { turn, index };
  }

  #depth() {
    const running = this.parts.state.answer?.turn;
    const here = this.#path.some(({ id }) => id === this.#at?.turn) || running === this.#at?.turn;
    const at = (here && this.#at) || this.#newest();
    const place = at ? this.#path.findIndex(({ id }) => id === at.turn) : -1;
    const before = this.#path.slice(0, Math.max(0, place)).reduce((sum, { tokens }) => sum + tokens + 1, 0);
    const position = at && place >= 0 ? before + at.index : null;
    this.depth.update(at && { ...at, position }, this.parts.live());
  }
}

/** @param {string} title @param {HTMLElement} content @param {boolean} [open] */
function section(title, content, open = false) {
  const details = h("details", "dgpt-section", {}, h("summary", "", {}, h("h3", "", {}, title)), content);
  details.open = open;
  return details;
}

/**
 * Hands the chat on as one line of text.
 *
 * @param {Pick<Requests, "request">} requests
 * @returns {HTMLElement} for the panel that keeps things
 */
export function shareRow(requests) {
  const copy = button("Copy as a line", "dgpt-plain");
  const said = h("p", "dgpt-small", { "aria-live": "polite" });
  const what = "The same moment on another machine: one line, to be pasted into ChatWidget.open(…) there.";
  onClick(copy, async () => {
    try {
      const { text } = await requests.request("share");
      const call = `ChatWidget.open("${text}")`;
      said.textContent = (await copyText(call, copy))
        ? `Copied, ${Math.ceil(call.length / 1000)} kB: paste it into a cell.`
        : "The browser does not let a page copy: use chat.share() in a cell.";
    } catch (error) {
      said.textContent = /** @type {Error} */ (error).message;
    }
  });
  return h(
    "div",
    "dgpt-group",
    {},
    h("h3", "", {}, "Hand on"),
    h("p", "dgpt-small", {}, what),
    h("div", "dgpt-row", {}, copy),
    said,
  );
}
