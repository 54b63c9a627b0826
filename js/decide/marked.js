import { h } from "../chat/dom.js";

/**
 * A text with the place marked where it parts from others.
 *
 * @param {[string, string | null, string]} parts before, what differs, the rest; null where nothing does
 */
export function marked([before, apart, rest]) {
  return [before, ...(apart === null ? [] : [h("mark", "", {}, apart || "ends here")]), rest];
}
