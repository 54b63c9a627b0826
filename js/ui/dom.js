/** @import { Choice } from "../protocol.js" */

/**
 * An element with its class, attributes and children. Strings become text nodes; nothing here parses HTML.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} className
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, className, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** @param {string} label @param {string} className @param {...(Node | string)} children */
export function button(label, className, ...children) {
  const element = h("button", `dgpt-button ${className}`, { type: "button" }, ...children);
  if (children.length) element.setAttribute("aria-label", label);
  else element.textContent = label;
  return element;
}

/** @param {HTMLElement} element @param {(event: MouseEvent) => void} act */
export const onClick = (element, act) => element.addEventListener("click", act);

/** Focuses without scrolling the page around. @param {HTMLElement | null | undefined} element */
export const focus = (element) => element?.focus({ preventScroll: true });

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} path a drawing on a 16 by 16 grid, in strokes */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "dgpt-icon");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** An id that no element has, nor one of another view, whose code is loaded apart from this. */
export const unique = () => `dgpt-${Math.random()}`;

export const CROSS = "m4 4 8 8m0-8-8 8";
export const CHECK = "m3 8.5 3.2 3.2L13 5";

/** A round button without words. @param {Record<string, string>} attributes @param {string} path of its icon */
export const sign = (attributes, path) =>
  h("button", "dgpt-button dgpt-quiet dgpt-round", attributes, icon(path));

/** @param {Record<string, string>} [attributes] */
export const field = (attributes) => h("input", "dgpt-button dgpt-plain dgpt-field", attributes);

/** A row to click on, with what it is in a line. @param {Choice} choice @param {string} path its drawing */
export function choiceRow({ name, title, help }, path) {
  return h(
    "button",
    "dgpt-button dgpt-item dgpt-choice",
    { type: "button", "data-name": name },
    h("span", "", {}, title),
    icon(path),
    h("span", "dgpt-small", {}, help),
  );
}
