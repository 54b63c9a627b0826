import { readFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import { Near } from "../../ui/scroll.js";
import { TurnTokens } from "../tokens/rows.js";
import { verdict } from "./context.js";
import { InspectPanel } from "./drawer.js";

const { state, answers } = JSON.parse(readFileSync("js/inspect/fixture.json", "utf8"));
const depths = JSON.parse(readFileSync("js/inspect/depths.json", "utf8"));
globalThis.IntersectionObserver = class {
  constructor(tell) {
    this.tell = tell;
  }
  observe(target) {
    this.tell([{ target, isIntersecting: true, boundingClientRect: { height: 0 } }]);
  }
  unobserve() {}
  disconnect() {}
};
Near.stroke = Number.POSITIVE_INFINITY;

const path = [0, 1, 2, 3, 4, 5].map((id) => state[`turn_${id}`]);
const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
const settled = () => new Promise((resolve) => setTimeout(resolve));
let panel;
let live;
let request;
let chat;
let selected;

const section = (name) =>
  [...panel.sections.keys()].find((one) => one.querySelector("h3").textContent === name);
const button = (name) =>
  [...panel.element.querySelectorAll("button")].find((one) => one.textContent === name);

function open(name) {
  section(name).open = true;
  panel.update();
  return section(name);
}

beforeEach(() => {
  live = true;
  selected = null;
  request = vi.fn(async (op) => {
    if (op === "ranked") return { places: answers["ranked 1 0"].places.slice(0, 10) };
    const { buffers, ...content } = depths[op];
    return { ...content, buffers: buffers.map(bytes) };
  });
  chat = {
    path,
    info: { title: "DialoGPT-medium" },
    meter: { used: 60, window: 1000, first: 2, cut: 0, reused: 40 },
    answer: null,
  };
  panel = new InspectPanel({
    model: { get: () => undefined },
    requests: { request },
    state: chat,
    tokensOf: (id) => new TurnTokens(state[`tokens_${id}`]),
    open: vi.fn(),
    live: () => live,
    watch: (...all) => new Near(...all),
    selected: () => selected,
  });
  panel.update();
});

test("only the tokens are open at first", () => {
  expect([...panel.sections.keys()].map((one) => one.open)).toEqual([true, false, false, false]);
  expect(panel.element.querySelectorAll(".dgpt-strip-turn")).toHaveLength(6);
  expect(panel.element.querySelector(".dgpt-strip-edge").textContent).toContain("no longer fits");
});

test("an empty chat says so", () => {
  chat.path = [];
  panel.update();
  expect(panel.empty.hidden).toBe(false);
  expect([...panel.sections.keys()].every((one) => one.hidden)).toBe(true);
});

test("the context tells in words what the bar shows", () => {
  const words = open("Context").textContent;
  expect(words).toContain("60 of 1,000 tokens, 4 turns");
  expect(words).toContain("2 turns, 23 tokens");
  expect(words).toContain("40 tokens of the last reply’s context");
  expect(words).toContain("Mark at 128");
  expect(section("Context").querySelectorAll(".dgpt-window-turn")).toHaveLength(4);
});

test("of an older reply it tells what that one saw", async () => {
  expect(open("Context").textContent).toContain("What the next reply will see");
  const saw = (id, first, seen) => {
    chat.path = chat.path.map((turn) =>
      turn.id === id ? { ...turn, made: { ...turn.made, first, seen } } : turn,
    );
    selected = id;
    panel.update();
    return section("Context");
  };
  expect(saw(3, 0, 33).textContent).toContain("What this reply saw");
  expect(section("Context").textContent).toContain("33 of 1,000 tokens, 3 turns");
  expect(section("Context").textContent).not.toContain("Read before");
  const [box] = section("Context").querySelectorAll(".dgpt-turn-list input");
  box.checked = false;
  box.dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
  expect(request).toHaveBeenLastCalledWith("without", { turn: 3, turns: [0] });
  const fallen = saw(3, 2, 8).textContent;
  expect(fallen).toContain("8 of 1,000 tokens, 1 turn");
  expect(fallen).toContain("2 turns, 23 tokens");
  expect(fallen).toContain("the first 2 tokens of a turn too long by itself");
  expect(saw(3, null, null).textContent).toContain("Not recorded");
  selected = 5;
  panel.update();
  expect(section("Context").textContent).toContain("What the next reply will see");
});

test("a turn that is left out is weighed, and so are several", async () => {
  const boxes = open("Context").querySelectorAll(".dgpt-turn-list input");
  expect([...boxes].map((box) => box.value)).toEqual(["2", "3", "4"]);
  boxes[0].checked = false;
  boxes[0].dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
  expect(request).toHaveBeenLastCalledWith("without", { turn: 5, turns: [2] });
  expect(panel.context.result.textContent).toMatch(/^Without this turn the reply would be .* likely/);
  section("Context").querySelector("[data-turn='4']").click();
  await settled();
  expect(request).toHaveBeenLastCalledWith("without", { turn: 5, turns: [2, 4] });
  expect(boxes[2].checked).toBe(false);
  boxes[0].dispatchEvent(new Event("change", { bubbles: true }));
  boxes[2].dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
  expect(panel.context.result.textContent).toBe("");
});

test("a verdict says how much and which way", () => {
  expect(verdict(-20.31, -19.15, 1)).toBe(
    "Without this turn the reply would be 3.19 times less likely: −1.16 nats (−20.31 nats instead of −19.15).",
  );
  expect(verdict(-1, -2, 2)).toContain(
    "Without these 2 turns the reply would be 2.72 times more likely: +1.00",
  );
  expect(verdict(-2, -2, 1)).toContain("just as likely");
});

test("a typed reply is scored beside the model's own", async () => {
  const score = open("Score");
  panel.score.field.value = "A cat walks into a bar.";
  score.querySelector("form").requestSubmit?.();
  score.querySelector("form").dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  expect(request).toHaveBeenLastCalledWith("score", { turn: 5, text: "A cat walks into a bar." });
  const runs = score.querySelectorAll(".dgpt-run");
  expect([...runs].map((run) => run.getAttribute("aria-label"))).toEqual(["Yours", "The model’s"]);
  expect(runs[0].textContent).toContain("8 tokens, 80.0 bits");
  expect(runs[0].textContent).toContain("0.09\u00a0%");
});

test("a refusal is shown", async () => {
  request.mockRejectedValueOnce(new Error("200 tokens are more than the window has left."));
  panel.score.field.value = "much";
  open("Score")
    .querySelector("form")
    .dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  expect(panel.score.refusal.textContent).toContain("200 tokens");
});

test("deeper there are ids, ranks, pieces, layers and heads", async () => {
  panel.show(1, 1);
  const deeper = open("Deeper");
  expect(deeper.textContent).toContain("Place on the path7");
  button("Show")
    .closest("form")
    .dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  expect(request).toHaveBeenLastCalledWith("ranked", { turn: 1, index: 1, first: 1, count: 10 });
  expect(deeper.querySelectorAll("tbody tr")).toHaveLength(10);
  panel.depth.piece.value = "Pizza";
  button("How probable?")
    .closest("form")
    .dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  expect(request).toHaveBeenLastCalledWith("chances", { turn: 1, index: 1, text: "Pizza" });
  button("Look inside").click();
  await settled();
  expect(deeper.querySelectorAll(".dgpt-lens tbody tr")).toHaveLength(depths.inside.layers.length);
  expect(deeper.textContent).toContain("Where the model looked, not why");
  const most = deeper.querySelectorAll(".dgpt-most li");
  expect(most).toHaveLength(5);
  const [, head] = deeper.querySelectorAll(".dgpt-lens ~ * select");
  const before = most[0].textContent;
  for (let one = 0; one < depths.inside.heads; one++) {
    head.value = String(one);
    head.dispatchEvent(new Event("change"));
  }
  expect(deeper.querySelector(".dgpt-most li").textContent).not.toBe(before);
});

test("without a kernel the strip and the window stay, and the rest says what it needs", () => {
  live = false;
  for (const name of ["Context", "Score", "Deeper"])
    expect(open(name).textContent).toContain("needs the model");
  expect(panel.element.querySelectorAll(".dgpt-strip-turn")).toHaveLength(6);
  expect(panel.context.list.hidden).toBe(true);
  expect(panel.score.form.hidden).toBe(true);
  expect(panel.depth.controls.hidden).toBe(true);
});
