import { h } from "../../ui/dom.js";
import { LEVELS } from "./measures.js";

const WIDTH = 14; // pixels
const STROKE = 4; // milliseconds of work at a time

/** A long strip as a whole, small, at its side: where it is coloured, and which part is in sight. For the pointer. */
export class StripMap {
  #drawing = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {() => Iterable<{element: HTMLElement, levels: () => Int8Array}>} turns
   */
  constructor(scroller, turns) {
    this.scroller = scroller;
    this.turns = turns;
    this.canvas = h("canvas", "dgpt-map-all");
    this.sight = h("div", "dgpt-map-sight");
    this.element = h("div", "dgpt-map", { "aria-hidden": "true" }, this.canvas, this.sight);
    this.element.hidden = true;
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
    this.element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      this.#go(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) this.#go(event);
    });
  }

  /** Draws all anew, soon and a part at a time. */
  draw() {
    clearTimeout(this.#drawing);
    if (!this.element.hidden) this.#drawing = /** @type {any} */ (setTimeout(() => this.#start(), 60));
  }

  stop() {
    clearTimeout(this.#drawing);
  }

  /** Shows what is in sight. */
  look() {
    if (this.element.hidden) return;
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    const height = Math.max(clientHeight / scrollHeight, 0.02);
    const top = Math.min(scrollTop / scrollHeight, 1 - height);
    this.sight.style.transform = `translateY(${top * clientHeight}px)`;
    this.sight.style.height = `${height * clientHeight}px`;
  }

  #start() {
    const { scroller, canvas } = this;
    const height = scroller.clientHeight;
    const brush = height ? canvas.getContext("2d") : null;
    if (!brush) return;
    const style = getComputedStyle(scroller);
    const colours = Array.from({ length: LEVELS }, (_, level) => style.getPropertyValue(`--d-heat-${level}`));
    const scale = globalThis.devicePixelRatio || 1;
    canvas.width = WIDTH * scale;
    canvas.height = height * scale;
    brush.scale(WIDTH * scale, (height * scale) / scroller.scrollHeight);
    const turns = [...this.turns()].map(({ element, levels }) => ({
      top: element.offsetTop,
      height: element.offsetHeight,
      levels,
    }));
    const pixel = scroller.scrollHeight / height;
    const paint = (/** @type {number} */ from) => {
      const began = performance.now();
      let next = from;
      for (; next < turns.length && performance.now() - began < STROKE; next++) {
        const { top, height, levels } = /** @type {typeof turns[number]} */ (turns[next]);
        const all = levels();
        const step = height / all.length;
        all.forEach((level, at) => {
          if (level < 1) return;
          brush.fillStyle = colours[level] ?? "";
          brush.fillRect(0, top + at * step, 1, Math.max(step, pixel));
        });
      }
      if (next < turns.length) this.#drawing = /** @type {any} */ (setTimeout(() => paint(next), 2 * STROKE));
    };
    paint(0);
    this.look();
  }

  /** @param {PointerEvent} event */
  #go(event) {
    const { top, height } = this.element.getBoundingClientRect();
    const { scroller } = this;
    scroller.scrollTop = ((event.clientY - top) / height) * scroller.scrollHeight - scroller.clientHeight / 2;
  }
}
