/** @import { Meter, Phase } from "../protocol.js" */
/** @import { State } from "../state.js" */

import { h, icon, onClick, sign } from "../ui/dom.js";

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

/** What can be done with the whole chat, at its head. */
export class Tools {
  /** @param {Head} head @param {{clear: () => void, undo: () => void, find: () => void}} hooks */
  constructor(head, hooks) {
    this.clear = head.add("New chat", "M8 3v10M3 8h10", hooks.clear);
    this.undo = head.add("Undo", "M5.5 2.5 2.5 5.5l3 3M3 5.5h6.2a3.8 3.8 0 0 1 0 7.6H6", hooks.undo);
    this.find = head.add("Find", "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4 14 14", hooks.find);
  }

  /** @param {State} state @param {boolean} live whether there is a kernel */
  update(state, live) {
    const blank = state.path.length === 0 && !state.answer;
    this.clear.hidden = !live || blank;
    this.undo.hidden = !live || (blank && !state.reply); // a blank page says where the chat is, with a way back
    this.undo.setAttribute("aria-disabled", String(!state.canUndo));
    this.find.hidden = blank;
  }
}

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

const WORTH_SAYING = 0.6; // share of the window

/** How full the model's window is, once it matters. */
export class MeterView {
  /** @type {Meter | null} */
  #shown = null;

  constructor() {
    this.words = h("span", "");
    this.fill = h("div", "");
    this.element = h("div", "dgpt-meter", {}, h("div", "dgpt-gauge", {}, this.fill), this.words);
    this.element.hidden = true;
  }

  /** @param {Meter | null} meter */
  update(meter) {
    if (meter === this.#shown) return;
    this.#shown = meter;
    const share = meter && meter.window > 0 ? meter.used / meter.window : 0;
    this.element.hidden = share < WORTH_SAYING;
    if (!meter || this.element.hidden) return;
    this.words.textContent = `${meter.used} of ${meter.window} tokens`;
    this.fill.style.transform = `scaleX(${Math.min(1, share)})`;
  }
}
