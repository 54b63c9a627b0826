import { afterEach, beforeEach, expect, test } from "vitest";
import {
  answer,
  cleanup,
  find,
  GENERATING,
  host,
  INFO,
  model,
  mount,
  named,
  painted,
  sent,
  TALK,
  unmount,
} from "../dev/page.js";
import { FORMATS, MODELS, PRESETS, SCHEMA, USUAL } from "../dev/settings.js";

const KERNEL = {
  settings: USUAL,
  settings_schema: SCHEMA,
  presets: PRESETS,
  models: MODELS,
  formats: FORMATS,
};
const region = () => find(".dgpt-panel");
const heading = () => region().querySelector("h2").textContent;
const details = () => find(".dgpt-state");

function press(key, at) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  at.dispatchEvent(event);
  return event.defaultPrevented;
}

beforeEach(() => mount({ ...TALK, ...KERNEL }));
afterEach(unmount);

test("settings, files and the model are behind a button each", () => {
  expect(region().hidden).toBe(true);
  named("Settings").click();
  expect(heading()).toBe("Settings");
  named("Keep").click();
  expect(heading()).toBe("Keep");
  details().click();
  expect(heading()).toBe("Model");
});

test("a value goes to the kernel, and what the kernel then has is shown", async () => {
  named("Settings").click();
  const field = find("[data-setting=top_k] .dgpt-field");
  field.value = "12";
  field.dispatchEvent(new Event("change"));
  expect(sent("settings")).toEqual([expect.objectContaining({ values: { top_k: 12 } })]);
  model.update({ settings: { ...USUAL, top_k: 12 } });
  await answer(sent("settings")[0]);
  expect(find("[data-setting=top_k] [type=range]").value).toBe("12");
});

test("Escape closes a panel from inside it and stops a reply from elsewhere", async () => {
  cleanup();
  mount({ ...TALK, ...KERNEL, ...GENERATING });
  named("Settings").click();
  expect(press("Escape", document.activeElement)).toBe(true);
  expect(region().hidden).toBe(true);
  expect(document.activeElement).toBe(named("Settings"));
  expect(sent("stop")).toHaveLength(0);
  press("Escape", find("textarea"));
  expect(sent("stop")).toHaveLength(1);
});

test("another model is asked for by a click or by its name, and a refusal is shown", async () => {
  details().click();
  const rows = [...region().querySelectorAll(".dgpt-choice")];
  expect(rows.map((row) => row.dataset.name)).toEqual(MODELS.map(({ name }) => name));
  rows[0].click();
  expect(sent("use_model")).toEqual([expect.objectContaining({ model: "mini" })]);
  await answer(sent("use_model")[0], { error: "A reply is running: stop it first." });
  expect(region().querySelector("[role=alert]").textContent).toContain("stop it first");
  const name = region().querySelector(".dgpt-field");
  name.value = " ../a folder ";
  named("Use").click();
  expect(sent("use_model")[1]).toMatchObject({ model: "../a folder" });
  await answer(sent("use_model")[1]);
  expect(name.value).toBe("");
});

test("the model in use is marked and asked for no second time", async () => {
  details().click();
  model.update({ info: { ...INFO, name: "mini" } });
  await painted();
  const current = [...region().querySelectorAll("[aria-current=true]")];
  expect(current.map((row) => row.dataset.name)).toEqual(["mini"]);
  current[0].click();
  expect(sent("use_model")).toHaveLength(0);
});

test("without its kernel only the model's panel is left, with nothing to change", async () => {
  named("Settings").click();
  model.connect(false);
  expect(region().hidden).toBe(true);
  expect(named("Settings").hidden).toBe(true);
  expect(named("Keep").hidden).toBe(true);
  details().click();
  expect(find(".dgpt-choices").closest("[hidden]")).not.toBeNull();
  model.connect(true);
  expect(named("Settings").hidden).toBe(false);
});

test("a dropped file opens the panel that says what became of it", async () => {
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const over = new Event("dragover", { bubbles: true, cancelable: true });
  event.dataTransfer = over.dataTransfer = { types: ["Files"], files: [new File(["{}"], "talk.json")] };
  find(".dgpt").dispatchEvent(over);
  find(".dgpt").dispatchEvent(event);
  expect(heading()).toBe("Keep");
  await painted();
  await answer(sent("import")[0], { error: "This is no saved conversation." });
  expect(region().textContent).toContain("This is no saved conversation.");
  expect(host.querySelectorAll("article")).toHaveLength(2);
});
