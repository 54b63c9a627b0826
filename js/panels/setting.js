import { button, field, focus, h, icon, onClick, unique } from "../chat/dom.js";
import { rangeOf, readValue, wordsOf } from "./scale.js";

/** @import { Setting } from "../wire.js" */
/** @import { Value } from "./scale.js" */

const RESET = "M3.2 8.7A5 5 0 1 0 4.2 4.8M3.5 2v3.2h3.2";

/** One setting: what it is called here and in transformers, what it does, and where it stands. */
export class SettingRow {
  /** @type {Value} what the kernel has */
  #value = null;
  #writing = false;
  /** How many values the kernel has yet to answer: what it says of earlier ones moves nothing. */
  #asked = 0;
  #stale = false;

  /**
   * @param {Setting} setting
   * @param {(value: Value) => Promise<unknown>} set rejects with what is allowed
   */
  constructor(setting, set) {
    this.setting = setting;
    this.set = set;
    const words = wordsOf(setting.name);
    const id = unique();
    const said = { "aria-label": words, "aria-describedby": id };
    const range = rangeOf(setting);
    const usual = setting.default === null ? "empty" : String(setting.default);
    this.reset = button(`Reset ${words} to ${usual}`, "dgpt-quiet dgpt-round", icon(RESET));
    this.reset.title = `Reset to ${usual}`;
    this.field =
      setting.type === "bool"
        ? h("input", "dgpt-switch", { type: "checkbox", role: "switch", ...said })
        : field({
            inputmode: "decimal",
            autocomplete: "off",
            ...said,
          });
    if (setting.default === null) this.field.placeholder = "random";
    this.slider = range && h("input", "dgpt-slider", { type: "range", ...strings(range), ...said });
    this.error = h("p", "dgpt-grave", { role: "alert" });
    this.error.hidden = true;
    this.element = h(
      "div",
      "dgpt-setting",
      { "data-setting": setting.name },
      h("label", "", {}, h("span", "", {}, words), this.field),
      this.reset,
      ...(this.slider ? [this.slider] : []),
      h("p", "dgpt-small", { id }, h("code", "", {}, setting.name), `: ${setting.help}`),
      this.error,
    );
    this.#listen();
  }

  /** @param {Value} value what the kernel has; what is being written stays */
  update(value) {
    this.#value = value;
    const changed = value !== this.setting.default;
    if (!changed && this.reset.matches(":focus")) focus(this.field);
    this.reset.hidden = !changed;
    this.element.toggleAttribute("data-changed", changed);
    this.#stale = this.#writing || this.#asked > 0;
    if (this.#stale) return;
    if (this.setting.type === "bool") this.field.checked = value === true;
    else this.field.value = text(value);
    if (this.slider) this.slider.value = text(value);
  }

  #listen() {
    const { field, slider, setting } = this;
    field.addEventListener("change", () =>
      this.#choose(setting.type === "bool" ? field.checked : readValue(field.value, setting)),
    );
    field.addEventListener("input", () => {
      this.#writing = true;
    });
    slider?.addEventListener("input", () => {
      this.#writing = true;
      field.value = slider.value;
    });
    slider?.addEventListener("change", () => this.#choose(Number(slider.value)));
    onClick(this.reset, () => this.#choose(setting.default));
  }

  /** @param {Value} value */
  async #choose(value) {
    this.#writing = false;
    this.#refuse("");
    if (value === this.#value && !this.#asked) return this.update(value);
    this.#asked += 1;
    const reason = await this.set(value).then(
      () => "",
      (error) => error.message,
    );
    this.#asked -= 1;
    this.#refuse(reason);
    if (reason || this.#stale) this.update(this.#value);
  }

  /** @param {string} reason why the kernel kept what it has */
  #refuse(reason) {
    this.error.textContent = reason;
    this.error.hidden = !reason;
  }
}

/** @param {Value} value */
const text = (value) => (value === null ? "" : String(value));

/** @param {Record<string, number>} values */
const strings = (values) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
