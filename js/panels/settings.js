import { button, h, onClick } from "../chat/dom.js";
import { defaults, valuesOf } from "./presets.js";
import { isFree } from "./scale.js";
import { SettingRow } from "./setting.js";

/** @import { Model, Preset, Setting } from "../wire.js" */
/** @import { Values } from "./presets.js" */

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
