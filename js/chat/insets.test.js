import { afterEach, beforeEach, expect, test } from "vitest";
import { answer, key, model, mount, painted, sent, TREE, texts, turn, unmount, within } from "../dev/page.js";

beforeEach(() => mount(TREE));
afterEach(unmount);

const field = (id) => turn(id).querySelector("textarea");

function open(id) {
  within(turn(id), "Edit").click();
  return field(id);
}

function write(area, text) {
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

test("a turn is edited in its place, with its text to begin with", () => {
  const area = open(3);
  expect(area.value).toBe("How?");
  expect(area.getAttribute("aria-label")).toBe("Edit message");
  expect(document.activeElement).toBe(area);
  expect(turn(3).querySelector(".dgpt-text").hidden).toBe(true);
  expect(open(2).getAttribute("aria-label")).toBe("Edit reply");
});

test("Enter saves a new version, Shift and Enter do not, and the editor stays until the kernel has taken it", async () => {
  const area = open(3);
  write(area, "Since when?");
  expect(key(area, "Enter", { shiftKey: true }).defaultPrevented).toBe(false);
  expect(sent("edit")).toEqual([]);
  key(area, "Enter");
  key(area, "Enter");
  expect(sent("edit")).toEqual([expect.objectContaining({ turn: 3, text: "Since when?" })]);
  expect(field(3)).not.toBeNull();
  await answer(sent("edit")[0], { ok: true, item: "q" });
  expect(field(3)).toBeNull();
});

test("an input method's Enter and Escape are its own", () => {
  const area = open(3);
  write(area, "か");
  key(area, "Enter", { isComposing: true });
  key(area, "Escape", { isComposing: true });
  expect(sent("edit")).toEqual([]);
  expect(field(3)).not.toBeNull();
});

test("Escape gives up, stops nothing, and gives the focus back", async () => {
  model.update({ status: { ...model.get("status"), phase: "generating", turn: 7, parent: 4 } });
  await painted();
  const area = open(3);
  write(area, "Since when?");
  key(area, "Escape");
  expect(field(3)).toBeNull();
  expect(document.activeElement).toBe(within(turn(3), "Edit"));
  expect(sent("stop")).toEqual([]);
  expect(sent("edit")).toEqual([]);
  expect(open(3).value).toBe("How?");
});

test("what the kernel refuses stays to be mended, with the reason beside it", async () => {
  const area = open(2);
  write(area, "It does.");
  within(turn(2), "Save").click();
  await answer(sent("edit")[0], { error: "The model is not loaded yet." });
  expect(area.value).toBe("It does.");
  expect(turn(2).querySelector("[role=alert]").textContent).toBe("The model is not loaded yet.");
  within(turn(2), "Save").click();
  await answer(sent("edit")[1]);
  expect(field(2)).toBeNull();
});

test("a draft outlives the turn's being out of sight in another version", async () => {
  write(open(3), "Since when?");
  model.update({ leaf: 5 });
  await painted();
  model.update({ leaf: 4 });
  await painted();
  expect(open(3).value).toBe("Since when?");
});

test("what was not changed, or is blank, is not sent", () => {
  write(open(3), " \n");
  within(turn(3), "Save").click();
  expect(field(3)).not.toBeNull();
  write(field(3), "How?");
  within(turn(3), "Save").click();
  expect(field(3)).toBeNull();
  expect(sent("edit")).toEqual([]);
});

test("an edit that waits and is taken back is open again", async () => {
  model.update({ queue: [{ id: "q", kind: "edit", text: "Since when?", turn: 3 }] });
  await painted();
  const [item] = document.querySelectorAll(".dgpt-queued");
  expect(item.textContent).toContain("New version: “Since when?”");
  within(item, "Withdraw").click();
  await answer(sent("withdraw")[0], { ok: true, text: "Since when?" });
  expect(field(3).value).toBe("Since when?");
  expect(texts()).toHaveLength(4);
});
