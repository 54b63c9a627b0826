/** @import { Poll, Snapshot } from "../protocol.js" */
/** @import { PolledModel } from "./polled-model.js" */

const QUIET = 1500; // milliseconds without a word before one is asked for
const BRISK = 300; // between two polls of a host that is known to lose messages
const SLOW = 2000; // the same while nothing new comes
const SLOWEST = 15_000; // between two polls of a host that loses nothing, as far as one knows
const BUSY = new Set(["idle", "loading", "waiting", "generating"]); // a chat on a page does not stay idle: it loads

/**
 * Asks the kernel for what has changed, on hosts that lose what it says of its own accord.
 *
 * A poll makes the kernel look busy, so a host that loses nothing should see none: one is sent when something is
 * expected and nothing was heard for a while. What is expected is known by number, for the state counts its updates
 * and each answer tells the count, and by the work that the kernel is at. Once a poll has brought an update that no
 * message had brought, they come in quick succession for as long as something is expected.
 */
export class Poller {
  #have = 0; // the updates of the state are known up to this one
  #said = 0; // how many there are, as far as any answer or the host has told
  #queued = false; // whether the kernel has taken work that nobody has seen it begin
  #lossy = false;
  #wait = QUIET;
  #asking = false;
  #ended = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {PolledModel} model
   * @param {{ask: (rev: number) => Promise<unknown>, running: (reply: Snapshot) => number}} hooks sends a poll;
   *   takes the running reply as a poll brought it, and tells how many frames the page was behind
   */
  constructor(model, hooks) {
    this.model = model;
    this.hooks = hooks;
    this.#have = this.#said = model.get("rev") ?? 0;
  }

  /** Begins, or begins again with a kernel that has come back. */
  start() {
    this.#ended = this.#asking = false;
    this.#arm();
  }

  stop() {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  /** A message has come, an answer or a frame. @param {unknown} content */
  heard(content) {
    const { rev, state, item } = /** @type {Partial<Poll> & {item?: string}} */ (content ?? {});
    if (state !== undefined) return; // a poll's own
    if (typeof rev === "number") this.#said = Math.max(this.#said, rev);
    if (item !== undefined) this.#queued = !this.#working;
    this.#arm();
  }

  /** The host's model has changed. */
  changed() {
    const rev = this.model.host.get("rev") ?? 0;
    if (this.#working) this.#queued = false;
    this.#said = Math.max(this.#said, rev);
    if (rev === this.#have + 1 && !this.model.behind) {
      this.#have = rev;
      this.#lossy = false;
    }
    this.#arm();
  }

  /** The user has turned to the view: what a lossy host has kept to itself meanwhile is wanted now. */
  look() {
    if (this.#lossy) this.#poll();
  }

  get #expecting() {
    return this.#queued || this.#said > this.#have || this.#working;
  }

  /** Whether the kernel is at work for this chat, as far as one knows, or about to be. */
  get #working() {
    const { phase, turn } = this.model.get("status") ?? {};
    if ((turn ?? null) !== null || BUSY.has(phase)) return true;
    return phase !== "error" && (this.model.get("queue") ?? []).length > 0;
  }

  /** Waits from now on. @param {number} [wait] */
  #arm(wait = this.#lossy ? BRISK : QUIET) {
    clearTimeout(this.#timer);
    this.#wait = wait;
    if (!this.#ended && !this.#asking && this.#expecting) this.#timer = setTimeout(() => this.#poll(), wait);
  }

  async #poll() {
    if (this.#ended || this.#asking) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    const answer = await this.hooks.ask(this.#have).catch(() => null);
    this.#asking = false;
    const news = answer !== null && this.#take(/** @type {Poll} */ (answer));
    this.#arm(news ? BRISK : Math.min(2 * this.#wait, this.#lossy ? SLOW : SLOWEST));
  }

  /** @param {Poll} poll @returns {boolean} whether it was news */
  #take(poll) {
    const changed = this.model.take(poll.state);
    const behind = this.hooks.running(poll);
    this.#have = this.#said = Math.max(this.#have, poll.rev);
    this.#queued = false; // the state tells
    if (changed || behind > 1) this.#lossy = true; // one is what the poll itself has gathered
    return changed || (behind > 0 && this.#lossy);
  }
}
