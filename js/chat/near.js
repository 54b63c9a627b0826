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
