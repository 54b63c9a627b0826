import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Near } from "./scroll.js";

let see;
let box;
let near;
let told;
let frames;
let clock;
let cost;

globalThis.IntersectionObserver = class {
  constructor(tell) {
    see = tell;
  }
  observe() {}
  unobserve() {}
  disconnect() {}
};

function part(name, top) {
  const element = document.createElement("div");
  element.id = name;
  element.getBoundingClientRect = () => ({ top: top - box.scrollTop, bottom: top + 100 - box.scrollTop });
  return element;
}
const come = (...parts) => see(parts.map((target) => ({ target, isIntersecting: true })));

function frame() {
  clock += 16;
  for (const call of frames.splice(0)) call(clock);
}

beforeEach(() => {
  frames = [];
  told = [];
  clock = 1000;
  cost = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  vi.stubGlobal("requestAnimationFrame", (call) => frames.push(call));
  vi.stubGlobal("cancelAnimationFrame", () => frames.splice(0));
  box = document.createElement("div");
  box.getBoundingClientRect = () => ({ top: 0, bottom: 400 });
  near = new Near(box, 600, function* ({ target, isIntersecting }) {
    told.push(`${target.id} ${isIntersecting ? "near" : "gone"}`);
    clock += cost;
    yield;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("what is nearest is told first", () => {
  come(part("far", 700), part("seen", 100), part("next", 400));
  expect(told).toEqual(["seen near", "next near", "far near"]);
  expect(frames).toHaveLength(0);
});

test("a frame takes no more than a few milliseconds", () => {
  cost = 1.5;
  come(part("a", 100), part("b", 300), part("c", 400), part("d", 600));
  expect(told).toEqual(["a near", "b near"]);
  frame();
  expect(told).toContain("c near");
  while (frames.length) frame();
  expect(new Set(told)).toEqual(new Set(["a near", "b near", "c near", "d near"]));
});

test("what flies by is told of once it rests", () => {
  const first = part("first", 100);
  come(first);
  told = [];
  clock += 16;
  box.scrollTop = 1000;
  come(part("on the way", 1000));
  for (let at = 0; at < 3; at++) {
    box.scrollTop += 1000;
    frame();
  }
  expect(told).toEqual([]);
  see([{ target: first, isIntersecting: false }]);
  come(part("there", 4100));
  frame();
  expect(told[0]).toBe("there near");
  expect(told).toContain("first gone");
  expect(frames).toHaveLength(0);
});

test("slow scrolling is followed", () => {
  come(part("first", 100));
  clock += 16;
  box.scrollTop = 40;
  come(part("second", 500));
  expect(told).toEqual(["first near", "second near"]);
});

test("a part that has changed is told of again, one that was let go is not", () => {
  const one = part("one", 100);
  near.observe(one);
  come(one);
  near.observe(one);
  frame();
  expect(told).toEqual(["one near", "one near"]);
  near.unobserve(one);
  near.again();
  expect(told).toHaveLength(2);
});
