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

let panels = 0;

/** The model's name and state; the rest behind one click. */
export class Details {
  /** @type {string[] | null} */
  #notes = null;
  #facts = "";

  /** @param {HTMLElement} tools the buttons beside the state */
  constructor(tools) {
    const id = `dgpt-details-${++panels}`;
    this.title = h("span", "dgpt-title");
    this.about = h("span", "dgpt-about");
    this.label = h("span", "dgpt-label");
    this.toggle = h(
      "button",
      "dgpt-button dgpt-state",
      { type: "button", "aria-expanded": "false", "aria-controls": id },
      h("span", "dgpt-dot"),
      this.label,
      icon("M4.5 6.5 8 10l3.5-3.5"),
    );
    this.facts = h("dl", "dgpt-facts");
    this.notes = h("div", "dgpt-notes");
    this.panel = h("div", "dgpt-details", { id }, this.facts, this.notes);
    this.panel.hidden = true;
    this.bar = h("div", "dgpt-bar", { role: "progressbar", "aria-label": "Loading the model" }, h("div", ""));
    this.detail = h("span", "dgpt-detail");
    this.share = h("span", "dgpt-share");
    this.progress = h("div", "dgpt-progress", {}, this.bar, this.detail, this.share);
    const head = h("div", "dgpt-head", {}, this.title, this.about, tools, this.toggle);
    this.element = h("div", "dgpt-top", {}, head, this.panel, this.progress);
    this.toggle.addEventListener("click", () => this.open(this.panel.hidden));
  }

  get opened() {
    return !this.panel.hidden;
  }

  /** @param {boolean} open */
  open(open) {
    this.panel.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
  }

  /** @param {State} state @param {boolean} live */
  update(state, live) {
    const { info, status, meter } = state;
    const phase = live ? status.phase : "lost";
    const label = live ? LABELS[status.phase] : "No kernel";
    write(this.title, info.title);
    write(this.about, info.about);
    write(this.label, label);
    this.toggle.setAttribute("aria-label", `${label}, model details`);
    this.toggle.dataset.phase = phase;
    this.#progress(phase, status.detail || queued(status.ahead), status.progress);
    this.#list([
      ["Model", info.name],
      ["Parameters", info.parameters === null ? null : count(info.parameters)],
      ["Device", info.device],
      ["Precision", info.precision],
      ["Revision", info.revision?.slice(0, 12) ?? null],
      ["Window", tokens(meter?.window ?? info.positions)],
      ["Last reply", status.speed === null ? null : `${rate(status.speed)} tokens/s`],
    ]);
    if (info.notes === this.#notes) return;
    this.#notes = info.notes;
    this.notes.replaceChildren(...info.notes.map((note) => h("p", "", {}, note)));
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

  /** @param {[string, string | null][]} facts */
  #list(facts) {
    const known = facts.filter(([, value]) => value);
    const key = known.join("\n");
    if (key === this.#facts) return;
    this.#facts = key;
    this.facts.replaceChildren(
      ...known.map(([name, value]) => h("div", "", {}, h("dt", "", {}, name), h("dd", "", {}, value ?? ""))),
    );
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

/** @param {number} value */
function count(value) {
  return value >= 1e9
    ? `${(value / 1e9).toFixed(2)} billion`
    : `${Number((value / 1e6).toPrecision(3))} million`;
}

/** @param {number | null} value */
const tokens = (value) => (value === null ? null : `${value} tokens`);

/** @param {number} value */
const rate = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
