import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  answer,
  find,
  host,
  key,
  model,
  mount,
  painted,
  READY,
  scrolled,
  sent,
  turn,
  unmount,
} from "../dev/page.js";
import fixture from "./fixture.json";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./inspector.js")).default.attach }));

const INFO = { name: "mini", title: "mini", about: "", notes: [] };
const words = (id = 1) => [...turn(id).querySelectorAll(".dgpt-text .dgpt-word")];
const card = () => find(".dgpt-card");
const bars = () => [...card().querySelectorAll("button.dgpt-alt")];
const click = (element) => element.dispatchEvent(new MouseEvent("click", { bubbles: true, detail: 1 }));

async function show(more = {}) {
  mount({ ...fixture.state, info: INFO, status: READY, leaf: 3, inspector: "code", ...more });
  await vi.waitFor(() => expect(find(".dgpt [title=Inspect]")).not.toBe(null));
  await painted();
}

beforeEach(() => show());
afterEach(() => unmount());

test("a reply's text stays what it is, and each token is a word to click", () => {
  for (const id of [1, 3])
    expect(turn(id).querySelector(".dgpt-text").textContent).toBe(fixture.state[`turn_${id}`].text);
  expect(words().length).toBe(17);
  expect(host.querySelectorAll(".dgpt-user .dgpt-word").length).toBe(0);
  expect(find(".dgpt-tip").textContent).toContain("Click a word");
});

test("the words of a reply are one stop of the Tab key, where the turn is", () => {
  const stops = (id) => words(id).filter((word) => word.tabIndex === 0);
  expect(stops(3).length).toBe(1);
  expect(stops(1).length).toBe(0);
  const [first] = stops(3);
  expect(first.getAttribute("role")).toBe("button");
  expect(first.getAttribute("aria-label")).toMatch(/choice/);
  key(first, "Home");
  key(words(3)[0], "ArrowRight");
  expect(stops(3)).toEqual([words(3)[1]]);
});

test("a click tells of the word; Escape closes it and goes back to the word", () => {
  click(words()[0]);
  expect(card().textContent).toMatch(/^That: 1\.6\u00a0%, the model’s 4th choice; the dice picked it\./);
  expect(card().querySelectorAll("li").length).toBe(6);
  expect(find(".dgpt-tip")).toBe(null);
  expect(bars().length).toBe(4);
  expect(card().querySelector("[data-chosen]").textContent).toContain("✓ said");
  key(bars()[0], "Escape");
  expect(card()).toBe(null);
  expect(document.activeElement).toBe(words()[0]);
});

test("a click on a bar forks there by id", async () => {
  click(words()[0]);
  bars()[0].click();
  expect(sent("fork")).toMatchObject([{ turn: 1, index: 0, token: 41 }]);
  await answer(sent("fork")[0], { error: "No." });
  expect(host.textContent).toContain("No.");
});

test("how it was chosen is asked once it is wanted, and again where a slider comes to rest", async () => {
  click(words()[0]);
  expect(sent("explain").length).toBe(0);
  find(".dgpt-ask").click();
  await answer(sent("explain")[0], { ok: true, ...fixture.answers["explain 1 0"] });
  await answer(sent("ranked")[0], { ok: true, ...fixture.answers["ranked 1 0"] });
  const slider = card().querySelector("[aria-label=Temperature]");
  slider.value = "0.3";
  slider.dispatchEvent(new Event("input"));
  expect(card().textContent).toContain("while you drag");
  expect(sent("explain").length).toBe(1);
  slider.dispatchEvent(new Event("change"));
  expect(sent("explain")[1].values).toEqual({ temperature: 0.3 });
  await answer(sent("explain")[1], { ok: true, ...fixture.answers['explain 1 0 {"temperature":0.3}'] });
  expect(card().textContent).toContain("Exact, over the whole vocabulary");
  expect(card().textContent).toContain("the same dice hit I.");
});

test("without a model there is the record, and nothing to click in it", async () => {
  unmount();
  await show({ offline: 1_759_800_000 });
  click(words()[0]);
  expect(bars().length).toBe(0);
  expect(card().textContent).toContain("needs the model");
  find(".dgpt-ask").click();
  expect(card().textContent).toContain("From the stored record");
  expect(card().querySelectorAll("input").length).toBe(0);
});

test("a reply that comes near as it ends keeps its text", async () => {
  unmount();
  await show({ leaf: 2, turn_3: null, status: { ...READY, phase: "generating", turn: 3, parent: 2 } });
  model.update({ turn_3: fixture.state.turn_3, leaf: 3, status: READY });
  scrolled(turn(3).parentElement, true);
  await painted();
  expect(turn(3).querySelector(".dgpt-text").textContent).toBe(fixture.state.turn_3.text);
  expect(words(3).length).toBeGreaterThan(1);
});

test("where the kernel sends no inspector, text is text", async () => {
  unmount();
  mount({ ...fixture.state, info: INFO, status: READY, leaf: 3, inspector: "" });
  await painted();
  expect(words().length).toBe(0);
  expect(turn(1).querySelector(".dgpt-text").childNodes.length).toBe(1);
});

test("tokens that did not come with the turn are asked for", async () => {
  unmount();
  const { data, ...tokens } = fixture.state.tokens_1;
  await show({ tokens_1: null });
  expect(words().length).toBe(0);
  const [asked] = sent("tokens");
  expect(asked.turn).toBe(1);
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  model.message({ id: asked.id, ok: true, tokens: { ...tokens, data: 0 } }, [new DataView(bytes.buffer)]);
  await painted();
  expect(words().length).toBe(17);
});
