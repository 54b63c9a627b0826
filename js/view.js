/** @import { Connection } from "./comm/connection.js" */
/** @import { Decider } from "./decide/decider.js" */
/** @import { Inspector } from "./inspect/inspector.js" */
/** @import { Buffer, Model } from "./protocol.js" */

import { Composer } from "./chat/composer.js";
import { Details, Head, MeterView, Tools } from "./chat/header.js";
import { Aside, lost, Notice, Start, savedLine } from "./chat/notices.js";
import { Transcript } from "./chat/transcript.js";
import { watchKernel } from "./comm/connection.js";
import { PolledModel } from "./comm/polled-model.js";
import { Poller } from "./comm/poller.js";
import { Requests } from "./comm/requests.js";
import { Verbs } from "./commands.js";
import { TranscriptOutput, watchScheme } from "./host.js";
import { bindKeys } from "./keys.js";
import { LazyPart } from "./lazy.js";
import { Drawer } from "./panels/panels.js";
import { VERSION } from "./protocol.js";
import { State } from "./state.js";
import { Announcer } from "./ui/announcer.js";
import { h } from "./ui/dom.js";

/** One view of a chat. Everything it knows of its own is here; the rest is the model's. */
export class View {
  /** Whether there is a kernel. */
  live = true;
  #painting = 0;
  /** @type {Exclude<Connection, "live"> | null} */
  #loss = null;
  #ended = new AbortController();

  /** @param {Model} hosted the host's own @param {HTMLElement} host */
  constructor(hosted, host) {
    const model = new PolledModel(hosted);
    this.model = model;
    this.host = host;
    this.verbs = new Verbs(this);
    this.requests = new Requests(model, {
      waiting: (waiting) => this.composer.wait(waiting),
      cut: () => this.#connect("restarted"),
    });
    /** @type {LazyPart<Inspector>} what shows tokens: once there is a reply, or one that is slow */
    this.inspector = new LazyPart(this, "inspector", () => {
      const { mode = "run", guessing } = model.get("pace") ?? {};
      return this.state.path.some(({ made }) => made) || mode !== "run" || guessing;
    });
    /** @type {LazyPart<Decider>} what shows several replies to the same turn */
    this.decider = new LazyPart(this, "decider", () => {
      const { candidates, num_beams } = model.get("settings") ?? {};
      const { nbests, status } = this.state;
      return candidates > 1 || num_beams > 1 || nbests.size > 0 || status.drafts > 0;
    });
    this.announcer = new Announcer();
    this.head = new Head();
    this.details = new Details(this.head.element);
    this.transcript = new Transcript({
      withdraw: (item) => this.verbs.withdraw(item),
      unfocus: () => this.composer.focus(),
      ask: (op, args) => this.verbs.do(op, args),
      select: (id) => this.verbs.select(id),
      pin: (turn) => this.#pin(turn),
      say: (text) => this.announcer.say(text),
      complain: (text) => this.composer.say(text),
      decider: this.decider,
    });
    this.tools = new Tools(this.head, {
      clear: () => this.verbs.clear(),
      undo: () => this.verbs.undo(),
      find: () => this.transcript.find.open(),
    });
    this.aside = new Aside((kind) => {
      if (kind !== "elsewhere") this.verbs.undo();
      else if (this.state.reply) this.verbs.select(this.state.reply.turn);
      this.composer.focus();
    });
    this.start = new Start(
      (text) => this.verbs.begin(text),
      () => this.composer.focus(),
    );
    this.notice = new Notice((action) => {
      this.verbs.ask(action.op, action.arguments);
      this.composer.focus();
    });
    this.composer = new Composer(this.verbs);
    this.meter = new MeterView();
    /** @type {number | null} when this page was saved, if it is one without a kernel */
    this.saved = model.get("offline") || null;
    const hint = this.saved ? savedLine(this.saved) : this.composer.hint;
    const foot = h("div", "dgpt-foot", {}, hint, this.meter.element);
    const main = h(
      "div",
      "dgpt-main",
      {},
      this.details.element,
      this.transcript.element,
      this.start.element,
      this.aside.element,
      this.notice.element,
      this.composer.element,
      foot,
      this.announcer.element,
    );
    this.root = h("section", "dgpt", { "data-lm-suppress-shortcuts": "true" }, main);
    const parts = {
      root: this.root,
      log: this.transcript.log,
      head: this.head,
      state: this.details.toggle,
    };
    this.drawer = new Drawer(model, this.requests, parts);
    this.output = new TranscriptOutput(host.ownerDocument, model.get("view") ?? "");
    this.state = new State(model, {
      sync: () => this.requests.request("sync"),
      changed: () => this.#changed(),
    });
    this.poller = new Poller(model, {
      ask: (rev) => this.requests.request("poll", { rev }),
      running: (reply) => this.state.catchUp(reply),
    });
    bindKeys(this);
    this.#listen();
    host.classList.add("dgpt-host");
    host.append(this.root);
    if (this.saved) this.paint();
    else watchKernel(model, host, (connection) => this.#connect(connection), this.#ended.signal);
  }

  dispose() {
    this.#ended.abort();
    this.poller.stop();
    cancelAnimationFrame(this.#painting);
    this.requests.abandon("The view was closed.");
    for (const part of this.#parts) part.dispose();
    this.transcript.dispose();
    this.output.hide(false);
    this.root.remove();
  }

  #listen() {
    const { model, root } = this;
    const { signal } = this.#ended;
    const changed = () => this.state.refresh();
    const message = (/** @type {unknown} */ content, /** @type {Buffer[]} */ buffers) => {
      if (!this.requests.receive(content, buffers)) {
        this.state.receive(content);
        for (const part of this.#parts) part.receive(content, buffers);
      }
      this.poller.heard(content);
    };
    const events = /** @type {const} */ ([
      ["change", changed],
      ["change", () => this.poller.changed()],
      ["msg:custom", message],
    ]);
    for (const [name, callback] of events) model.on(name, callback);
    signal.addEventListener("abort", () => {
      for (const [name, callback] of events) model.off(name, callback);
    });
    root.addEventListener("click", (event) => {
      const at = /** @type {Element} */ (event.target);
      if (!at.closest("[data-turn], .dgpt-menu")) this.transcript.unpin();
    });
    root.addEventListener("focusin", () => this.poller.look());
    signal.addEventListener("abort", watchScheme(root));
  }

  /** @param {Connection} connection @returns {void} */
  #connect(connection) {
    if (connection !== "live" && !this.live) return; // the first cause is the one to tell
    this.live = connection === "live";
    this.#loss = connection === "live" ? null : connection;
    this.paint();
    if (this.#loss) {
      this.poller.stop();
      this.requests.abandon(lost(this.#loss, false).title);
      return;
    }
    this.poller.start();
    this.verbs.ask("mount", { version: VERSION });
    this.state.resync();
  }

  #changed() {
    this.#painting ||= requestAnimationFrame(() => {
      this.#painting = 0;
      this.paint();
    });
  }

  /** Brings what there is onto the page. */
  paint() {
    const { state } = this;
    const live = this.able;
    const kept = this.#loss === "absent" && Boolean(this.model.get("inspector")) && state.path.length > 0;
    const folded = this.#loss !== null && !kept && this.#transcribed;
    this.output.hide(live || kept);
    this.root.setAttribute("aria-label", `Chat with ${state.info.title}`);
    this.root.toggleAttribute("data-lost", !live);
    this.root.toggleAttribute("data-folded", folded);
    this.details.update(state, live ? "" : this.saved ? "Saved" : "No kernel");
    this.drawer.update(live);
    this.tools.update(state, live);
    this.details.element.hidden = folded;
    this.transcript.update(state, live);
    this.transcript.element.hidden ||= folded;
    this.aside.update(state, live);
    const failed = state.status.phase === "error";
    this.start.update(state.starters, live && !failed && this.transcript.element.hidden);
    this.notice.update(this.#loss ? lost(this.#loss, folded) : state.error, live && state.queue.length > 0);
    this.composer.element.hidden = kept || this.saved !== null || (folded && !this.composer.draft);
    this.composer.update(this.running, live);
    this.meter.update(folded ? null : state.meter);
    this.announcer.update(state);
    for (const part of this.#parts) part.update(state, live);
  }

  get #parts() {
    return [this.inspector, this.decider];
  }

  /** @param {number | null} turn */
  #pin(turn) {
    const index = this.inspector.here?.place(turn) ?? null;
    if (this.able) this.requests.request("pin", { turn, index }).catch(() => {});
  }

  /** Whether the notebook's own transcript tells all that this view does. */
  get #transcribed() {
    const { path, reply, queue } = this.state;
    const last = path.at(-1);
    return last !== undefined && !reply && queue.length === 0 && this.output.endsWith(last.text);
  }

  /** Whether there is a kernel that does what it is asked for. */
  get able() {
    return this.live && !this.saved;
  }

  get running() {
    const { phase, turn } = this.state.status;
    return turn !== null || phase === "generating" || phase === "waiting";
  }
}
