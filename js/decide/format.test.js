import { expect, test } from "vitest";
import { number, remarks, shortened, standing } from "./format.js";

const one = { text: "Yes.", rank: 1, dropped: null, label: "" };
const list = (more = {}) => ({
  kind: "sampled",
  candidates: [one, { ...one, rank: 2 }, { ...one, rank: 0, dropped: "empty" }],
  scorers: ["MMI"],
  weights: [1],
  note: "",
  spared: false,
  temperature: 0,
  ...more,
});

test.each([
  [null, "–"],
  [0, "0.00"],
  [-0.0004, "0.00"],
  [-0.0483, "−0.048"],
  [-0.0996, "−0.10"],
  [-1.234, "−1.23"],
  [-9.996, "−10.0"],
  [12.34, "12.3"],
  [-123.4, "−123"],
])("%j is written as %s", (value, written) => {
  expect(number(value)).toBe(written);
});

test("a reply says where it stood, and by what", () => {
  const { candidates } = list();
  expect(standing(list(), candidates[0])).toBe("1st of 3 by MMI");
  expect(standing(list({ scorers: ["MMI", "DialogRPT"], candidates }), candidates[1])).toBe(
    "2nd of 3 by MMI + DialogRPT",
  );
  expect(standing(list({ candidates }), candidates[2])).toBe("dropped, of 3");
});

test("where nothing was ranked it says which one it is; beams are in order", () => {
  const candidates = [1, 2].map(() => ({ ...one, rank: 0 }));
  expect(standing(list({ scorers: [], candidates }), candidates[1])).toBe("2 of 2");
  expect(standing(list({ scorers: [], candidates, kind: "beam" }), candidates[0])).toBe("1st of 2 beams");
});

test("of a comparison it says what made it", () => {
  const side = { ...one, rank: 0, label: "Greedy" };
  expect(standing(list({ kind: "compared", scorers: [], candidates: [side] }), side)).toBe("Greedy");
});

test("what is unusual is remarked upon", () => {
  expect(remarks(list())).toEqual([]);
  expect(remarks(list({ temperature: 0.5, spared: true, note: "Slow." }))).toEqual([
    "Slow.",
    "The rules would have dropped all of them, so none was.",
    "One was drawn, at temperature 0.50: the better, the likelier.",
  ]);
  expect(remarks(list({ temperature: 0.5, scorers: [] }))).toEqual([]);
});

test("what is long is cut", () => {
  expect(shortened("abc", 3)).toBe("abc");
  expect(shortened("ab cd", 4)).toBe("ab…");
});
