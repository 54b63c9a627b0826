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

const FAST = 6; // pixels a millisecond: what nobody reads
const FRAME = 16; // milliseconds

/**
 * Tells which parts of a scroll container have come near what the reader sees, or have gone from there: the nearest
 * first, as many as a few milliseconds of a frame allow, and none while all of it flies by.
 */
export class Near {
  static stroke = 2; // milliseconds of work a frame

  /** @type {Map<Element, IntersectionObserverEntry>} what is known of each part */
  #known = new Map();
  /** @type {Set<Element>} */
  #untold = new Set();
  #frame = 0;
  #top = 0;
  #then = 0;

  /**
   * @param {HTMLElement} box
   * @param {number} margin pixels from what is seen that are still near
   * @param {(entry: IntersectionObserverEntry) => Iterable<void>} tell may be broken off, and is begun again then
   */
  constructor(box, margin, tell) {
    this.box = box;
    this.tell = tell;
    this.observer = new IntersectionObserver((seen) => this.#see(seen), {
      root: box,
      rootMargin: `${margin}px 0px`,
    });
  }

  /** @param {Element} part that is new, or has changed */
  observe(part) {
    if (!this.#known.has(part)) return this.observer.observe(part);
    this.#untold.add(part);
    this.#frame ||= requestAnimationFrame((time) => this.#work(time));
  }

  /** @param {Element} part */
  unobserve(part) {
    this.observer.unobserve(part);
    this.#known.delete(part);
    this.#untold.delete(part);
  }

  /** Tells of all parts anew. */
  again() {
    for (const part of this.#known.keys()) this.#untold.add(part);
    this.#start();
  }

  disconnect() {
    this.observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#untold.clear();
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #see(seen) {
    for (const entry of seen) {
      this.#known.set(entry.target, entry);
      this.#untold.add(entry.target);
    }
    this.#start();
  }

  #start() {
    if (this.#frame || this.#untold.size === 0) return;
    this.#work(performance.now());
  }

  /** @param {number} now */
  #work(now) {
    this.#frame = 0;
    const fast = this.#speed(now) > FAST;
    if (!fast) this.#tell();
    if (this.#untold.size > 0) this.#frame = requestAnimationFrame((time) => this.#work(time));
  }

  /** Pixels a millisecond since it was asked last. @param {number} now */
  #speed(now) {
    const { scrollTop } = this.box;
    const speed = Math.abs(scrollTop - this.#top) / Math.max(FRAME, now - this.#then);
    this.#top = scrollTop;
    this.#then = now;
    return speed;
  }

  #tell() {
    const room = this.box.getBoundingClientRect();
    const middle = (room.top + room.bottom) / 2;
    const apart = [...this.#untold].map((part) => {
      const { top, bottom } = part.getBoundingClientRect();
      return { part, by: Math.max(top - middle, middle - bottom) };
    });
    apart.sort((a, b) => a.by - b.by);
    const end = performance.now() + Near.stroke;
    for (const { part } of apart) {
      const entry = this.#known.get(part);
      for (const _ of entry ? this.tell(entry) : []) if (performance.now() > end) return;
      this.#untold.delete(part);
    }
  }
}
