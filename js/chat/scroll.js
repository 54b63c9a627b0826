const MARGIN = 12; // pixels around what is brought into sight
const NEAR = 24; // pixels from the end that still count as being there

/**
 * Scrolls a container, and nothing around it, until something in it is in sight. What was far away has its size only
 * once it is near, so it is looked for again in the next frames.
 *
 * @param {HTMLElement} box
 * @param {() => Element | Range} find
 * @param {number} [frames]
 */
export function reveal(box, find, frames = 2) {
  const room = box.getBoundingClientRect();
  const at = find().getBoundingClientRect();
  const above = at.top - MARGIN - room.top;
  const below = at.bottom + MARGIN - room.bottom;
  if (above < 0) box.scrollTop += above;
  else if (below > 0) box.scrollTop += Math.min(below, above);
  if (frames > 0) requestAnimationFrame(() => reveal(box, find, frames - 1));
}

/**
 * Keeps a scroll container at its newest content unless the reader went up.
 *
 * Only an upward move while nothing changed size is the reader's; every other change of position comes from the
 * layout. The page around is never scrolled.
 */
export class Follower {
  following = true;
  #top = 0;
  #height = 0;
  #room = 0;

  /** @param {HTMLElement} box @param {HTMLElement} flow its content @param {() => void} changed */
  constructor(box, flow, changed) {
    this.box = box;
    this.changed = changed;
    this.observer = new ResizeObserver(() => this.keep());
    this.observer.observe(box);
    this.observer.observe(flow);
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** Goes to the end and stays there. */
  follow() {
    this.#set(true);
    this.keep();
  }

  /** Lets the reader stay where they are, unless that is the end, while what is below changes. */
  release() {
    this.#set(false);
    requestAnimationFrame(() => this.#scrolled());
  }

  /** Called when sizes have changed. */
  keep() {
    if (this.following) this.box.scrollTop = this.box.scrollHeight;
    this.#remember();
  }

  dispose() {
    this.observer.disconnect();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const still = scrollHeight === this.#height && clientHeight === this.#room;
    if (scrollHeight - scrollTop - clientHeight <= NEAR) this.#set(true);
    else if (still && scrollTop < this.#top) this.#set(false);
    this.#remember();
  }

  #remember() {
    this.#top = this.box.scrollTop;
    this.#height = this.box.scrollHeight;
    this.#room = this.box.clientHeight;
  }

  /** @param {boolean} following */
  #set(following) {
    if (this.following === following) return;
    this.following = following;
    this.changed();
  }
}
