import { beforeEach, expect, test, vi } from "vitest";
import { Follower, reveal } from "./scroll.js";

/** A box of 100 px whose content and place are set by hand. */
let box;
let follower;
let changed;

function place(scrollTop, scrollHeight = box.scrollHeight) {
  Object.defineProperty(box, "scrollHeight", { value: scrollHeight, configurable: true });
  box.scrollTop = scrollTop;
  box.dispatchEvent(new Event("scroll"));
}

beforeEach(() => {
  box = document.createElement("div");
  Object.defineProperty(box, "clientHeight", { value: 100, configurable: true });
  Object.defineProperty(box, "scrollHeight", { value: 500, configurable: true });
  changed = vi.fn();
  follower = new Follower(box, document.createElement("div"), changed);
  follower.follow();
  place(400);
});

test("new text is followed", () => {
  Object.defineProperty(box, "scrollHeight", { value: 900, configurable: true });
  follower.keep();
  expect(box.scrollTop).toBe(900);
});

test("a reader who goes up is left alone, and new text does not move the view", () => {
  place(200);
  expect(follower.following).toBe(false);
  expect(changed).toHaveBeenCalledOnce();
  Object.defineProperty(box, "scrollHeight", { value: 900, configurable: true });
  follower.keep();
  expect(box.scrollTop).toBe(200);
});

test("a reader who comes back to the end is followed again", () => {
  place(200);
  place(390);
  expect(follower.following).toBe(true);
});

test("a move that a change of layout caused is not the reader's", () => {
  place(300, 620);
  expect(follower.following).toBe(true);
});

test("asking for the latest goes to the end", () => {
  place(200);
  follower.follow();
  expect(box.scrollTop).toBe(500);
  expect(follower.following).toBe(true);
});

test("a reader who is somewhere else stays there, unless that is the end", async () => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  Object.defineProperty(box, "scrollTop", { value: 200, writable: true });
  follower.release();
  follower.keep();
  await frame();
  expect(follower.following).toBe(false);
  expect(box.scrollTop).toBe(200);
  box.scrollTop = 390;
  follower.release();
  await frame();
  expect(follower.following).toBe(true);
});

test.each([
  ["above", -60, 20, 200 - 60 - 12],
  ["below", 150, 20, 200 + 70 + 12],
  ["longer than the box", 150, 300, 200 + 150 - 12],
  ["in sight", 40, 20, 200],
])("what is %s is brought into sight", (_, top, height, expected) => {
  box.getBoundingClientRect = () => ({ top: 100, bottom: 200 });
  box.scrollTop = 200;
  const at = { top: 100 + top, bottom: 100 + top + height };
  reveal(box, () => ({ getBoundingClientRect: () => at }), 0);
  expect(box.scrollTop).toBe(expected);
});

test("what gets its size once it is near is looked for again", async () => {
  box.getBoundingClientRect = () => ({ top: 0, bottom: 100 });
  box.scrollTop = 0;
  let looked = 0;
  reveal(box, () => ({
    getBoundingClientRect: () => {
      looked++;
      return { top: 500 - box.scrollTop, bottom: 520 - box.scrollTop };
    },
  }));
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(looked).toBe(3);
  expect(box.scrollTop).toBe(500 + 20 + 12 - 100);
});
