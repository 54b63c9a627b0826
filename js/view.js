import { Announcer } from "./chat/announcer.js";
import { Composer, composing } from "./chat/composer.js";
import { Details } from "./chat/details.js";
import { h } from "./chat/dom.js";
import { Head } from "./chat/head.js";
import { MeterView } from "./chat/meter.js";
import { LOST, Notice } from "./chat/notice.js";
import { Start } from "./chat/start.js";
import { Transcript } from "./chat/transcript.js";
import { watchKernel } from "./kernel.js";
import { Requests } from "./requests.js";
import { State } from "./state.js";
import { watchScheme } from "./theme.js";
import { VERSION, wellFormed } from "./wire.js";

/** @import { Connection } from "./kernel.js" */
/** @import { Buffer, Failure, Model, Op } from "./wire.js" */

/** One view of a chat. Everything it knows of its own is here; the rest is the model's. */
export class View {
  #painting = 0;
  #live = true;
  /** @type {Failure | null} */
  #loss = null;
  #ended = new AbortController();

  /** @param {Model} model @param {HTMLElement} host */
  constructor(model, host) {
    this.model = model;
    this.requests = new Requests(model, {
      waiting: (waiting) => this.composer.wait(waiting),
      cut: () => this.#connect("restarted"),
    });
    this.announcer = new Announcer();
    this.head = new Head();
    this.details = new Details(this.head.element);
    this.transcript = new Transcript({
      withdraw: (item) => this.#withdraw(item),
      unfocus: () => this.composer.focus(),
      say: (text) => this.announcer.say(text),
    });
    this.start = new Start(
      (text) => this.#begin(text),
      () => this.composer.focus(),
    );
    this.notice = new Notice((action) => {
      this.#ask(action.op, action.model === null ? {} : { model: action.model });
      this.composer.focus();
    });
    this.composer = new Composer({ send: (text) => this.#send(text), stop: () => this.#ask("stop") });
    this.meter = new MeterView();
    this.root = h(
      "section",
      "dgpt",
      { "data-lm-suppress-shortcuts": "true" },
      this.details.element,
      this.transcript.element,
      this.start.element,
      this.notice.element,
      this.composer.element,
      h("div", "dgpt-foot", {}, this.composer.hint, this.meter.element),
      this.announcer.element,
    );
    this.state = new State(model, {
      sync: () => this.requests.request("sync"),
      changed: () => this.#changed(),
    });
    this.#listen();
    watchKernel(model, host, (connection) => this.#connect(connection), this.#ended.signal);
    host.append(this.root);
  }

  dispose() {
    this.#ended.abort();
    cancelAnimationFrame(this.#painting);
    this.requests.abandon("The view was closed.");
    this.transcript.dispose();
    this.root.remove();
  }

  #listen() {
    const { model, root } = this;
    const { signal } = this.#ended;
    const changed = () => this.state.refresh();
    const message = (/** @type {unknown} */ content, /** @type {Buffer[]} */ buffers) =>
      this.requests.receive(content, buffers) || this.state.receive(content);
    const events = /** @type {const} */ ([
      ["change", changed],
      ["msg:custom", message],
    ]);
    for (const [name, callback] of events) model.on(name, callback);
    signal.addEventListener("abort", () => {
      for (const [name, callback] of events) model.off(name, callback);
    });
    root.addEventListener("keydown", (event) => this.#key(event));
    signal.addEventListener("abort", watchScheme(root));
  }

  /** @param {Connection} connection @returns {void} */
  #connect(connection) {
    if (connection !== "live" && !this.#live) return; // the first cause is the one to tell
    this.#live = connection === "live";
    this.#loss = connection === "live" ? null : LOST[connection];
    this.#paint();
    if (this.#loss) {
      this.requests.abandon(this.#loss.title);
      return;
    }
    this.#ask("mount", { version: VERSION });
    this.state.resync();
  }

  #changed() {
    this.#painting ||= requestAnimationFrame(() => {
      this.#painting = 0;
      this.#paint();
    });
  }

  #paint() {
    const { state } = this;
    const live = this.#live;
    this.root.setAttribute("aria-label", `Chat with ${state.info.title}`);
    this.root.toggleAttribute("data-lost", !live);
    this.details.update(state, live);
    this.transcript.update(state);
    const failed = state.status.phase === "error";
    this.start.update(state.starters, live && !failed && this.transcript.element.hidden);
    this.notice.update(this.#loss ?? state.error, live && state.queue.length > 0);
    this.composer.update(this.#running, live);
    this.meter.update(state.meter);
    this.announcer.update(state);
  }

  get #running() {
    const { phase, turn } = this.state.status;
    return turn !== null || phase === "generating" || phase === "waiting";
  }

  /** @param {string} text */
  async #send(text) {
    await this.requests.request("send", { text });
    this.transcript.follower.follow();
  }

  /** @param {string} text a starter */
  async #begin(text) {
    if (this.start.element.inert) return;
    this.start.element.inert = true;
    this.composer.focus();
    await this.#send(wellFormed(text)).catch((error) => this.composer.say(error.message));
    this.start.element.inert = false;
  }

  /** @param {string} item */
  async #withdraw(item) {
    this.composer.focus();
    const answer = await this.#ask("withdraw", { item });
    if (typeof answer?.text === "string" && !this.composer.draft) this.composer.draft = answer.text;
  }

  /**
   * @param {Op} op
   * @param {Record<string, unknown>} [args]
   */
  #ask(op, args) {
    return this.requests.request(op, args).catch((error) => {
      this.composer.say(error.message);
      return undefined;
    });
  }

  /** Keys stay in the widget, so that none of them is a shortcut of the notebook. @param {KeyboardEvent} event */
  #key(event) {
    event.stopPropagation();
    if (event.key !== "Escape" || composing(event)) return;
    if (this.details.opened && this.details.element.contains(/** @type {Node} */ (event.target))) {
      this.details.open(false);
      this.details.toggle.focus({ preventScroll: true });
    } else if (this.#running && this.#live) this.#ask("stop");
    else return;
    event.preventDefault();
  }
}
