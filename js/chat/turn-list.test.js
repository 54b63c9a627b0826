import { beforeEach, expect, test } from "vitest";
import { Parts } from "./turn-list.js";

const elements = (count) =>
  Array.from({ length: count }, (_, place) => {
    const element = document.createElement("article");
    element.textContent = String(place);
    return element;
  });

let parts;
beforeEach(() => {
  parts = new Parts();
});

const shown = () => [...parts.element.querySelectorAll("article")];

test("a long path is laid out in parts of a few turns, in its order", () => {
  const turns = elements(40);
  expect(parts.arrange(turns)).toEqual(turns);
  expect(shown()).toEqual(turns);
  expect(parts.element.children).toHaveLength(5);
});

test("what is appended moves nothing else", () => {
  const turns = elements(33);
  parts.arrange(turns.slice(0, 32));
  expect(parts.arrange(turns)).toEqual([turns[32]]);
  expect(shown()).toEqual(turns);
});

test("another version takes the place of what followed", () => {
  const turns = elements(33);
  parts.arrange(turns);
  const [other] = elements(1);
  for (const gone of turns.slice(3)) gone.remove();
  expect(parts.arrange([...turns.slice(0, 3), other])).toEqual([other]);
  expect(shown()).toEqual([...turns.slice(0, 3), other]);
  expect(parts.element.children).toHaveLength(1);
});

test("an empty path leaves nothing", () => {
  const turns = elements(2);
  parts.arrange(turns);
  for (const gone of turns) gone.remove();
  parts.arrange([]);
  expect(parts.element.childElementCount).toBe(0);
});
