import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "../dev/model.js";
import { PRESETS, SCHEMA, USUAL } from "../dev/settings.js";
import { SettingsPanel } from "./settings.js";

let model;
let panel;
let set;

const row = (name) => panel.element.querySelector(`[data-setting=${name}]`);
const field = (name) => row(name).querySelector("label input");
const slider = (name) => row(name).querySelector("[type=range]");
const chip = (name) =>
  [...panel.element.querySelectorAll(".dgpt-chip")].find((one) => one.textContent === name);
const settled = () => new Promise((resolve) => setTimeout(resolve));

function kernelHas(values) {
  model.update({ settings: { ...USUAL, ...values } });
  panel.update();
}

async function write(input, value, event = "change") {
  input.value = value;
  input.dispatchEvent(new Event("input"));
  input.dispatchEvent(new Event(event));
  await settled();
}

beforeEach(() => {
  model = new FakeModel({ settings_schema: SCHEMA, presets: PRESETS, settings: USUAL });
  set = vi.fn(async () => {});
  panel = new SettingsPanel(model, (values) => set(values));
  panel.update();
  document.body.append(panel.element);
});

afterEach(() => panel.element.remove());

test("every setting has a row in its group, with words, its exact name and what it does", () => {
  const groups = [...panel.element.querySelectorAll("section")];
  expect(groups.map((group) => group.getAttribute("aria-label"))).toEqual([
    "Length",
    "Sampling",
    "Repetition",
    "Several replies",
  ]);
  expect(groups[1].querySelectorAll(".dgpt-setting")).toHaveLength(6);
  expect(row("top_p").textContent).toContain("Top p");
  expect(row("top_p").querySelector("code").textContent).toBe("top_p");
  expect(row("top_p").textContent).toContain("Keep the fewest tokens");
});

test("a setting with nothing to choose is left out", () => {
  const fixed = SCHEMA.map((setting) => (setting.name === "num_beams" ? { ...setting, max: 1 } : setting));
  model.update({ settings_schema: fixed });
  panel.update();
  expect(row("candidates")).not.toBeNull();
  expect(row("num_beams")).toBeNull();
});

test("a slider tells its value while it moves and the kernel when it is let go", async () => {
  await write(slider("temperature"), "0.7", "input");
  expect(field("temperature").value).toBe("0.7");
  expect(set).not.toHaveBeenCalled();
  await write(slider("temperature"), "0.8");
  expect(set.mock.calls).toEqual([[{ temperature: 0.8 }]]);
});

test("a field takes what the slider does not reach, and a comma for a point", async () => {
  await write(field("temperature"), "7,5");
  expect(set.mock.calls).toEqual([[{ temperature: 7.5 }]]);
  kernelHas({ temperature: 7.5 });
  expect(field("temperature").value).toBe("7.5");
  expect(slider("temperature").max).toBe("2");
});

test.each([
  ["abc", "abc"],
  ["", ""],
  ["1e999", "1e999"],
  ["NaN", "NaN"],
])("what is no number (%j) is for the kernel to refuse", async (written, said) => {
  await write(field("top_k"), written);
  expect(set.mock.calls).toEqual([[{ top_k: said }]]);
});

test("a refusal is shown at the row and the value goes back", async () => {
  set = vi.fn(() => Promise.reject(new Error("top_p is from 0.0 to 1.0, not 3.")));
  await write(field("top_p"), "3");
  const alert = row("top_p").querySelector("[role=alert]");
  expect(alert.hidden).toBe(false);
  expect(alert.textContent).toBe("top_p is from 0.0 to 1.0, not 3.");
  expect(field("top_p").value).toBe("0.9");
  set = vi.fn(async () => {});
  await write(field("top_p"), "0.5");
  expect(alert.hidden).toBe(true);
});

test("steps in quick succession add up: an answer to the first does not undo the second", async () => {
  const answers = [];
  set = vi.fn(() => new Promise((resolve) => answers.push(resolve)));
  await write(slider("top_k"), "41");
  await write(slider("top_k"), "42");
  kernelHas({ top_k: 41 });
  answers[0]();
  await settled();
  expect(slider("top_k").value).toBe("42");
  expect(field("top_k").value).toBe("42");
  kernelHas({ top_k: 42 });
  answers[1]();
  await settled();
  expect(slider("top_k").value).toBe("42");
  kernelHas({ top_k: 9 });
  expect(slider("top_k").value).toBe("9");
});

test("a value that is taken back before the kernel answers is said too", async () => {
  const answers = [];
  set = vi.fn(() => new Promise((resolve) => answers.push(resolve)));
  const usual = slider("top_k").value;
  await write(slider("top_k"), "7");
  await write(slider("top_k"), usual);
  expect(set.mock.calls).toEqual([[{ top_k: 7 }], [{ top_k: Number(usual) }]]);
});

test("an empty seed is no seed, and an empty field of a number that is needed is not", async () => {
  kernelHas({ seed: 7 });
  expect(field("seed").value).toBe("7");
  await write(field("seed"), "  ");
  expect(set.mock.calls).toEqual([[{ seed: null }]]);
  kernelHas({});
  expect(field("seed").value).toBe("");
  expect(field("seed").placeholder).toBe("random");
});

test("a switch is on or off", async () => {
  field("do_sample").click();
  await settled();
  expect(set.mock.calls).toEqual([[{ do_sample: false }]]);
});

test("what differs from the default is marked and goes back alone", async () => {
  const reset = row("temperature").querySelector("button");
  expect(reset.hidden).toBe(true);
  kernelHas({ temperature: 0.6, seed: 3 });
  expect(row("temperature").hasAttribute("data-changed")).toBe(true);
  expect(row("top_k").hasAttribute("data-changed")).toBe(false);
  expect(reset.hidden).toBe(false);
  expect(reset.getAttribute("aria-label")).toBe("Reset Temperature to 1");
  expect(row("seed").querySelector("button").getAttribute("aria-label")).toBe("Reset Seed to empty");
  reset.focus();
  reset.click();
  expect(set.mock.calls).toEqual([[{ temperature: 1 }]]);
  kernelHas({});
  expect(reset.hidden).toBe(true);
  expect(document.activeElement).toBe(field("temperature"));
});

test("all goes back at once", () => {
  [...panel.element.querySelectorAll("button")].find((one) => one.textContent === "Reset all").click();
  expect(set.mock.calls).toEqual([[USUAL]]);
});

test("a preset names some values; lengths, the seed and how many replies are made stay, the others go back", () => {
  chip("Dull").click();
  const [[values]] = set.mock.calls;
  expect(values).toMatchObject({
    temperature: 0.3,
    top_k: 0,
    top_p: 1,
    do_sample: true,
    repetition_penalty: 1,
  });
  expect(Object.keys(values)).not.toContain("seed");
  for (const kept of ["max_new_tokens", "candidates", "num_beams", "length_penalty"])
    expect(Object.keys(values)).not.toContain(kept);
});

test("the preset in use is marked and says what it is", () => {
  const pressed = () =>
    [...panel.element.querySelectorAll("[aria-pressed=true]")].map((one) => one.textContent);
  expect(pressed()).toEqual(["gpt2bot"]);
  kernelHas({ temperature: 0.3, top_k: 0, top_p: 1, max_new_tokens: 40, seed: 1 });
  expect(pressed()).toEqual(["Dull"]);
  expect(panel.hint.textContent).toContain("Temperature 0.3");
  kernelHas({ temperature: 0.31 });
  expect(pressed()).toEqual([]);
  expect(panel.hint.textContent).toBe("");
});

test("a change from code appears, but not in a field that is being written", () => {
  field("top_k").value = "12";
  field("top_k").dispatchEvent(new Event("input"));
  kernelHas({ top_k: 5, top_p: 0.4 });
  expect(field("top_k").value).toBe("12");
  expect(field("top_p").value).toBe("0.4");
  expect(slider("top_p").value).toBe("0.4");
});

test("sliders stay inside the bounds", () => {
  for (const { name, min, max } of SCHEMA) {
    const range = row(name) && slider(name);
    if (!range) continue;
    expect(Number(range.min)).toBeGreaterThanOrEqual(min);
    expect(Number(range.max)).toBeLessThanOrEqual(max);
  }
});
