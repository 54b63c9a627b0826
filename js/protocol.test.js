import { expect, test } from "vitest";
import { byteLength, isFrame, wellFormed } from "./protocol.js";

test("a lone surrogate becomes a replacement character, a pair stays", () => {
  expect(wellFormed("a\uD83D b")).toBe("a\uFFFD b");
  expect(wellFormed("\uDE42🙂")).toBe("\uFFFD🙂");
});

test("a message is measured in UTF-8 bytes", () => {
  expect(byteLength("héllo🙂")).toBe(10);
});

test.each([null, 7, "frame", {}, { v: 2, seq: 1, turn: 1, text: "" }, { v: 1, seq: "1", turn: 1, text: "" }])(
  "%j is not a frame",
  (content) => {
    expect(isFrame(content)).toBe(false);
  },
);
