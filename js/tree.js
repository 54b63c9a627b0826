/** @import { Turn } from "./wire.js" */

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
