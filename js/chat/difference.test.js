import { expect, test } from "vitest";
import { firstDifference } from "./difference.js";

test.each([
  ["a b c", "a x c", ["a ", "b", " c"], ["a ", "x", " c"]],
  ["Yes.", "Yes. But", ["Yes.", "", ""], ["Yes. ", "But", ""]],
  ["abc", "abcd", ["", "abc", ""], ["", "abcd", ""]],
  ["the cat", "the car", ["the ", "cat", ""], ["the ", "car", ""]],
  ["", "new", ["", "", ""], ["", "new", ""]],
  ["a 👩‍👧 b", "a 👩‍👦 b", ["a ", "👩‍👧", " b"], ["a ", "👩‍👦", " b"]],
])("%j and %j first differ in one word", (left, right, first, second) => {
  const difference = firstDifference(left, right);
  expect(difference).toEqual([first, second]);
  expect(difference.map((parts) => parts.join(""))).toEqual([left, right]);
});

test("what is the same does not differ", () => {
  expect(firstDifference("a b", "a b")).toBeNull();
});
