import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { area, find, key, model, mount, sent, TREE, turn, unmount } from "../dev/page.js";

beforeEach(() => {
  mount(TREE);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  unmount();
});

const told = () => {
  vi.advanceTimersByTime(1000);
  return sent("pin").map((request) => request.turn);
};

test("a turn that is focused is marked, and the kernel is told once the reader has settled", () => {
  turn(2).focus();
  turn(3).focus();
  expect(turn(3).getAttribute("aria-current")).toBe("true");
  expect(document.querySelectorAll("article[aria-current]")).toHaveLength(1);
  expect(told()).toEqual([3]);
});

test("Escape lets go of it, and so does a click elsewhere in the chat", () => {
  turn(2).focus();
  expect(told()).toEqual([2]);
  expect(key(turn(2), "Escape").defaultPrevented).toBe(true);
  expect(find("article[aria-current]")).toBeNull();
  expect(told()).toEqual([2, null]);
  turn(3).focus();
  expect(told()).toEqual([2, null, 3]);
  area().click();
  expect(told()).toEqual([2, null, 3, null]);
});

test("a click in another cell leaves it selected, for that cell may ask for it", () => {
  turn(2).focus();
  document.body.click();
  expect(told()).toEqual([2]);
});

test("a turn that goes off the path is not selected any more", async () => {
  turn(3).focus();
  expect(told()).toEqual([3]);
  model.update({ leaf: 5 });
  vi.advanceTimersByTime(50);
  expect(told()).toEqual([3, null]);
});

test("a view without a kernel marks, and tells nobody", () => {
  model.connect(false);
  turn(2).focus();
  expect(turn(2).getAttribute("aria-current")).toBe("true");
  expect(told()).toEqual([]);
});

test("the turns are one stop of the Tab key, the last or the selected one, and the arrow keys walk", () => {
  const stops = () => [...document.querySelectorAll("article")].filter((one) => one.tabIndex === 0);
  expect(stops()).toEqual([turn(4)]);
  turn(4).focus();
  key(turn(4), "ArrowUp");
  expect(document.activeElement).toBe(turn(3));
  expect(stops()).toEqual([turn(3)]);
  key(turn(3), "Home");
  expect(document.activeElement).toBe(turn(1));
  key(turn(1), "ArrowUp");
  expect(document.activeElement).toBe(turn(1));
  key(turn(1), "End");
  expect(document.activeElement).toBe(turn(4));
});

test("only the turn where the Tab key stops has buttons for it to stop at", () => {
  const stops = () => [...document.querySelectorAll("article button")].filter((one) => one.tabIndex === 0);
  expect(stops().map((one) => one.closest("article"))).toEqual([turn(4)]);
  turn(2).focus();
  expect(stops().map((one) => one.title)).toEqual(["Previous version", "Next version", "Copy"]);
});
