import { expect, test } from "vitest";
import fixture from "../fixture.json";
import { LiveTokens, textsOf } from "./token-stream.js";

const data = Uint8Array.from(atob(fixture.state.tokens_3.data), (char) => char.charCodeAt(0)).buffer;
const all = new LiveTokens();
all.put(3, 0, data);
const { size } = all.rows;

test("rows come from a place on, and what was beyond is void", () => {
  const live = new LiveTokens();
  expect(live.put(3, 0, data.slice(0, 3 * size))).toBe(true);
  expect(live.put(3, 4, data.slice(0, size))).toBe(false);
  expect(live.put(3, 2, new DataView(data, 2 * size, 2 * size))).toBe(true);
  expect(live.rows.length).toBe(4);
  expect(live.rows.id(3)).toBe(all.rows.id(3));
  expect(live.put(3, 1, new ArrayBuffer(0))).toBe(true);
  expect(live.rows.length).toBe(1);
  expect(live.put(4, 0, data.slice(0, size))).toBe(true);
  expect([live.turn, live.rows.length]).toEqual([4, 1]);
  expect(live.strange()).toContain(all.rows.id(0));
  expect(live.strange()).toEqual([]);
});

test("a character of several tokens comes with the last of them", () => {
  const rows = { id: (index) => index, eos: (index) => index === 3, length: 4 };
  const some = new Map([
    [0, "a"],
    [1, [0xc3]],
    [2, [0xa9]],
  ]);
  expect(textsOf({ rows, pieces: some }, 4)).toEqual(["a", "", "é", ""]);
});
