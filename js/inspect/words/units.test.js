import { expect, test } from "vitest";
import fixture from "../fixture.json";
import { TurnTokens } from "../tokens/rows.js";
import { mostSurprising, unitsOf } from "./units.js";

/** Rows of so many characters and bits each. */
const tokens = (chars, bits = []) => ({
  rows: { length: chars.length, chars: (at) => chars[at], bits: (at) => bits[at] ?? 1 },
});
const parts = (units, text) => units.map(({ start, end }) => text.slice(start, end));

test("a reply's words are its tokens, and after them comes its end", () => {
  const { text } = fixture.state.turn_1;
  const units = unitsOf(new TurnTokens(fixture.state.tokens_1), text);
  expect(parts(units, text).join("")).toBe(text);
  expect(units.length).toBe(17);
  expect(units.at(-1)).toMatchObject({ first: 16, last: 16, start: text.length, end: text.length });
  expect(parts(units, text).slice(0, 3)).toEqual(["That", "'s", " kind"]);
});

test("tokens that only together are a character are one word", () => {
  expect(unitsOf(tokens([0, 0, 2, 3], [1, 9, 2, 1]), "🙂 ok")).toMatchObject([
    { first: 0, last: 2, start: 0, end: 2, token: 1 },
    { first: 3, last: 3, start: 2, end: 5 },
  ]);
  const family = "👩‍👧";
  expect(unitsOf(tokens([2, 1, 2]), family)).toMatchObject([{ first: 0, last: 2, start: 0, end: 5 }]);
});

test("without a mapping there are no words", () => {
  expect(unitsOf(tokens([0, 0]), "ab")).toEqual([]);
  expect(unitsOf(tokens([1, 2]), "ab")).toEqual([]);
});

test("an end that nobody scored cannot be clicked", () => {
  expect(unitsOf(tokens([1, 1, 0], [1, 1, Number.NaN]), "ab").length).toBe(2);
});

test("few words are marked: those that stand out, by degree", () => {
  const bits = [1, 4.5, 8, 12, 5, 1, 1, 1, 1, 1];
  const units = unitsOf(tokens(bits.map(() => 1)), "abcdefghij");
  expect(units.map(({ degree }) => degree)).toEqual(Array(10).fill(0));
  const found = unitsOf(
    tokens(
      bits.map(() => 1),
      bits,
    ),
    "abcdefghij",
  );
  expect(found.map(({ degree }) => degree)).toEqual([0, 0, 2, 3, 0, 0, 0, 0, 0, 0]);
  expect(mostSurprising(found)).toBe(3);
});
