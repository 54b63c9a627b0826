import { h, icon } from "../chat/dom.js";

/** @import { Choice } from "../wire.js" */

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
