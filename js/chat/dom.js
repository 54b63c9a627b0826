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
