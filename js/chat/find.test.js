import { afterEach, beforeEach, expect, test } from "vitest";
import { area, find, key, model, mount, named, painted, TREE, turn, unmount } from "../dev/page.js";
import { matches } from "./find.js";

const bar = () => find(".dgpt-find");
const field = () => bar().querySelector("input");
const count = () => bar().querySelector("[aria-live]").textContent;
const at = () => find("[data-found]")?.dataset.turn;

function search(text) {
  field().value = text;
  field().dispatchEvent(new Event("input"));
}

beforeEach(() => mount(TREE));
afterEach(unmount);

test.each([
  [
    "It helps. It does.",
    "it",
    [
      [0, 2],
      [10, 12],
    ],
  ],
  ["a.c abc", "a.c", [[0, 3]]],
  ["two\n  words", "two words", [[0, 11]]],
  ["İstanbul ok", "OK", [[9, 11]]],
  [
    "🙂🙂",
    "🙂",
    [
      [0, 2],
      [2, 4],
    ],
  ],
  ["anything", "  ", []],
  ["(x)", "(", [[0, 1]]],
])("in %j %j is found where it is", (text, query, found) => {
  expect(matches(text, query)).toEqual(found);
});

test("Ctrl and F searches the chat, but only where there is one", async () => {
  expect(key(area(), "f", { ctrlKey: true }).defaultPrevented).toBe(true);
  expect(bar().hidden).toBe(false);
  expect(document.activeElement).toBe(field());
  expect(key(area(), "F", { ctrlKey: true }).defaultPrevented).toBe(true); // with Caps Lock
  unmount();
  mount();
  expect(key(area(), "f", { ctrlKey: true }).defaultPrevented).toBe(false);
  expect(key(area(), "f").defaultPrevented).toBe(false);
});

test("matches are counted, and gone through both ways and around", () => {
  named("Find").click();
  search("o");
  expect([count(), at()]).toEqual(["1 of 4", "1"]);
  key(field(), "Enter");
  key(field(), "Enter");
  expect([count(), at()]).toEqual(["3 of 4", "3"]);
  for (let back = 0; back < 3; back++) key(field(), "Enter", { shiftKey: true });
  expect([count(), at()]).toEqual(["4 of 4", "4"]);
  named("Next match").click();
  expect(count()).toBe("1 of 4");
  search("xyz");
  expect([count(), at()]).toEqual(["not found", undefined]);
  search("");
  expect(count()).toBe("");
});

test("what is said meanwhile is found too, and the reader stays where they were", async () => {
  named("Find").click();
  search("o");
  key(field(), "Enter");
  key(field(), "Enter");
  model.update({ turn_7: { ...TREE.turn_3, id: 7, parent: 4, text: "So?" }, leaf: 7, next_id: 8 });
  await painted();
  expect([count(), at()]).toEqual(["3 of 5", "3"]);
});

test("Escape closes, unmarks and gives the focus back", () => {
  turn(3).focus();
  key(turn(3), "f", { metaKey: true });
  search("o");
  key(field(), "Escape");
  expect(bar().hidden).toBe(true);
  expect(at()).toBeUndefined();
  expect(document.activeElement).toBe(turn(3));
});
