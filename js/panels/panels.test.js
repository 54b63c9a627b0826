import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inPlace, Panels } from "./panels.js";

let root;
let panels;
let first;
let second;

function make(title) {
  const panel = { title, element: document.createElement("p"), update: vi.fn() };
  const toggle = document.createElement("button");
  root.append(toggle);
  panels.add(panel, toggle);
  return { panel, toggle };
}

beforeEach(() => {
  root = document.createElement("div");
  panels = new Panels(root, document.createElement("div"));
  first = make("One");
  second = make("Two");
  root.append(panels.element);
  document.body.append(root);
  panels.update([first.panel, second.panel]);
});

afterEach(() => root.remove());

test("one panel is open at a time, as a labelled region, and its button says so", () => {
  expect(panels.element.hidden).toBe(true);
  first.toggle.click();
  expect(panels.element.hidden).toBe(false);
  expect(document.getElementById(panels.element.getAttribute("aria-labelledby")).textContent).toBe("One");
  second.toggle.click();
  expect(root.querySelectorAll("p")).toHaveLength(1);
  expect([first, second].map(({ toggle }) => toggle.getAttribute("aria-expanded"))).toEqual([
    "false",
    "true",
  ]);
  second.toggle.click();
  expect(panels.element.hidden).toBe(true);
  expect(root.hasAttribute("data-panel")).toBe(false);
});

test("the focus goes into a panel and back to its button", () => {
  first.toggle.click();
  first.toggle.scrollIntoView = vi.fn();
  expect(panels.element.contains(document.activeElement)).toBe(true);
  panels.element.querySelector("button").click();
  expect(document.activeElement).toBe(first.toggle);
  expect(first.toggle.scrollIntoView).toHaveBeenCalledWith({ block: "nearest" });
});

test("a key dismisses what is open only where it was pressed there", () => {
  expect(panels.dismiss(first.toggle)).toBe(false);
  first.toggle.click();
  expect(panels.dismiss(root)).toBe(false);
  expect(panels.dismiss(panels.element)).toBe(true);
  expect(panels.element.hidden).toBe(true);
});

test("a panel is kept up to date while it is open, and closed when it is of no use", () => {
  first.toggle.click();
  const before = first.panel.update.mock.calls.length;
  panels.update([first.panel, second.panel]);
  expect(first.panel.update).toHaveBeenCalledTimes(before + 1);
  expect(second.panel.update).not.toHaveBeenCalled();
  panels.update([second.panel]);
  expect(panels.element.hidden).toBe(true);
  expect(first.toggle.hidden).toBe(true);
});

test("the first turn in sight stays at its height when the layout changes", () => {
  const log = document.createElement("div");
  let shift = 0;
  log.getBoundingClientRect = () => ({ top: 100 });
  const part = document.createElement("div");
  part.className = "dgpt-part";
  part.getBoundingClientRect = () => ({ top: 50 + shift, height: 200 });
  for (const top of [-50, 40, 90]) {
    const turn = document.createElement("div");
    turn.dataset.turn = "1";
    turn.getBoundingClientRect = () => ({ top: 100 + top + shift, height: 60 });
    part.append(turn);
  }
  log.append(part);
  log.scrollTop = 500;
  inPlace(log, () => {
    shift = 30;
  });
  expect(log.scrollTop).toBe(530);
});
