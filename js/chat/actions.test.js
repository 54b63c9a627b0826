import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { find, host, mount, named, painted, TALK, unmount } from "../dev/page.js";
import { TurnActions, walkActions } from "./actions.js";

const stops = (root) => [...root.querySelectorAll("button")].filter((one) => one.tabIndex === 0);

beforeEach(() => mount(TALK));
afterEach(() => {
  unmount();
  vi.useRealTimers();
});

test("every turn has a row of actions, small and without words, each with a name", () => {
  for (const turn of host.querySelectorAll("article")) {
    const [copy] = turn.querySelectorAll("[role=toolbar] button");
    expect(copy.title).toBe("Copy");
    expect(copy.textContent).toBe("");
  }
});

test("an action says for a moment how it went, to eyes and to ears", async () => {
  document.execCommand = () => true;
  const drawing = () => find("[data-act=copy] path").getAttribute("d");
  const before = drawing();
  vi.useFakeTimers();
  named("Copy").click();
  await vi.advanceTimersByTimeAsync(1);
  expect(find("[data-act=copy]").title).toBe("Copied");
  expect(find("[role=status]").textContent).toBe("Copied");
  expect(drawing()).not.toBe(before);
  await vi.advanceTimersByTimeAsync(2000);
  expect(find("[data-act=copy]").title).toBe("Copy");
  expect(drawing()).toBe(before);
});

test("a copy that failed is told", async () => {
  document.execCommand = () => false;
  named("Copy").click();
  await painted();
  expect(named("Copying failed")).toBeDefined();
});

test("a row is one stop of the Tab key at most, and the arrow keys walk along it", () => {
  const actions = new TurnActions();
  actions.offer(["copy", "regenerate", "more"]);
  expect(stops(actions.element)).toEqual([]);
  actions.enter(true);
  host.append(actions.element);
  actions.element.addEventListener("keydown", walkActions);
  const press = (key) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    expect(stops(actions.element)).toEqual([document.activeElement]);
    return document.activeElement.title;
  };
  const [copy] = stops(actions.element);
  copy.focus();
  expect(press("ArrowRight")).toBe("Regenerate");
  expect(press("ArrowLeft")).toBe("Copy");
  expect(press("ArrowLeft")).toBe("More");
  expect(press("ArrowRight")).toBe("Copy");
});
