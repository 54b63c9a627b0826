/** @import { Model, Preset, Setting } from "../protocol.js" */

import { button, field, focus, h, icon, onClick, unique } from "../ui/dom.js";

/** @typedef {number | boolean | string | null} Value */

/** What a setting is called, and from where to where its slider goes, in which steps: the bounds allow far more.
 * @type {Record<string, [words: string, ...range: number[]]>} */
const KNOWN = {
  max_new_tokens: ["Longest reply", 1, 256, 1],
  min_new_tokens: ["Shortest reply", 0, 64, 1],
  max_context: ["Window", 64, 1024, 8],
  do_sample: ["Draw at random"],
  temperature: ["Temperature", 0.1, 2, 0.05],
  top_k: ["Top k", 0, 200, 1],
  top_p: ["Top p", 0, 1, 0.01],
  min_p: ["Min p", 0, 0.5, 0.01],
  seed: ["Seed"],
  repetition_penalty: ["Repetition penalty", 1, 2, 0.05],
  no_repeat_ngram_size: ["No repeated runs", 0, 8, 1],
  candidates: ["Replies made", 1, 64, 1],
  num_beams: ["Beams", 1, 16, 1],
  length_penalty: ["Length penalty", -2, 3, 0.1],
};

/** @param {string} name */
const wordsOf = (name) => KNOWN[name]?.[0] ?? name.replaceAll("_", " ");

/** The slider of a setting, if one makes sense. @param {Setting} setting */
function rangeOf({ name, min, max }) {
  const [, low, high, step] = KNOWN[name] ?? [];
  if (low === undefined || high === undefined) return null;
  return { min: Math.max(low, min ?? low), max: Math.min(high, max ?? high), step: step ?? 1 };
}

/** Whether there is anything to choose. @param {Setting} setting */
const isFree = ({ type, min, max }) => type === "bool" || min !== max;

/** What was written in a field, for the kernel to judge: text that is no number stays text.
 * @param {string} text @param {Setting} setting @returns {Value} */
function readValue(text, setting) {
  const written = text.trim().replace(",", ".");
  if (written === "" && setting.default === null) return null;
  const number = Number(written);
  return written !== "" && Number.isFinite(number) ? number : text;
}

const RESET = "M3.2 8.7A5 5 0 1 0 4.2 4.8M3.5 2v3.2h3.2";

/** One setting: what it is called here and in transformers, what it does, and where it stands. */
class SettingRow {
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

/** @typedef {Record<string, Value>} Values */

const KEPT = ["length", "candidates"]; // groups of settings that no preset changes

/** @param {Setting[]} schema @returns {Values} */
const defaults = (schema) => Object.fromEntries(schema.map((setting) => [setting.name, setting.default]));

/** What a preset sets: what it does not name goes back to its default, but for the groups that are kept and the seed.
 * @param {Preset} preset @param {Setting[]} schema @returns {Values} */
export function valuesOf(preset, schema) {
  const own = schema.filter(({ name, group }) => !KEPT.includes(group) && name !== "seed");
  return { ...defaults(own), .../** @type {Values} */ (preset.values) };
}

/** What the next reply is decoded with. Made of the schema that the kernel sends. */
export class SettingsPanel {
  title = "Settings";
  /** @type {Map<string, SettingRow>} */
  #rows = new Map();
  /** @type {Map<HTMLElement, Preset>} */
  #presets = new Map();
  /** @type {Setting[]} */
  #schema = [];
  /** @type {Values | null} */
  #shown = null;

  /** @param {Pick<Model, "get">} model @param {(values: Values) => Promise<unknown>} set rejects with what is allowed */
  constructor(model, set) {
    this.model = model;
    this.set = set;
    this.chips = h("div", "dgpt-row", { role: "group", "aria-label": "Presets" });
    this.hint = h("p", "dgpt-small", { role: "status" });
    this.groups = h("div", "dgpt-group");
    const reset = button("Reset all", "dgpt-plain");
    const once = h("p", "dgpt-small", {}, "Changes apply from the next reply.");
    this.element = h("div", "dgpt-group", {}, once, this.chips, this.hint, this.groups, reset);
    onClick(reset, () => this.#say(defaults(this.#schema)));
    onClick(this.chips, (event) => {
      const chip = /** @type {HTMLElement} */ (event.target).closest("button");
      const preset = chip && this.#presets.get(chip);
      if (preset) this.#say(valuesOf(preset, this.#schema));
    });
  }

  update() {
    const schema = this.model.get("settings_schema") ?? [];
    if (schema !== this.#schema) this.#build(schema);
    /** @type {Values} */
    const values = this.model.get("settings") ?? {};
    if (values === this.#shown) return;
    this.#shown = values;
    for (const [name, row] of this.#rows) row.update(values[name] ?? null);
    this.hint.textContent = "";
    for (const [chip, preset] of this.#presets) {
      const chosen = Object.entries(valuesOf(preset, schema)).every(
        ([name, value]) => values[name] === value,
      );
      chip.setAttribute("aria-pressed", String(chosen));
      if (chosen) this.hint.textContent = preset.help;
    }
  }

  /** @param {Values} values */
  #say(values) {
    this.set(values).catch((error) => {
      this.hint.textContent = error.message;
    });
  }

  /** @param {Setting[]} schema */
  #build(schema) {
    this.#schema = schema;
    this.#shown = null;
    this.#rows.clear();
    this.#presets.clear();
    for (const preset of this.model.get("presets") ?? []) {
      const chip = button(preset.name, "dgpt-plain dgpt-starter dgpt-chip");
      chip.title = preset.help;
      this.#presets.set(chip, preset);
    }
    this.chips.replaceChildren(...this.#presets.keys());
    const free = schema.filter(isFree);
    const groups = [...new Set(free.map((setting) => setting.group))];
    this.groups.replaceChildren(...groups.map((group) => this.#group(group, free)));
  }

  /** @param {string} group @param {Setting[]} schema */
  #group(group, schema) {
    const rows = schema.filter((setting) => setting.group === group);
    const title = group === "candidates" ? "Several replies" : group.charAt(0).toUpperCase() + group.slice(1);
    const box = h("section", "dgpt-group", { "aria-label": title }, h("h3", "", {}, title));
    for (const setting of rows) {
      const row = new SettingRow(setting, (value) => this.set({ [setting.name]: value }));
      this.#rows.set(setting.name, row);
      box.append(row.element);
    }
    return box;
  }
}
