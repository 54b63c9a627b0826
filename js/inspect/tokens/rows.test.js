import { expect, test } from "vitest";
import fixture from "../rowsfixture.json";
import { float16, Rows, TurnTokens } from "./rows.js";

const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

test.each(fixture)(
  "rows read as the kernel wrote them, wide $wide, full $full",
  ({ wide, full, data, known }) => {
    const rows = new Rows(bytes(data), wide, full);
    expect(rows.length).toBe(known.length);
    for (const [index, row] of known.entries()) {
      expect(rows.id(index)).toBe(row.id);
      expect(rows.chars(index)).toBe(row.chars);
      const read = rows.row(index);
      expect([read.origin, read.eos, read.scored]).toEqual([row.origin, row.eos, row.scored]);
      if (full) expect(read).toEqual(row);
      else expect(read.logprob).toBeNaN();
      if (full && row.scored) expect(rows.bits(index)).toBeCloseTo(-row.logprob / Math.LN2, 5);
      else expect(rows.bits(index)).toBeNaN();
    }
  },
);

test.each([
  [0x0000, 0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x0001, 2 ** -24],
  [0x3555, 0.333251953125],
  [0x7c00, Number.POSITIVE_INFINITY],
])("half-precision %i is %f", (bits, value) => {
  expect(float16(bits)).toBe(value);
});

test("a half may be no number", () => {
  expect(float16(0x7e00)).toBeNaN();
});

test("every id gets the piece that was sent for it, from a view, a buffer or base64", () => {
  const { data, known } = fixture[1];
  const ids = [...new Set(known.flatMap((row) => [row.id, ...row.alternatives.map(({ id }) => id)]))];
  const pieces = ids.map((id) => ` word ${id}`);
  const raw = bytes(data);
  const shifted = new Uint8Array(raw.length + 3);
  shifted.set(raw, 3);
  for (const sent of [raw, raw.buffer, shifted.subarray(3), new DataView(shifted.buffer, 3), data]) {
    const tokens = new TurnTokens({ wide: false, full: true, data: sent, pieces, differs: null });
    expect(tokens.pieces).toEqual(new Map(ids.map((id, place) => [id, pieces[place]])));
  }
});
