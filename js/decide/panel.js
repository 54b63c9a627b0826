import { h } from "../chat/dom.js";
import { Lists } from "./lists.js";
import { Rules } from "./rules.js";
import { Sides } from "./sides.js";

/** @import { Decider } from "./main.js" */

/** How replies are chosen: the lists that one was chosen from, by what, and other ways to answer. */
export class DecidePanel {
  title = "Decide";

  /** @param {Decider} decider */
  constructor(decider) {
    this.decider = decider;
    this.lists = new Lists(decider);
    this.rules = new Rules(decider);
    this.sides = new Sides(decider);
    this.choosing = section("How to choose", this.rules.element);
    this.asking = section("Side by side", this.sides.element);
    this.element = h("div", "dgpt-decide", {}, this.lists.element, this.choosing, this.asking);
  }

  update() {
    const { view } = this.decider;
    this.lists.update(view.state);
    this.choosing.hidden = this.asking.hidden = !view.able;
    if (!view.able) return;
    this.rules.update();
    this.sides.update();
  }
}

/** @param {string} title @param {HTMLElement} content */
const section = (title, content) =>
  h("details", "dgpt-section", {}, h("summary", "", {}, h("h3", "", {}, title)), content);
