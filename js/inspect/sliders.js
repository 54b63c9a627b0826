import { h } from "../chat/dom.js";

/** @type {Record<string, {label: string, min: number, max: number, step: number, off?: number}>} */
const RANGES = {
  temperature: { label: "Temperature", min: 0.1, max: 2, step: 0.05 },
  top_k: { label: "Top-k", min: 1, max: 100, step: 1, off: 0 },
  top_p: { label: "Top-p", min: 0.05, max: 1, step: 0.01 },
};

/** A slider on a setting. Tells each move, and where it comes to rest. */
export class Slider {
  /** @param {string} name @param {number} value @param {(value: number, rest: boolean) => void} moved */
  constructor(name, value, moved) {
    const range = RANGES[name] ?? { label: name, min: 0, max: 1, step: 0.01 };
    const { label, step, off } = range;
    const min = Math.min(range.min, value || range.min);
    const most = Math.max(range.max, value);
    const max = off === undefined ? most : most + step; // where there is an end beyond the end, it is off
    const attributes = { type: "range", "aria-label": label, min: String(min), max: String(max) };
    this.input = h("input", "dgpt-slider", { ...attributes, step: String(step) });
    this.input.value = String(value === off ? max : value);
    const read = () => {
      const now = Number(this.input.value);
      return off !== undefined && now > most ? off : now;
    };
    const tell = () => this.input.setAttribute("aria-valuetext", read() === off ? "off" : String(read()));
    tell();
    this.input.addEventListener("input", () => {
      tell();
      moved(read(), false);
    });
    this.input.addEventListener("change", () => moved(read(), true));
  }
}

/** Whether a setting has a slider. @param {string} name */
export const slides = (name) => name in RANGES;
