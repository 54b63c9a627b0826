import { beforeEach, expect, test } from "vitest";
import { Tree } from "./state.js";

const turn = (id, parent) => ({ id, parent, role: "user", text: "", stop: null });

let tree;
beforeEach(() => {
  tree = new Tree();
  for (const [id, parent] of [
    [1, null],
    [2, 1],
    [5, 1],
    [3, 2],
    [6, 3],
    [4, 2],
  ])
    tree.add(turn(id, parent));
});

test("children are in the order of their ids, whenever they came", () => {
  tree.add(turn(0, 1));
  expect(tree.children(1)).toEqual([0, 2, 5]);
  expect(tree.children(null)).toEqual([1]);
  expect(tree.children(6)).toEqual([]);
});

test("below a turn is all that follows, in all versions", () => {
  expect([1, 2, 3, 6].map((id) => tree.below(id))).toEqual([5, 3, 1, 0]);
});

test("a path goes on where it went last, else with the newest version", () => {
  expect(tree.descend(2)).toBe(4);
  tree.remember([turn(1, null), turn(2, 1), turn(3, 2)]);
  expect(tree.descend(2)).toBe(6);
  expect(tree.descend(1)).toBe(6);
  tree.forget(6);
  tree.forget(3);
  expect(tree.descend(1)).toBe(4);
});

test("to forget what is not known changes nothing", () => {
  const before = tree.revision;
  tree.forget(99);
  expect(tree.revision).toBe(before);
});
