import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TurnTokens } from "../inspect/tokens/rows.js";
import { partingTokens } from "./beside.js";

const { state } = JSON.parse(readFileSync("js/inspect/fixture.json", "utf8"));
const textOf = (id) => state[`turn_${id}`].text;
const tokensOf = (id) => new TurnTokens(state[`tokens_${id}`]);

test("replies part at the first token that not all have", () => {
  const texts = [3, 6].map(textOf); // the second is a fork of the first, at its second token
  const parts = partingTokens(texts, [3, 6].map(tokensOf));
  expect(parts.map((one) => one.join(""))).toEqual(texts);
  const [[before, apart], [same, forked]] = parts;
  expect(before.trim()).toBe(same.trim());
  expect(apart.trim()).not.toBe(forked.trim());
  expect(tokensOf(3).pieces.get(tokensOf(3).rows.id(1)).trim()).toBe(apart);
});

test("the same reply does not part from itself", () => {
  expect(partingTokens([textOf(1), textOf(1)], [tokensOf(1), tokensOf(1)])).toBeNull();
});

test("a reply that ends where another goes on ends there", () => {
  const whole = tokensOf(1);
  const { rows } = whole;
  const half = {
    rows: new rows.constructor(rows.bytes.buffer.slice(0, 2 * rows.size), rows.width === 4, rows.full),
    pieces: whole.pieces,
  };
  const start = textOf(1).slice(0, rows.chars(0) + rows.chars(1));
  const [long, short] = partingTokens([textOf(1), start], [whole, half]);
  expect(short).toEqual([start, "", ""]);
  expect(long[0].trimEnd()).toBe(start);
  expect(long[1]).not.toBe("");
});
