/** @import { Op, Pace, Piece } from "../../protocol.js" */
/** @import { State } from "../../state.js" */
/** @import { Inspector } from "../inspector.js" */
/** @import { TurnTokens } from "../tokens/rows.js" */

import { button, CROSS, focus, h, icon, onClick } from "../../ui/dom.js";
import { told } from "../card/card.js";
import { Offer, Score } from "./guess.js";
import { Projector } from "./projector.js";
import { TokenStream } from "./token-stream.js";

const RATES = [1, 2, 4, 10];
const BACK = "M4 3.5v9M12.5 3.5 6.5 8l6 4.5z";
const PLAY = "M5 3v10l8-5z";
const PAUSE = "M5.5 3.5v9M10.5 3.5v9";
const END = "M2.5 3.5v9L7.5 8zM7.5 3.5v9l5-4.5zM13.5 3.5v9";
const SCREEN = "M2 3h12v7.5H2zM8 10.5V14M5 14h6";

/**
 * @typedef {object} Acts
 * @property {() => void} back
 * @property {() => void} step
 * @property {() => void} play
 * @property {() => void} finish
 * @property {() => void} rate another one was chosen
 * @property {() => void} guess
 * @property {() => void} force
 * @property {() => void} screen
 * @property {() => void} leave
 */

/** The buttons of slow motion. */
class Bar {
  #backward;
  #play;
  #finish;
  #rate;
  #guess;
  #force;
  #leave;

  /** @param {Acts} acts */
  constructor(acts) {
    this.#backward = control("Back", BACK, acts.back);
    this.forward = acting(button("Step", "dgpt-step-on"), acts.step);
    this.#play = control("Play", PLAY, acts.play);
    this.#finish = control("Run to the end", END, acts.finish);
    this.#rate = h("select", "dgpt-button dgpt-plain", { "aria-label": "Tokens a second" });
    this.#rate.addEventListener("change", acts.rate);
    this.#guess = acting(button("Guess first", "dgpt-plain"), acts.guess);
    this.#force = acting(button("Force…", "dgpt-plain"), acts.force);
    this.screen = control("Projector", SCREEN, acts.screen);
    this.#leave = control("Close slow motion", CROSS, acts.leave);
    const drive = [this.#backward, this.forward, this.#play, this.#finish, this.#rate];
    const ways = [this.#guess, this.#force, this.screen, this.#leave];
    this.element = h(
      "div",
      "dgpt-row dgpt-slow-bar",
      {},
      h("div", "dgpt-row", {}, ...drive),
      h("div", "dgpt-row", {}, ...ways),
    );
  }

  /** Tokens a second, as chosen; 0 for want of a choice. */
  get rate() {
    return Number(this.#rate.value);
  }

  /**
   * @param {Pace} pace @param {boolean} running @param {boolean} forcing
   * @param {{shown: boolean, more: boolean | null}} projector
   */
  show({ mode, rate, guessing, count }, running, forcing, { shown, more }) {
    const playing = mode === "play";
    named(this.#play, playing ? "Pause" : "Play", playing ? PAUSE : PLAY);
    this.#rates(rate);
    this.#guess.setAttribute("aria-pressed", String(guessing));
    this.#force.hidden = guessing;
    this.#force.setAttribute("aria-expanded", String(forcing));
    this.screen.hidden = this.#leave.hidden = shown;
    able(this.#backward, more ?? (running && count > 0));
    able(this.forward, !(guessing && running));
    able(this.#finish, running);
  }

  /** @param {number} rate */
  #rates(rate) {
    const other = RATES.includes(rate) ? [] : [rate];
    const rates = [...RATES, ...other].map((one) => h("option", "", { value: `${one}` }, `${one}/s`));
    if (!this.#rate.options.length || this.#rate.value !== `${rate}`) this.#rate.replaceChildren(...rates);
    this.#rate.value = `${rate}`;
  }
}

/** @param {string} name @param {string} path @param {() => void} act */
function control(name, path, act) {
  const element = h("button", "dgpt-button dgpt-round", { type: "button" }, "");
  named(element, name, path);
  return acting(element, act);
}

/** @template {HTMLElement} T @param {T} element @param {() => void} act */
function acting(element, act) {
  onClick(element, () => element.getAttribute("aria-disabled") !== "true" && act());
  return element;
}

/** @param {HTMLElement} element @param {string} name @param {string} path */
function named(element, name, path) {
  if (element.title === name) return;
  element.title = name;
  element.setAttribute("aria-label", name);
  element.replaceChildren(icon(path));
}

/** @param {HTMLElement} element @param {boolean} able */
function able(element, able) {
  element.setAttribute("aria-disabled", String(!able));
}

/** @type {Pace} */
const AT_ONCE = { mode: "run", rate: 4, guessing: false, waiting: false, count: 0 };

/** Replies token by token: a bar above the composer, there when it was asked for or when a reply is slow anyway. */
export class SlowMotion {
  pace = AT_ONCE;
  #score = new Score();
  #line;
  #tokensOf;
  #request;
  #open = false;
  #able = false;
  #forcing = false;
  /** @type {(Node | string)[] | null} what the last guess was */
  #judged = null;
  #problem = "";

  /** @param {Pick<Inspector, "view" | "names" | "tokensOf">} inspector */
  constructor(inspector) {
    const { view, names } = inspector;
    this.view = view;
    this.names = names;
    this.#tokensOf = inspector.tokensOf.bind(inspector);
    this.#request = view.requests.request.bind(view.requests);
    this.toggle = button("Slow motion", "dgpt-plain");
    onClick(this.toggle, () => (this.active ? this.close() : this.open()));
    this.stream = new TokenStream(view, names, () => this.paint());
    this.bar = new Bar({
      back: () => this.back(),
      step: () => this.step(),
      play: () => this.#playing(),
      finish: () => this.#pace("finish"),
      rate: () => this.#pace(this.pace.mode === "play" ? "play" : "step"),
      guess: () => this.#ask("guessing", { on: !this.pace.guessing }),
      force: () => this.#force(),
      screen: () => this.projector.open(),
      leave: () => this.close(),
    });
    this.offer = new Offer(names, {
      choices: () => this.#request("choices"),
      take: (kind, what) => (kind === "guess" ? this.#judge(what) : this.#ask("force", what)),
      leave: () => focus(this.bar.forward),
    });
    this.#line = h("p", "dgpt-slow-line", { role: "status" });
    this.element = h(
      "div",
      "dgpt-slow",
      { role: "group", "aria-label": "Slow motion", tabindex: "-1" },
      this.bar.element,
      this.offer.element,
      this.#line,
    );
    this.element.hidden = true;
    this.projector = new Projector(this);
    this.element.addEventListener("keydown", (event) => this.key(event));
    view.composer.element.before(this.element);
  }

  /** Whether the bar is there. */
  get active() {
    return this.#able && (this.#open || this.pace.mode !== "run" || this.pace.guessing);
  }

  /** The reply that is shown: the one that runs, or the last. @returns {number | null} */
  get turn() {
    const { answer, path } = this.view.state;
    return answer?.turn ?? path.findLast(({ role }) => role === "assistant")?.id ?? null;
  }

  get running() {
    return this.view.state.answer !== null;
  }

  /** What is known of the reply that is shown. @returns {Pick<TurnTokens, "rows" | "pieces"> | null} */
  get tokens() {
    return this.turn === null ? null : this.#tokensOf(this.turn);
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    this.#able = live;
    this.pace = this.view.model.get("pace") ?? AT_ONCE;
    this.stream.watch(this.active, live);
    if (this.active) this.stream.expect(state, this.pace);
    this.paint();
  }

  dispose() {
    this.stream.dispose();
    this.projector.close();
  }

  open() {
    this.#open = true;
    this.#pace("step");
    this.paint();
    focus(this.bar.forward);
    this.element.scrollIntoView?.({ block: "nearest" });
  }

  /** A reply that waits goes on. */
  close() {
    const inside = this.element.matches(":focus-within");
    this.projector.close();
    this.#open = this.#forcing = false;
    if (this.pace.guessing) this.#ask("guessing", { on: false });
    this.#pace("run");
    if (inside) this.view.composer.focus();
    this.paint();
  }

  /** The next token. */
  step() {
    if (this.projector.step(1)) return;
    if (this.running) this.#ask("step");
    else if (!this.pace.guessing) this.#ask("step");
    else if (this.turn !== null) this.#ask("regenerate", { turn: this.turn });
  }

  /** One token less. */
  back() {
    if (!this.projector.step(-1) && this.running) this.#ask("back");
  }

  /** @param {string} words why something was not done */
  say(words) {
    this.#problem = words;
    this.paint();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { key, ctrlKey, metaKey, altKey, target } = event;
    const typing = /** @type {Element} */ (target).closest("input, select");
    if (typing || ctrlKey || metaKey || altKey || event.defaultPrevented) return;
    const control = /** @type {Element} */ (target).closest("button");
    if (key === "ArrowRight") this.step();
    else if (key === "ArrowLeft") this.back();
    else if (key === " " && !control) this.#playing();
    else return;
    event.preventDefault();
  }

  #force() {
    this.#forcing = !this.#forcing;
    this.paint();
    if (this.#forcing) this.offer.focus();
  }

  #playing() {
    this.#pace(this.pace.mode === "play" ? "step" : "play");
  }

  /** @param {string} mode @returns {Promise<any>} */
  #pace(mode) {
    return this.#ask("pace", { mode, rate: this.bar.rate || this.pace.rate });
  }

  /** @param {{text: string | null, token: number | null}} what */
  async #judge(what) {
    const { turn } = this;
    const index = this.tokens?.rows.length ?? 0;
    const answer = await this.#ask("guess", what);
    if (!answer) return null;
    const { guess, token, rank, bits, right, pieces } = answer;
    const { names } = this;
    names.learn(Object.entries(pieces).map(([id, piece]) => [Number(id), /** @type {Piece} */ (piece)]));
    if (turn !== null) this.#score.guesses.push({ turn, index, bits, right });
    const measured = ` (rank ${rank}, ${bits.toFixed(1)} bits)`;
    this.#judged = right
      ? ["Right! It was ", names.tell(token), `${measured}. `]
      : ["You said ", names.tell(guess), `${measured}. It was `, names.tell(token), ". "];
    this.paint();
    return answer;
  }

  /** @param {Op} op @param {Record<string, unknown>} [args] @returns the answer; null where it could not be done */
  async #ask(op, args) {
    try {
      const answer = await this.#request(op, args);
      this.say("");
      return answer;
    } catch (error) {
      this.say(/** @type {Error} */ (error).message);
      return null;
    }
  }

  paint() {
    const { pace, active, running } = this;
    const { root, state } = this.view;
    this.element.hidden = !active;
    this.toggle.hidden = !this.#able;
    this.toggle.setAttribute("aria-pressed", String(active));
    const held = running && pace.waiting;
    root.toggleAttribute("data-held", held);
    if (!active) {
      if (this.projector.shown) this.projector.close();
      return;
    }
    this.projector.update();
    this.bar.show(pace, running, this.#forcing, this.projector);
    const kind = pace.guessing ? "guess" : this.#forcing ? "force" : null;
    this.offer.show(running ? kind : null, `${this.turn} ${pace.count}`, held, Boolean(state.answer?.text));
    this.#line.setAttribute("aria-live", running && !held ? "off" : "polite");
    this.#tell(held);
  }

  /** @param {boolean} held */
  #tell(held) {
    const words = this.#problem ? [this.#problem] : this.#words(held);
    const said = words.map((word) => (typeof word === "string" ? word : word.textContent)).join("");
    if (this.#line.textContent !== said) this.#line.replaceChildren(...words);
  }

  /** @param {boolean} held @returns {(Node | string)[]} */
  #words(held) {
    const { pace, running, tokens } = this;
    if (pace.guessing && this.#judged) {
      const own = (/** @type {number} */ turn, /** @type {number} */ index) =>
        this.#tokensOf(turn)?.rows.bits(index) ?? Number.NaN;
      return [...this.#judged, this.#score.words(own)];
    }
    const next = { step: "waits for your steps", play: "is played", run: "comes at once" }[pace.mode];
    if (!running) {
      const way = pace.guessing ? "is yours to guess, token by token" : next;
      return [`The next reply ${way}. Send a message, or take a step: another version of the last reply.`];
    }
    if (pace.guessing) return ["It is shown once you have guessed."];
    if (this.projector.shown)
      return [held ? "Page Down shows the next token, Page Up takes it back, Esc leaves." : ""];
    const last = (tokens?.rows.length ?? 0) - 1;
    const row = last >= 0 ? tokens?.rows.row(last) : null;
    const paused = held ? " Paused: Step shows the next token." : "";
    return row
      ? [`Token ${last + 1}, `, this.names.tell(row.id), `: ${told(row)}.`, paused]
      : [paused.trim()];
  }
}
