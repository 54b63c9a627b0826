import { h } from "../chat/dom.js";
import { percent } from "./format.js";

/** @import { Names } from "./piece.js" */
/** @import { Segment } from "./steps.js" */

export const SHADES = 8;
const ROOM = 0.035; // the share that a letter takes in a narrow view

/** A bar from 0 to 1, divided among tokens; what is the same in the next picture keeps its place and its shade. */
export class Stack {
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();

  /** @param {Names} names @param {Map<number, number>} shades of tokens, 0 for the most probable */
  constructor(names, shades) {
    this.names = names;
    this.shades = shades;
    this.element = h("div", "dgpt-stack", { role: "img" });
    this.pin = h("span", "dgpt-dice-pin");
    this.pin.hidden = true;
  }

  /** @param {Segment[]} segments @param {{draw?: number | null, hit?: number}} marks */
  show(segments, { draw = null, hit }) {
    const kept = new Map(this.#parts);
    this.#parts.clear();
    const parts = segments.map(({ what, share }) => {
      let key = String(what);
      while (this.#parts.has(key)) key += "'";
      const part = kept.get(key) ?? this.#part(what);
      part.style.width = `${(100 * share).toFixed(3)}%`;
      part.toggleAttribute("data-narrow", share < ROOM * ((part.textContent?.length ?? 0) + 1));
      part.toggleAttribute("data-hit", what === hit);
      this.#parts.set(key, part);
      return part;
    });
    const now = [...parts, this.pin];
    if (now.some((one, place) => this.element.childNodes[place] !== one))
      this.element.replaceChildren(...now);
    else while (this.element.childNodes.length > now.length) this.element.lastChild?.remove();
    this.pin.hidden = draw === null;
    this.pin.style.insetInlineStart = `${100 * (draw ?? 0)}%`;
    this.element.hidden = segments.length === 0;
    this.element.setAttribute("aria-label", this.#told(segments));
  }

  /** @param {Segment["what"]} what */
  #part(what) {
    const shade = typeof what === "number" ? this.shades.get(what) : undefined;
    const part = h("span", "dgpt-share", { "data-kind": typeof what === "number" ? "token" : what });
    if (shade !== undefined) part.dataset.shade = String(shade);
    part.append(typeof what === "number" ? this.names.show(what) : what === "cut" ? "cut" : "");
    part.title = this.#name(what);
    return part;
  }

  /** @param {Segment["what"]} what */
  #name(what) {
    return typeof what === "number" ? this.names.name(what) : what === "cut" ? "cut" : "everything else";
  }

  /** @param {Segment[]} segments */
  #told(segments) {
    const most = segments.filter(
      ({ what, share }, place) => place < 5 || typeof what === "string" || share > 0.2,
    );
    return most.map(({ what, share }) => `${this.#name(what)} ${percent(share)}`).join(", ");
  }
}

/** Which shade each token has in all pictures: by its place in the model's own distribution.
 * @param {number[]} ids most probable first */
export function shadesOf(ids) {
  return new Map(ids.slice(0, SHADES).map((id, place) => [id, place]));
}
