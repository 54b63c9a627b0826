import { h, onClick, sign } from "./dom.js";

/** The small buttons at the head of a chat, each a drawing with a name. */
export class Head {
  constructor() {
    this.element = h("div", "dgpt-tools", { role: "group", "aria-label": "Chat" });
  }

  /**
   * @param {string} name
   * @param {string} path its drawing
   * @param {() => void} [act] what a click does; nothing while the button is `aria-disabled`
   * @returns {HTMLButtonElement}
   */
  add(name, path, act) {
    const attributes = { type: "button", title: name, "aria-label": name };
    const element = sign(attributes, path);
    onClick(element, () => element.getAttribute("aria-disabled") !== "true" && act?.());
    this.element.append(element);
    return element;
  }
}
