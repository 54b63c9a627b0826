import { copyText } from "../chat/copy.js";
import { button, h, onClick } from "../chat/dom.js";

/** @import { Requests } from "../requests.js" */

/**
 * Hands the chat on as one line of text.
 *
 * @param {Pick<Requests, "request">} requests
 * @returns {HTMLElement} for the panel that keeps things
 */
export function shareRow(requests) {
  const copy = button("Copy as a line", "dgpt-plain");
  const said = h("p", "dgpt-small", { "aria-live": "polite" });
  const what = "The same moment on another machine: one line, to be pasted into ChatWidget.open(…) there.";
  onClick(copy, async () => {
    try {
      const { text } = await requests.request("share");
      const call = `ChatWidget.open("${text}")`;
      said.textContent = (await copyText(call, copy))
        ? `Copied, ${Math.ceil(call.length / 1000)} kB: paste it into a cell.`
        : "The browser does not let a page copy: use chat.share() in a cell.";
    } catch (error) {
      said.textContent = /** @type {Error} */ (error).message;
    }
  });
  return h(
    "div",
    "dgpt-group",
    {},
    h("h3", "", {}, "Hand on"),
    h("p", "dgpt-small", {}, what),
    h("div", "dgpt-row", {}, copy),
    said,
  );
}
