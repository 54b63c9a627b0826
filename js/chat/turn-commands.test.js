import { afterEach, beforeEach, expect, test } from "vitest";
import {
  answer,
  buttons,
  find,
  key,
  model,
  mount,
  named,
  painted,
  sent,
  TREE,
  turn,
  unmount,
  within,
} from "../dev/page.js";

beforeEach(() => mount(TREE));
afterEach(unmount);

const menu = () => find(".dgpt-menu");
const choices = () => [...menu().querySelectorAll("[role=menuitem]")].map((item) => item.textContent);

function more(id, choice) {
  within(turn(id), "More").click();
  const found = [...menu().querySelectorAll("[role=menuitem]")].find((item) => item.textContent === choice);
  found?.click();
}

test("each turn offers what can be done with it", async () => {
  expect(buttons(1)).toEqual(["Copy", "Edit", "More"]);
  expect(buttons(2)).toEqual(["Copy", "Regenerate", "Edit", "More"]);
  model.update({ leaf: 5 });
  await painted();
  expect(buttons(5)).toEqual(["Copy", "Regenerate", "Edit", "Continue", "More"]);
  model.update({ leaf: 6 });
  await painted();
  expect(buttons(6)).toEqual(["Copy", "Regenerate", "Edit", "Continue", "More"]);
  model.update({ leaf: 3 });
  await painted();
  expect(buttons(3)).toEqual(["Copy", "Regenerate", "Edit", "More"]);
});

test("a reply that a person wrote says so, quietly", async () => {
  expect(turn(2).textContent).not.toContain("not generated here");
  model.update({ leaf: 6 });
  await painted();
  expect(turn(6).querySelector(".dgpt-note").textContent).toBe("not generated here");
  expect(turn(1).textContent).not.toContain("not generated here");
});

test("Regenerate and Continue ask for another version, and a refusal is told", async () => {
  within(turn(2), "Regenerate").click();
  expect(sent("regenerate")).toEqual([expect.objectContaining({ turn: 2 })]);
  await answer(sent("regenerate")[0], { error: "There is nothing to answer." });
  expect(find(".dgpt-hint").textContent).toBe("There is nothing to answer.");
  model.update({ leaf: 5 });
  await painted();
  within(turn(5), "Continue").click();
  expect(sent("continue")).toEqual([expect.objectContaining({ turn: 5 })]);
});

test("the menu says how a reply was made, and offers what is needed seldom", () => {
  more(2);
  expect(choices()).toEqual(["Copy as Python", "Forget…"]);
  const facts = [...menu().querySelectorAll("dl > div")].map((row) => row.textContent);
  expect(facts).toEqual(["Modelm", "Precisionfloat16", "Diceseed 7, reply 3", "temperature0.5"]);
  more(4);
  expect(choices()).toEqual(["Copy as Python", "Forget…"]);
  more(1);
  expect(choices()).toEqual(["Forget…"]);
  expect(menu().querySelector("dl").hidden).toBe(true);
});

test("the menu is walked with the arrow keys, and Escape closes it and nothing else", () => {
  more(2);
  const focused = () => document.activeElement.textContent;
  expect(focused()).toBe("Copy as Python");
  key(document.activeElement, "ArrowUp");
  expect(focused()).toBe("Forget…");
  key(document.activeElement, "ArrowDown");
  expect(focused()).toBe("Copy as Python");
  key(document.activeElement, "End");
  expect(focused()).toBe("Forget…");
  key(document.activeElement, "Escape");
  expect(menu().hidden).toBe(true);
  expect(document.activeElement).toBe(within(turn(2), "More"));
  expect(find("[aria-current]")).toBe(turn(2));
});

test("a menu goes with the turn that it belongs to", async () => {
  more(2);
  model.update({ leaf: 5 });
  await painted();
  expect(menu().hidden).toBe(true);
});

test("a reply is copied as Python", async () => {
  let copied = "";
  document.execCommand = () => {
    copied = document.activeElement.value;
    return true;
  };
  more(2, "Copy as Python");
  expect(sent("code")).toEqual([expect.objectContaining({ turn: 2 })]);
  await answer(sent("code")[0], { ok: true, text: "print(1)\n" });
  expect(copied).toBe("print(1)\n");
  expect(find("[role=status]").textContent).toBe("Copied");
});

test("to forget is asked first, says what goes with it, and is not done by a slip", async () => {
  more(1, "Forget…");
  expect(turn(1).textContent).toContain("Forget this turn and the 5 that follow, in all their versions?");
  expect(turn(1).textContent).toContain("It cannot be undone.");
  expect(document.activeElement).toBe(within(turn(1), "Cancel"));
  key(document.activeElement, "Escape");
  expect(within(turn(1), "Forget")).toBeUndefined();
  expect(sent("forget")).toEqual([]);
  more(1, "Forget…");
  within(turn(1), "Forget").click();
  expect(sent("forget")).toEqual([expect.objectContaining({ turn: 1 })]);
  await answer(sent("forget")[0], { error: "A reply is being said there." });
  expect(turn(1).querySelector("[role=alert]").textContent).toBe("A reply is being said there.");
});

test("a new chat and undo stand at the head, and what was said is one click away", async () => {
  expect(named("Undo").getAttribute("aria-disabled")).toBe("true");
  named("Undo").click();
  expect(sent("undo")).toEqual([]);
  named("New chat").click();
  expect(sent("clear")).toHaveLength(1);
  model.update({ leaf: null, can_undo: true });
  await painted();
  const aside = find(".dgpt-aside");
  expect(aside.hidden).toBe(false);
  within(aside, "Undo").click();
  expect(sent("undo")).toHaveLength(1);
  model.update({ leaf: 4 });
  await painted();
  expect(aside.hidden).toBe(true);
});

test("nothing to clear, undo or find is offered before anything was said", () => {
  unmount();
  mount();
  for (const name of ["New chat", "Undo", "Find"]) expect(named(name).hidden).toBe(true);
});
