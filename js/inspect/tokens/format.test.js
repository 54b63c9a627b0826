import { expect, test } from "vitest";
import { named, ordinal, percent, shownParts } from "./names.js";

const plain = (share) => percent(share).replace("\u00a0", " ");

test("shares are written as people write them", () => {
  const shares = [0, 1e-6, 0.0004, 0.004, 0.0249, 0.0995, 0.12, 0.5, 0.992, 0.9999, 1];
  expect(shares.map(plain)).toEqual([
    "0 %",
    "<0.01 %",
    "0.04 %",
    "0.4 %",
    "2.5 %",
    "10 %",
    "12 %",
    "50 %",
    "99.2 %",
    ">99.9 %",
    "100 %",
  ]);
});

test("ranks have their endings", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 1111, 50257].map(ordinal)).toEqual(
    "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 1,111th 50,257th".split(" "),
  );
});

test("what is usually invisible in a token is seen and has a name", () => {
  const shown = (piece) => shownParts(piece).map(({ text, mark }) => (mark ? `[${text}]` : text));
  expect(shown(" pizza")).toEqual(["[·]", "pizza"]);
  expect(shown("\n\n")).toEqual(["[↵]", "[↵]"]);
  expect(shown([240, 159])).toEqual(["[F0 9F]"]);
  expect(shown("\u0007")).toEqual(["[U+0007]"]);
  expect([" pizza", " ", "\n", [240, 159], ""].map(named)).toEqual([
    "pizza",
    "space",
    "line break",
    "bytes F0 9F",
    "nothing",
  ]);
});
