/** @import { Failure, Frame, Info, Meter, Model, NBest, Queued, Snapshot, Status, Turn } from "./protocol.js" */

import { isFrame, NBEST_KEY, TURN_KEY } from "./protocol.js";

/** What is still being said: a reply, or several side by side. */
class Reply {
  text = "";

  /** @param {number} turn the id that it will have, or that the list of its drafts will @param {number} drafts */
  constructor(turn, drafts) {
    this.turn = turn;
    /** @type {string[]} the replies of a list; none for a reply alone */
    this.drafts = Array(drafts).fill("");
  }

  /** @param {Frame} frame the next one */
  fold({ text, at, more = [] }) {
    this.text = this.text.slice(0, at ?? undefined) + text;
    for (const [place, words] of more) this.drafts[place] = (this.drafts[place] ?? "") + words;
  }

  /** @param {Snapshot} snapshot */
  take({ text, drafts = [] }) {
    this.text = text;
    this.drafts = drafts;
  }
}

/** Whether anything has been said. @param {Snapshot} snapshot */
export const begun = ({ text, drafts = [] }) => text !== "" || drafts.some(Boolean);

/**
 * Takes in the lists of replies that are new or were ranked again, and lets go of those that were forgotten.
 *
 * @param {Map<number, NBest>} known
 * @param {Pick<Model, "get">} model
 * @param {number} end of the ids
 */
function gather(known, model, end) {
  for (let id = 0; id < end; id++) {
    const list = model.get(NBEST_KEY + id);
    if (list) known.set(id, list);
    else known.delete(id);
  }
}

/** All turns of a chat: what follows what, and which versions a turn has. Kept up to date turn by turn. */
export class Tree {
  /** @type {Map<number, Turn>} */
  turns = new Map();
  /** Counts the changes. */
  revision = 0;

  /** @type {Map<number | null, number[]>} ids in the order in which they were given */
  #children = new Map();
  /** @type {Map<number | null, number>} the child of each turn that was on a selected path last */
  #recent = new Map();

  /** @param {Turn} turn */
  add(turn) {
    this.turns.set(turn.id, turn);
    const versions = this.#children.get(turn.parent) ?? [];
    const later = versions.findIndex((id) => id > turn.id);
    versions.splice(later < 0 ? versions.length : later, 0, turn.id);
    this.#children.set(turn.parent, versions);
    this.revision++;
  }

  /** @param {number} id */
  forget(id) {
    const turn = this.turns.get(id);
    const versions = turn && this.#children.get(turn.parent);
    if (!turn || !versions) return;
    versions.splice(versions.indexOf(id), 1);
    this.turns.delete(id);
    if (this.#recent.get(turn.parent) === id) this.#recent.delete(turn.parent);
    this.revision++;
  }

  /** What follows a turn, in all its versions; for null the first turns.
   * @param {number | null} id @returns {readonly number[]} */
  children(id) {
    return this.#children.get(id) ?? [];
  }

  /** How many turns follow one, in all their versions. @param {number} id */
  below(id) {
    const found = [...this.children(id)];
    for (const child of found) found.push(...this.children(child));
    return found.length;
  }

  /** Keeps in mind which way a selected path went. @param {Turn[]} path */
  remember(path) {
    for (const { id, parent } of path) this.#recent.set(parent, id);
  }

  /** The end of the path through a turn that was selected last. @param {number} id */
  descend(id) {
    for (let at = id; ; ) {
      const next = this.#recent.get(at) ?? this.children(at).at(-1);
      if (next === undefined) return at;
      at = next;
    }
  }
}

/** @type {Info} */
const NO_INFO = {
  name: "",
  title: "DialoGPT",
  about: "",
  parameters: null,
  device: null,
  precision: null,
  revision: null,
  positions: null,
  notes: [],
};

/** @type {Status} */
const NO_STATUS = {
  phase: "idle",
  detail: "",
  progress: null,
  turn: null,
  parent: null,
  ahead: 0,
  speed: null,
  drafts: 0,
};

/**
 * What one view knows of the chat. Reads the traits, folds the frames of a running reply, and knows no DOM.
 *
 * Frames carry a number. One that was seen before, or that belongs to a reply that has ended, is ignored; behind a
 * gap they wait until a snapshot has closed it.
 */
export class State {
  info = NO_INFO;
  status = NO_STATUS;
  /** @type {Failure | null} */
  error = null;
  /** @type {Queued[]} */
  queue = [];
  /** @type {Meter | null} */
  meter = null;
  /** @type {string[]} */
  starters = [];
  /** @type {number | null} */
  height = null;
  canUndo = false;
  tree = new Tree();
  /** The lists of replies that one was chosen from, or can be. @type {Map<number, NBest>} */
  nbests = new Map();
  /** The selected path, root first. @type {Turn[]} */
  path = [];
  /** The reply that is running, on this path or in another version. @type {Reply | null} */
  reply = null;

  /** @type {number | null} the newest frame folded */
  #seq = null;
  /** @type {Frame[]} frames behind a gap */
  #held = [];
  #syncing = false;
  #whole = false; // whether the running reply was followed from its start
  #mounted = false;
  /** @type {number | null | undefined} the end of `path` */
  #end;
  /** @type {number | undefined} the leaf that was selected on this page alone */
  #own;

  /**
   * @param {Pick<Model, "get">} model
   * @param {{sync: () => Promise<unknown>, changed: () => void}} hooks
   */
  constructor(model, hooks) {
    this.model = model;
    this.hooks = hooks;
    this.#read();
    this.#mounted = true;
  }

  get turns() {
    return this.tree.turns;
  }

  /** The running reply, if it answers the end of the selected path. */
  get answer() {
    return this.reply && this.status.parent === this.#end ? this.reply : null;
  }

  /**
   * The ids of the versions of a turn, the one that is being said among them.
   *
   * @param {number | null} parent what they follow
   * @returns {readonly number[]}
   */
  versions(parent) {
    const settled = this.tree.children(parent);
    const { turn, parent: asked } = this.status;
    if (turn === null || asked !== parent || settled.includes(turn)) return settled;
    return [...settled, turn].sort((a, b) => a - b);
  }

  /** Selects the path through a turn on this page alone, for want of a kernel. @param {number} id */
  select(id) {
    this.#own = this.tree.descend(id);
    this.refresh();
  }

  /** Reads the traits after the host has changed some. */
  refresh() {
    this.#read();
    this.hooks.changed();
  }

  /** Asks for a reply whose beginning was not seen: that of a late view, or after a connection that was lost. */
  resync() {
    if (this.#own !== undefined) {
      this.#own = undefined;
      this.refresh();
    }
    this.#seq = null;
    this.#whole = this.#syncing = false;
    if (this.reply) this.#gap();
  }

  /** Takes the running reply as a poll brought it. @param {Snapshot} snapshot @returns {number} the frames it missed */
  catchUp(snapshot) {
    const behind = snapshot.seq - (this.#seq ?? (begun(snapshot) ? 0 : snapshot.seq));
    this.#snapshot(snapshot);
    return behind;
  }

  /** @param {unknown} content a custom message */
  receive(content) {
    if (!isFrame(content)) return;
    if (this.#seq !== null && content.seq <= this.#seq) return;
    if (content.turn !== this.reply?.turn) this.#read();
    if (this.#syncing) this.#held.push(content);
    else if (this.#follows(content)) this.#fold(content);
    else {
      this.#held.push(content);
      this.#gap();
    }
  }

  /** @param {Frame} frame */
  #follows(frame) {
    return this.#seq === null ? this.#whole : frame.seq === this.#seq + 1;
  }

  /** @param {Frame} frame */
  #fold(frame) {
    this.#seq = frame.seq;
    if (frame.turn !== this.reply?.turn) return;
    this.reply.fold(frame);
    this.hooks.changed();
  }

  #gap() {
    if (this.#syncing) return;
    this.#syncing = true;
    this.hooks.sync().then(
      (answer) => this.#snapshot(/** @type {Snapshot} */ (answer)),
      () => {
        this.#syncing = false;
      },
    );
  }

  /** @param {Snapshot} snapshot */
  #snapshot(snapshot) {
    this.#syncing = false;
    if (this.#seq === null || snapshot.seq >= this.#seq) {
      this.#seq = snapshot.seq;
      if (this.reply && snapshot.turn === this.reply.turn) this.reply.take(snapshot);
    }
    this.#release();
    this.hooks.changed();
  }

  #release() {
    const held = this.#held.sort((a, b) => a.seq - b.seq);
    this.#held = [];
    for (const frame of held) this.receive(frame);
  }

  /** A reply that starts before our eyes needs no snapshot, and an unanswered question about the last one is void.
   * @param {number} turn */
  #begin(turn) {
    this.reply = new Reply(turn, this.status.drafts ?? 0);
    this.#whole = this.#mounted;
    if (!this.#syncing) return;
    this.#syncing = false;
    this.#seq = null;
    this.#held = this.#held.filter((frame) => frame.turn === turn);
    this.#release();
  }

  #read() {
    const { model } = this;
    this.info = model.get("info") ?? NO_INFO;
    this.status = model.get("status") ?? NO_STATUS;
    this.error = model.get("error") ?? null;
    this.queue = model.get("queue") ?? [];
    this.meter = model.get("meter") ?? null;
    this.starters = model.get("starters") ?? [];
    this.height = model.get("height") ?? null;
    this.canUndo = model.get("can_undo") ?? false;
    const { turn } = this.status;
    if (turn === null) this.reply = null;
    else if (this.reply?.turn !== turn) this.#begin(turn);
    const end = model.get("next_id") ?? 0;
    this.#gather(end);
    gather(this.nbests, model, end);
    this.#walk(this.#own ?? model.get("leaf") ?? null);
  }

  /** Takes in the turns that are new, and lets go of those that were forgotten. @param {number} end of the ids */
  #gather(end) {
    for (let id = 0; id < end; id++) {
      const turn = this.model.get(TURN_KEY + id);
      if (!turn) this.tree.forget(id);
      else if (!this.turns.has(id)) this.tree.add(turn);
    }
  }

  /** @param {number | null} end */
  #walk(end) {
    if (end === this.#end) return;
    /** @type {Turn[]} */
    const path = [];
    for (let id = end; id !== null; ) {
      const turn = this.#turn(id);
      if (!turn) return; // its state has not arrived yet; the next change walks again
      path.push(turn);
      id = turn.parent;
    }
    this.path = path.reverse();
    this.#end = end;
    this.tree.remember(this.path);
  }

  /** @param {number} id @returns {Turn | undefined} a settled turn never changes, so it is read once */
  #turn(id) {
    const known = this.turns.get(id);
    const found = known ?? this.model.get(TURN_KEY + id) ?? undefined;
    if (found && !known) this.tree.add(found);
    return found;
  }
}
