import { h, icon } from "./dom.js";

/** @import { State } from "../state.js" */
/** @import { Phase } from "../wire.js" */

/** @type {Record<Phase, string>} */
const LABELS = {
  idle: "Not loaded",
  loading: "Loading",
  ready: "Ready",
  waiting: "Waiting",
  generating: "Generating",
  error: "Problem",
};

/** The model's name and its state. */
export class Details {
  /** @param {HTMLElement} tools the buttons beside the state */
  constructor(tools) {
    this.title = h("span", "dgpt-title");
    this.about = h("span", "dgpt-about");
    this.label = h("span", "dgpt-label");
    this.toggle = h(
      "button",
      "dgpt-button dgpt-quiet dgpt-state",
      { type: "button" },
      h("span", "dgpt-dot"),
      this.label,
      icon("M4.5 6.5 8 10l3.5-3.5"),
    );
    this.bar = h("div", "dgpt-bar", { role: "progressbar", "aria-label": "Loading the model" }, h("div", ""));
    this.detail = h("span", "dgpt-detail");
    this.share = h("span", "dgpt-share");
    this.progress = h("div", "dgpt-progress", {}, this.bar, this.detail, this.share);
    const head = h("div", "dgpt-head", {}, this.title, this.about, tools, this.toggle);
    this.element = h("div", "dgpt-top", {}, head, this.progress);
  }

  /** @param {State} state @param {string} [without] what stands there instead of a state when no kernel does */
  update(state, without = "") {
    const { info, status } = state;
    const phase = without ? "lost" : status.phase;
    const label = without || LABELS[status.phase];
    write(this.title, info.title);
    write(this.about, info.about);
    write(this.label, label);
    this.toggle.setAttribute("aria-label", `${label}, model details`);
    this.toggle.dataset.phase = phase;
    this.#progress(phase, status.detail || queued(status.ahead), status.progress);
  }

  /** @param {string} phase @param {string} detail @param {number | null} share */
  #progress(phase, detail, share) {
    const loading = phase === "loading";
    this.progress.hidden = !(loading || (phase === "waiting" && detail));
    this.bar.hidden = !loading;
    write(this.detail, detail);
    write(this.share, loading && share !== null ? `${Math.floor(share * 100)} %` : "");
    this.bar.toggleAttribute("data-unknown", share === null);
    if (share === null) this.bar.removeAttribute("aria-valuenow");
    else this.bar.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
    const fill = /** @type {HTMLElement} */ (this.bar.firstChild);
    fill.style.transform = share === null ? "" : `scaleX(${share})`;
  }
}

/** @param {HTMLElement} element @param {string} text */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {number} ahead */
function queued(ahead) {
  if (ahead === 0) return "";
  return ahead === 1 ? "A reply of another chat comes first." : `${ahead} replies of other chats come first.`;
}
