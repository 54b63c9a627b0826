import { button, CROSS, h, icon, onClick } from "../chat/dom.js";

/** @import { Pace } from "../wire.js" */

const RATES = [1, 2, 4, 10];
const BACK = "M4 3.5v9M12.5 3.5 6.5 8l6 4.5z";
const PLAY = "M5 3v10l8-5z";
const PAUSE = "M5.5 3.5v9M10.5 3.5v9";
const END = "M2.5 3.5v9L7.5 8zM7.5 3.5v9l5-4.5zM13.5 3.5v9";
const SCREEN = "M2 3h12v7.5H2zM8 10.5V14M5 14h6";

/**
 * @typedef {object} Acts
 * @property {() => void} back
 * @property {() => void} step
 * @property {() => void} play
 * @property {() => void} finish
 * @property {() => void} rate another one was chosen
 * @property {() => void} guess
 * @property {() => void} force
 * @property {() => void} screen
 * @property {() => void} leave
 */

/** The buttons of slow motion. */
export class Bar {
  #backward;
  #play;
  #finish;
  #rate;
  #guess;
  #force;
  #leave;

  /** @param {Acts} acts */
  constructor(acts) {
    this.#backward = control("Back", BACK, acts.back);
    this.forward = acting(button("Step", "dgpt-step-on"), acts.step);
    this.#play = control("Play", PLAY, acts.play);
    this.#finish = control("Run to the end", END, acts.finish);
    this.#rate = h("select", "dgpt-button dgpt-plain", { "aria-label": "Tokens a second" });
    this.#rate.addEventListener("change", acts.rate);
    this.#guess = acting(button("Guess first", "dgpt-plain"), acts.guess);
    this.#force = acting(button("Force…", "dgpt-plain"), acts.force);
    this.screen = control("Projector", SCREEN, acts.screen);
    this.#leave = control("Close slow motion", CROSS, acts.leave);
    const drive = [this.#backward, this.forward, this.#play, this.#finish, this.#rate];
    const ways = [this.#guess, this.#force, this.screen, this.#leave];
    this.element = h(
      "div",
      "dgpt-row dgpt-slow-bar",
      {},
      h("div", "dgpt-row", {}, ...drive),
      h("div", "dgpt-row", {}, ...ways),
    );
  }

  /** Tokens a second, as chosen; 0 for want of a choice. */
  get rate() {
    return Number(this.#rate.value);
  }

  /**
   * @param {Pace} pace @param {boolean} running @param {boolean} forcing
   * @param {{shown: boolean, more: boolean | null}} projector
   */
  show({ mode, rate, guessing, count }, running, forcing, { shown, more }) {
    const playing = mode === "play";
    named(this.#play, playing ? "Pause" : "Play", playing ? PAUSE : PLAY);
    this.#rates(rate);
    this.#guess.setAttribute("aria-pressed", String(guessing));
    this.#force.hidden = guessing;
    this.#force.setAttribute("aria-expanded", String(forcing));
    this.screen.hidden = this.#leave.hidden = shown;
    able(this.#backward, more ?? (running && count > 0));
    able(this.forward, !(guessing && running));
    able(this.#finish, running);
  }

  /** @param {number} rate */
  #rates(rate) {
    const other = RATES.includes(rate) ? [] : [rate];
    const rates = [...RATES, ...other].map((one) => h("option", "", { value: `${one}` }, `${one}/s`));
    if (!this.#rate.options.length || this.#rate.value !== `${rate}`) this.#rate.replaceChildren(...rates);
    this.#rate.value = `${rate}`;
  }
}

/** @param {string} name @param {string} path @param {() => void} act */
function control(name, path, act) {
  const element = h("button", "dgpt-button dgpt-round", { type: "button" }, "");
  named(element, name, path);
  return acting(element, act);
}

/** @template {HTMLElement} T @param {T} element @param {() => void} act */
function acting(element, act) {
  onClick(element, () => element.getAttribute("aria-disabled") !== "true" && act());
  return element;
}

/** @param {HTMLElement} element @param {string} name @param {string} path */
function named(element, name, path) {
  if (element.title === name) return;
  element.title = name;
  element.setAttribute("aria-label", name);
  element.replaceChildren(icon(path));
}

/** @param {HTMLElement} element @param {boolean} able */
function able(element, able) {
  element.setAttribute("aria-disabled", String(!able));
}
