import { afterEach, beforeEach, expect, test } from "vitest";
import {
  answer,
  area,
  cleanup,
  find,
  GENERATING,
  mount,
  named,
  press,
  sent,
  TALK,
  type,
  unmount,
} from "../dev/page.js";

beforeEach(() => mount());
afterEach(unmount);

test("Enter sends, and the draft goes when the kernel has taken it", async () => {
  type("hello");
  expect(press("Enter").defaultPrevented).toBe(true);
  expect(area().value).toBe("hello");
  await answer(sent("send")[0]);
  expect(area().value).toBe("");
});

test("Shift+Enter breaks the line", () => {
  type("hello");
  expect(press("Enter", { shiftKey: true }).defaultPrevented).toBe(false);
  expect(sent("send")).toHaveLength(0);
});

test("Enter that ends a composition neither sends nor breaks the line", () => {
  type("こんにちは");
  press("Enter", { isComposing: true });
  press("Enter", { keyCode: 229 });
  expect(sent("send")).toHaveLength(0);
});

test("a second Enter before the answer neither loses nor doubles the message", async () => {
  type("hello");
  press("Enter");
  press("Enter");
  await answer(sent("send")[0]);
  expect(sent("send")).toHaveLength(1);
});

test("the same text written twice is sent twice", async () => {
  type("hello");
  press("Enter");
  type("hello");
  press("Enter");
  await answer(sent("send")[0]);
  await answer(sent("send")[1]);
  expect(sent("send").map((request) => request.text)).toEqual(["hello", "hello"]);
  expect(area().value).toBe("");
});

test("what is typed while the kernel answers stays", async () => {
  type("hello");
  press("Enter");
  type("hello and more");
  await answer(sent("send")[0]);
  expect(area().value).toBe("and more");
});

test("a refused message stays, with the reason beside it", async () => {
  type("hello");
  press("Enter");
  await answer(sent("send")[0], { error: "The queue is full." });
  expect(area().value).toBe("hello");
  expect(find(".dgpt-hint").textContent).toBe("The queue is full.");
});

test("a message that is too long is not sent, and says its size and the limit", () => {
  type("x".repeat(1_000_000));
  press("Enter");
  expect(sent("send")).toHaveLength(0);
  expect(find(".dgpt-hint").textContent).toMatch(/1,000 kB.*64 kB/);
  type("short");
  expect(find(".dgpt-hint").textContent).toBe("");
});

test("blank drafts are not sent", () => {
  type(" \n ");
  press("Enter");
  expect(sent("send")).toHaveLength(0);
});

test("Stop takes the place of Send while a reply runs and nothing is written", async () => {
  cleanup();
  mount({ ...TALK, ...GENERATING });
  expect(named("Stop").hidden).toBe(false);
  expect(named("Send").hidden).toBe(true);
  type("next");
  expect(named("Send").hidden).toBe(false);
  named("Stop").click();
  press("Escape");
  press("Escape", { isComposing: true });
  expect(sent("stop")).toHaveLength(2);
});
