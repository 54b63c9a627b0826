import { expect, test, vi } from "vitest";
import { Queue } from "./queue.js";

test.each([
  ["message", "And then?"],
  ["regenerate", "Another reply to “And then?”"],
  ["continue", "Going on with “And then?”"],
  ["edit", "New version: “And then?”"],
])("what waits as %s says what it is", (kind, words) => {
  const queue = new Queue(vi.fn(), vi.fn());
  queue.update([{ id: "q", kind, text: "And then?", turn: kind === "message" ? null : 1 }]);
  expect(queue.element.querySelector(".dgpt-text").textContent).toBe(words);
});
