import { expect, test } from "vitest";
import { parting } from "./compare.js";

test.each([
  ["a b c", "a x c", ["a ", "b", " c"], ["a ", "x", " c"]],
  ["Yes.", "Yes. But", ["Yes.", "", ""], ["Yes. ", "But", ""]],
  ["abc", "abcd", ["", "abc", ""], ["", "abcd", ""]],
  ["the cat", "the car", ["the ", "cat", ""], ["the ", "car", ""]],
  ["", "new", ["", "", ""], ["", "new", ""]],
  ["a 👩‍👧 b", "a 👩‍👦 b", ["a ", "👩‍👧", " b"], ["a ", "👩‍👦", " b"]],
])("%j and %j first differ in one word", (left, right, first, second) => {
  const difference = parting([left, right]);
  expect(difference).toEqual([first, second]);
  expect(difference.map((parts) => parts.join(""))).toEqual([left, right]);
});

test("several texts part where the first of them does", () => {
  expect(parting(["a b c", "a b d", "a b c", "a x"])).toEqual([
    ["a ", "b", " c"],
    ["a ", "b", " d"],
    ["a ", "b", " c"],
    ["a ", "x", ""],
  ]);
});

test("what is the same does not differ", () => {
  expect(parting(["a b", "a b"])).toBeNull();
  expect(parting(["a b"])).toBeNull();
});
