import { afterEach, beforeEach, expect, test } from "vitest";
import {
  answer,
  buttons,
  cleanup,
  find,
  GENERATING,
  host,
  key,
  model,
  mount,
  painted,
  READY,
  sent,
  TREE,
  texts,
  turn,
  unmount,
  within,
} from "../dev/page.js";

beforeEach(() => mount(TREE));
afterEach(unmount);

const place = (id) => turn(id).querySelector(".dgpt-versions")?.textContent;
const running = { status: { ...GENERATING.status, turn: 7, parent: 1 }, next_id: 8 };

test("versions are counted where a turn has some, and nowhere else", () => {
  expect(place(2)).toBe("1 / 3");
  for (const id of [1, 3, 4]) expect(place(id)).toBeUndefined();
});

test("at an end there is no further version, and the button says so", () => {
  const [back, forth] = ["Previous version", "Next version"].map((name) => within(turn(2), name));
  expect(back.getAttribute("aria-disabled")).toBe("true");
  expect(forth.getAttribute("aria-disabled")).toBe("false");
  back.click();
  expect(sent("select")).toEqual([]);
});

test("a click goes to the next version, says which it is, and keeps the focus on the button", async () => {
  const next = within(turn(2), "Next version");
  next.focus();
  next.click();
  expect(sent("select")).toEqual([expect.objectContaining({ turn: 5 })]);
  model.update({ leaf: 5 });
  await answer(sent("select")[0]);
  expect(texts()).toEqual(["Does money buy happiness?", "It hel"]);
  expect(place(5)).toBe("2 / 3");
  expect(find("[role=status]").textContent).toBe("Version 2 of 3");
  expect(document.activeElement).toBe(within(turn(5), "Next version"));
});

test("a version that the kernel refuses is not announced", async () => {
  within(turn(2), "Next version").click();
  await answer(sent("select")[0], { error: "There is no such turn." });
  expect(find(".dgpt-hint").textContent).toBe("There is no such turn.");
  expect(find("[role=status]").textContent).toBe("");
});

test("the arrow keys walk through the versions", () => {
  const next = within(turn(2), "Next version");
  next.focus();
  expect(key(next, "ArrowRight").defaultPrevented).toBe(true);
  expect(sent("select")).toEqual([expect.objectContaining({ turn: 5 })]);
  expect(key(next, "ArrowLeft").defaultPrevented).toBe(true);
  expect(sent("select")).toHaveLength(1);
});

test("without a kernel versions are still there to be read", async () => {
  model.connect(false);
  await painted();
  expect(buttons(2)).toEqual(["Copy", "More"]);
  within(turn(2), "Next version").click();
  await painted();
  within(turn(5), "Next version").click();
  await painted();
  expect(texts()).toEqual(["Does money buy happiness?", "No."]);
  within(turn(6), "Previous version").click();
  await painted();
  within(turn(5), "Previous version").click();
  await painted();
  expect(texts()).toHaveLength(4);
  expect(sent("select")).toEqual([]);
});

test("a saved page shows its versions too", async () => {
  cleanup();
  mount({ ...TREE, offline: 1_759_800_000 });
  within(turn(2), "Next version").click();
  await painted();
  expect(texts()).toEqual(["Does money buy happiness?", "It hel"]);
  turn(5).focus();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(model.sent).toEqual([]);
});

test("a reply that is being said is the last of the versions, and none can be done anything with", async () => {
  model.update({ ...running, leaf: 1 });
  await painted();
  expect(place(7)).toBe("4 / 4");
  expect(buttons(7)).toEqual([]);
  expect(buttons(1)).toEqual(["Copy", "Edit", "More"]);
});

test("a reader who is elsewhere is told quietly, and led back", async () => {
  model.update(running);
  await painted();
  expect(texts()).toHaveLength(4);
  expect(place(2)).toBe("1 / 4");
  const aside = find(".dgpt-aside");
  expect(aside.hidden).toBe(false);
  expect(aside.textContent).toContain("in another version");
  within(aside, "Show it").click();
  expect(sent("select")).toEqual([expect.objectContaining({ turn: 7 })]);
  model.update({ leaf: 1 });
  await painted();
  expect(aside.hidden).toBe(true);
  expect(turn(7)).not.toBeNull();
});

test("whoever edits what the chat went on from is told that it is kept", async () => {
  const edited = { ...TREE.turn_1, id: 7, text: "Does it?" };
  model.update({ turn_7: edited, leaf: 7, next_id: 8, can_undo: true });
  await painted();
  const aside = find(".dgpt-aside");
  expect(aside.textContent).toBe("What was said before is kept.Undo");
  within(aside, "Undo").click();
  expect(sent("undo")).toHaveLength(1);
  model.update({ leaf: 4 });
  await painted();
  expect(aside.hidden).toBe(true);
  model.update({ leaf: 6 });
  await painted();
  expect(aside.hidden).toBe(false);
});

test("a reply that ends elsewhere is announced once, and counted", async () => {
  model.update(running);
  await painted();
  const settled = { ...TREE.turn_2, id: 7, text: "Perhaps." };
  model.update({ turn_7: settled, status: READY });
  await painted();
  expect(find("[role=status]").textContent).toBe("Perhaps.");
  expect(place(2)).toBe("1 / 4");
  expect(texts()).toHaveLength(4);
});

test("the focus of a regenerated reply goes to the new one", async () => {
  const again = within(turn(2), "Regenerate");
  again.focus();
  again.click();
  model.update({ ...running, leaf: 1 });
  await painted();
  expect(document.activeElement).toBe(turn(7));
});

test("a turn that was forgotten is gone from the versions", async () => {
  model.update({ turn_6: null });
  await painted();
  expect(place(2)).toBe("1 / 2");
  model.update({ turn_5: null });
  await painted();
  expect(place(2)).toBeUndefined();
  expect(host.querySelectorAll("article")).toHaveLength(4);
});
