import { button, h, icon } from "../chat/dom.js";
import { told } from "./card.js";
import { Offer, Score } from "./guess.js";
import { Projector } from "./projector.js";
import { LiveTokens } from "./slowrows.js";

/** @import { State } from "../state.js" */
/** @import { Buffer, Frame, Op, Pace, Piece } from "../wire.js" */
/** @import { Inspector } from "./main.js" */
/** @import { TurnTokens } from "./rows.js" */

const RATES = [1, 2, 4, 10];
const LATE = 300; // milliseconds after which rows that no frame brought are asked for
const BACK = "M4 3.5v9M12.5 3.5 6.5 8l6 4.5z";
const PLAY = "M5 3v10l8-5z";
const PAUSE = "M5.5 3.5v9M10.5 3.5v9";
const END = "M2.5 3.5v9L7.5 8zM7.5 3.5v9l5-4.5zM13.5 3.5v9";
const SCREEN = "M2 3h12v7.5H2zM8 10.5V14M5 14h6";
/** @type {Pace} */
const AT_ONCE = { mode: "run", rate: 4, guessing: false, waiting: false, count: 0 };

/** Replies token by token: a bar above the composer, there when it was asked for or when a reply is slow anyway. */
export class SlowMotion {
  pace = AT_ONCE;
  live = new LiveTokens();
  #score = new Score();
  #backward;
  #play;
  #finish;
  #rate;
  #guess;
  #force;
  #leave;
  #line;
  #settled;
  #request;
  #open = false;
  #able = false;
  #watching = false;
  #forcing = false;
  #heard = 0; // buffers of rows that have come
  #late = 0;
  #seen = ""; // the place for which rows were awaited
  /** @type {(Node | string)[] | null} what the last guess was */
  #judged = null;
  #problem = "";

  /** @param {Pick<Inspector, "view" | "names" | "tokensOf">} inspector */
  constructor(inspector) {
    const { view, names } = inspector;
    this.view = view;
    this.names = names;
    this.#settled = inspector.tokensOf.bind(inspector);
    this.#request = view.requests.request.bind(view.requests);
    this.toggle = button("Slow motion", "dgpt-plain");
    this.toggle.addEventListener("click", () => (this.active ? this.close() : this.open()));
    this.#backward = control("Back", BACK, () => this.back());
    this.forward = button("Step", "dgpt-step-on");
    acting(this.forward, () => this.step());
    this.#play = control("Play", PLAY, () => this.#playing());
    this.#finish = control("Run to the end", END, () => this.#pace("finish"));
    this.#rate = h("select", "dgpt-button dgpt-plain", { "aria-label": "Tokens a second" });
    this.#guess = button("Guess first", "dgpt-plain");
    this.#force = button("Force…", "dgpt-plain");
    this.screen = control("Projector", SCREEN, () => this.projector.open());
    this.#leave = control("Close slow motion", "m4 4 8 8m0-8-8 8", () => this.close());
    this.offer = new Offer(names, {
      choices: () => this.#request("choices"),
      take: (kind, what) => (kind === "guess" ? this.#judge(what) : this.#ask("force", what)),
      leave: () => this.forward.focus({ preventScroll: true }),
    });
    this.#line = h("p", "dgpt-slow-line", { role: "status" });
    const ways = h("div", "dgpt-row", {}, this.#guess, this.#force, this.screen, this.#leave);
    const drive = h(
      "div",
      "dgpt-row",
      {},
      this.#backward,
      this.forward,
      this.#play,
      this.#finish,
      this.#rate,
    );
    this.element = h(
      "div",
      "dgpt-slow",
      { role: "group", "aria-label": "Slow motion", tabindex: "-1" },
      h("div", "dgpt-row dgpt-slow-bar", {}, drive, ways),
      this.offer.element,
      this.#line,
    );
    this.element.hidden = true;
    this.projector = new Projector(this);
    this.#rate.addEventListener("change", () => this.#pace(this.pace.mode === "play" ? "play" : "step"));
    this.#guess.addEventListener("click", () => this.#ask("guessing", { on: !this.pace.guessing }));
    this.#force.addEventListener("click", () => {
      this.#forcing = !this.#forcing;
      this.paint();
      if (this.#forcing) this.offer.focus();
    });
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
    return this.turn === null ? null : (this.tokensOf(this.turn) ?? this.#settled(this.turn));
  }

  /** The tokens of the running reply. @param {number} turn */
  tokensOf(turn) {
    return this.live.turn === turn && !this.view.state.turns.has(turn) ? this.live : null;
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    this.#able = live;
    this.pace = this.view.model.get("pace") ?? AT_ONCE;
    this.#watch(this.active);
    if (this.active) this.#await(state);
    this.paint();
  }

  /** A message that is no answer. @param {unknown} content @param {Buffer[]} buffers */
  receive(content, [buffer]) {
    const { turn, row } = /** @type {Frame} */ (content);
    if (!this.#watching || row === undefined || !buffer) return;
    this.#heard++;
    if (this.live.put(turn, row, buffer)) this.#name();
    else this.#sync();
  }

  dispose() {
    clearTimeout(this.#late);
    this.projector.close();
  }

  open() {
    this.#open = true;
    this.#pace("step");
    this.paint();
    this.forward.focus({ preventScroll: true });
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

  #playing() {
    this.#pace(this.pace.mode === "play" ? "step" : "play");
  }

  /** @param {string} mode */
  #pace(mode) {
    return this.#ask("pace", { mode, rate: Number(this.#rate.value) || this.pace.rate });
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

  /** @param {boolean} on */
  #watch(on) {
    if (on === this.#watching) return;
    this.#watching = on;
    if (this.#able) this.#request("watch", { on }).catch(() => {});
    if (on) this.#sync();
  }

  async #sync() {
    const snapshot = await this.#request("sync").catch(() => null);
    const rows = snapshot?.buffers?.[0];
    if (typeof snapshot?.turn !== "number" || !rows) return;
    this.live.put(snapshot.turn, 0, rows);
    this.#name();
  }

  /** Rows come with frames, but not from every host. @param {State} state */
  #await(state) {
    const at = `${state.answer?.turn} ${this.pace.count}`;
    if (!this.pace.waiting || at === this.#seen) return;
    this.#seen = at;
    const heard = this.#heard;
    clearTimeout(this.#late);
    this.#late = /** @type {any} */ (setTimeout(() => heard === this.#heard && this.#sync(), LATE));
  }

  /** Learns what new tokens are called. */
  async #name() {
    const { live, names } = this;
    const last = live.rows.length - 1;
    if (last >= 0 && live.rows.eos(last)) names.end = live.rows.id(last);
    const ids = live.strange();
    if (ids.length) {
      const { pieces } = await this.#request("pieces", { ids }).catch(() => ({ pieces: {} }));
      for (const [id, piece] of Object.entries(pieces)) live.pieces.set(Number(id), piece);
      names.learn(live.pieces);
    }
    this.paint();
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
    const playing = pace.mode === "play";
    named(this.#play, playing ? "Pause" : "Play", playing ? PAUSE : PLAY);
    this.#rates();
    this.#guess.setAttribute("aria-pressed", String(pace.guessing));
    this.#force.hidden = pace.guessing;
    this.screen.hidden = this.#leave.hidden = this.projector.shown;
    this.#force.setAttribute("aria-expanded", String(this.#forcing));
    able(this.#backward, this.projector.more ?? (running && pace.count > 0));
    able(this.forward, !(pace.guessing && running));
    able(this.#finish, running);
    const kind = pace.guessing ? "guess" : this.#forcing ? "force" : null;
    this.offer.show(running ? kind : null, `${this.turn} ${pace.count}`, held, Boolean(state.answer?.text));
    this.#line.setAttribute("aria-live", running && !held ? "off" : "polite");
    this.#tell(held);
  }

  #rates() {
    const { rate } = this.pace;
    const other = RATES.includes(rate) ? [] : [rate];
    const rates = [...RATES, ...other].map((one) => h("option", "", { value: `${one}` }, `${one}/s`));
    if (!this.#rate.options.length || this.#rate.value !== `${rate}`) this.#rate.replaceChildren(...rates);
    this.#rate.value = `${rate}`;
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
        (this.tokensOf(turn) ?? this.#settled(turn))?.rows.bits(index) ?? Number.NaN;
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

/** @param {string} name @param {string} path @param {() => void} act */
function control(name, path, act) {
  const element = h("button", "dgpt-button dgpt-round", { type: "button" }, "");
  named(element, name, path);
  return acting(element, act);
}

/** @template {HTMLElement} T @param {T} element @param {() => void} act */
function acting(element, act) {
  element.addEventListener("click", () => element.getAttribute("aria-disabled") !== "true" && act());
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
