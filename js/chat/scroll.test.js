import { beforeEach, expect, test, vi } from "vitest";
import { Follower } from "./scroll.js";

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
