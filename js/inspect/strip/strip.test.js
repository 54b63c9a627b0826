import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Near } from "../../ui/scroll.js";
import { TurnTokens } from "../tokens/rows.js";
import { shownAs, unitsOf } from "./glyphs.js";
import { levelOf, measureOf } from "./measures.js";
import { Strip } from "./strip.js";

const { state } = JSON.parse(readFileSync("js/inspect/fixture.json", "utf8"));
const PATH = [0, 1, 2, 3, 4, 5];
const near = new Set();
globalThis.IntersectionObserver = class {
  constructor(tell) {
    this.tell = tell;
    near.add(this);
  }
  observe(target) {
    this.tell([{ target, isIntersecting: true, boundingClientRect: { height: 0 } }]);
  }
  unobserve() {}
  disconnect() {
    near.delete(this);
  }
};
Near.stroke = Number.POSITIVE_INFINITY;

let strip;
let hooks;
const tokensOf = (id) => (state[`tokens_${id}`] ? new TurnTokens(state[`tokens_${id}`]) : null);
const source = (id) => ({
  id,
  name: id % 2 ? "Model" : "You",
  count: state[`turn_${id}`].tokens + 1,
  edge: "",
});
const cells = () => [...strip.element.querySelectorAll(".dgpt-cells .dgpt-cell")];
const current = () => strip.element.querySelector("[aria-current=true]");
const press = (key) =>
  (current() ?? cells()[0]).dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }),
  );

/** Tokens of given pieces, the last of which ends the turn. */
function made(...pieces) {
  const data = new Uint8Array(pieces.length * 4);
  for (const id of pieces.keys()) data.set([id, 0, 0, id === pieces.length - 1 ? 4 : 0], id * 4);
  return new TurnTokens({ wide: false, full: false, data: data.buffer, pieces });
}

beforeEach(() => {
  hooks = { open: vi.fn(), chosen: vi.fn(), watch: (...all) => new Near(...all) };
  strip = new Strip(tokensOf, hooks);
  document.body.append(strip.element);
  strip.update(PATH.map(source));
});

afterEach(() => {
  strip.dispose();
  strip.element.remove();
});

test("every token of the path is there, the ends of turns too", () => {
  const ids = PATH.reduce((sum, id) => sum + state[`turn_${id}`].tokens + 1, 0);
  expect(cells().length).toBe(ids);
  expect(cells().filter((cell) => cell.textContent === "⟨end⟩")).toHaveLength(PATH.length);
  expect(cells()[1].textContent).toBe("·you");
});

test("what was given has no level, and a surprise has a high one", () => {
  expect(cells()[0].className).toContain("dgpt-given");
  const first = strip.element.querySelectorAll(".dgpt-strip-turn")[1].querySelector(".dgpt-cell");
  expect(first.textContent).toBe("That");
  expect(first.className).toContain("dgpt-l3");
});

test("one stop of the Tab key, arrow keys inside, and what is there is said", () => {
  expect(strip.element.querySelectorAll(".dgpt-cell[tabindex='0']")).toHaveLength(1);
  strip.go(1, 0, true);
  expect(current().textContent).toBe("That");
  expect(current().getAttribute("aria-label")).toMatch(/^That, id 330: 1.6\s%, 5.98 bits, rank 4, /);
  press("ArrowLeft");
  expect(current().textContent).toBe("⟨end⟩");
  expect(strip.words.textContent).toContain("given, not scored");
  press("Home");
  expect(current()).toBe(cells()[0]);
  press("End");
  expect(current()).toBe(cells().at(-1));
  expect(strip.element.querySelectorAll(".dgpt-cell[tabindex='0']")).toHaveLength(1);
});

test("the keys go from surprise to surprise, and Enter explains", () => {
  strip.go(0, 0, true);
  press(".");
  expect(current().textContent).toBe("That");
  press("Enter");
  expect(hooks.open).toHaveBeenCalledWith(1, 0);
  press(",");
  expect(strip.words.textContent).toBe("No surprise comes before this.");
  expect(current().textContent).toBe("That");
});

test("the menu colours all anew, with a legend of numbers", () => {
  const { select, scale } = strip.legend;
  for (const kind of ["chance", "rank", "entropy", "time", "origin"]) {
    select.value = kind;
    select.dispatchEvent(new Event("change"));
    expect(scale.children.length).toBeGreaterThan(3);
    expect(scale.textContent).toMatch(kind === "origin" ? /drawn/ : /\d/);
  }
  expect(cells().filter((cell) => cell.classList.contains("dgpt-l1")).length).toBeGreaterThan(10);
});

test("turns come and go with the path", () => {
  const first = cells()[0];
  strip.update(PATH.slice(0, 2).map(source));
  expect(strip.element.querySelectorAll(".dgpt-strip-turn")).toHaveLength(2);
  expect(cells()[0]).toBe(first);
});

test("what is far from sight has no cells, but keeps its height", () => {
  const turn = strip.element.querySelector(".dgpt-strip-turn");
  for (const observer of near)
    observer.tell([{ target: turn, isIntersecting: false, boundingClientRect: { height: 77 } }]);
  expect(turn.querySelector(".dgpt-cell")).toBeNull();
  expect(turn.style.minHeight).toBe("77px");
});

test("a glyph over several tokens is one unit, and what is no text shows its bytes", () => {
  const glyph = [0xf0, 0x9f, 0x8d, 0x8d];
  const units = unitsOf(made(glyph.slice(0, 2), glyph.slice(2), "!", [0xff], ""));
  expect(units.map(shownAs)).toEqual(["🍍", "!", "FF", "⟨end⟩"]);
  expect(units[0]).toMatchObject({ first: 0, count: 2 });
});

test("a letter and its accent, and a family, are one unit each", () => {
  expect(unitsOf(made("e", "\u0301", "x", "👩", "\u200d", "👧", "")).map(({ count }) => count)).toEqual([
    2, 1, 3, 1,
  ]);
});

test("levels grow with surprise, whatever they are of", () => {
  expect([0.2, 1, 5, 20].map((bits) => levelOf(measureOf("bits"), bits))).toEqual([0, 1, 3, 6]);
  expect([-0.9, -0.3, -0.00001].map((chance) => levelOf(measureOf("chance"), chance))).toEqual([0, 1, 6]);
  expect(levelOf(measureOf("time", [10, 12, 11]), 500)).toBe(6);
  expect(levelOf(measureOf("rank"), Number.NaN)).toBe(-1);
});
