import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { find, INFO, key, model, mount, painted, READY, sent, unmount } from "../../dev/page.js";
import fixture from "../fixture.json";
import { LiveTokens, textsOf } from "./token-stream.js";

vi.mock("../../unpack.js", () => ({
  load: async () => (await import("../inspector.js")).default.attach,
}));

const { state } = fixture;
const { tokens_3: tokens } = state;
const data = Uint8Array.from(atob(tokens.data), (char) => char.charCodeAt(0)).buffer;
const all = new LiveTokens();
all.put(3, 0, data);
const { size } = all.rows;
const pieces = {};
for (let index = 0, next = 0; index < all.rows.length; index++)
  for (const id of [all.rows.id(index), ...all.rows.row(index).alternatives.map((one) => one.id)])
    if (!(id in pieces)) pieces[id] = tokens.pieces[next++];
const TEXT = "Not much, I only chat. What about you?";
const pace = { mode: "step", rate: 4, guessing: false, waiting: true, count: 0 };
const status = { ...READY, phase: "generating", turn: 3, parent: 2 };
const running = { ...state, turn_3: null, tokens_3: null, leaf: 2, next_id: 3, info: INFO, status, pace };
let seq = 0;

/** A kernel that answers at once, and holds the reply after some tokens. */
function kernel() {
  seq = 0;
  model.answer = ({ op, id, ids }) => {
    const more = {
      pieces: { pieces: Object.fromEntries((ids ?? []).map((one) => [one, pieces[one]])) },
      sync: { seq, turn: 3, text: "" },
      poll: { rev: 0, state: {}, seq, turn: 3, text: "" },
      choices: {
        ids: [...all.rows.row(1).alternatives.map((one) => one.id)].sort((a, b) => a - b),
        end: 0,
        pieces,
      },
      guess: {
        guess: 1,
        token: all.rows.id(0),
        rank: 3,
        bits: 5.12,
        right: false,
        pieces: { ...pieces, 1: " cat" },
      },
    };
    model.message({ id, ok: true, ...more[op] });
  };
}

function show(count, row = 0) {
  const text = textsOf(
    { rows: all.rows, pieces: new Map(Object.entries(pieces).map(([id, one]) => [+id, one])) },
    count,
  );
  model.message({ v: 1, seq: ++seq, turn: 3, text: text.join(""), at: 0, row }, [
    data.slice(row * size, count * size),
  ]);
  model.update({ pace: { ...model.get("pace"), waiting: true, count } });
}

const bar = () => find(".dgpt-slow");
const line = () => find(".dgpt-slow-line").textContent;
const named = (name) =>
  [...find(".dgpt").querySelectorAll("button")].find(
    (one) => (one.getAttribute("aria-label") ?? one.textContent) === name && !one.closest("[hidden]"),
  );
const started = async (more = {}) => {
  mount({ inspector: "code", ...running, ...more });
  kernel();
  await vi.waitFor(() => expect(bar()).toBeTruthy(), 5000);
  await painted();
};

beforeEach(() => {
  seq = 0;
});
afterEach(unmount);

test("the bar is there for a reply that waits, and asks for rows", async () => {
  await started();
  expect(bar().hidden).toBe(false);
  expect(sent("watch").at(-1)).toMatchObject({ on: true });
  expect(line()).toBe("Paused: Step shows the next token.");
  named("Step").click();
  expect(sent("step").length).toBe(1);
  show(1);
  await painted();
  await painted();
  expect(line()).toMatch(/^Token 1, Not: .*%, the model’s .* choice; the dice picked it. Paused/);
  show(3, 1);
  await painted();
  await painted();
  expect(line()).toMatch(/^Token 3, ,: /);
  model.message({ v: 1, seq: ++seq, turn: 3, text: "", at: 3, row: 1 }, [new ArrayBuffer(0)]);
  await painted();
  expect(line()).toMatch(/^Token 1, Not: /);
});

test("a gap in the rows is closed by asking", async () => {
  await started();
  const before = sent("sync").length;
  model.message({ v: 1, seq: ++seq, turn: 3, text: "", row: 2 }, [data.slice(0, size)]);
  expect(sent("sync").length).toBe(before + 1);
});

test("arrow keys step and the space bar plays, but not where something is typed", async () => {
  await started();
  show(1);
  await painted();
  key(named("Step"), "ArrowRight");
  key(named("Step"), "ArrowLeft");
  expect([sent("step").length, sent("back").length]).toEqual([1, 1]);
  key(bar(), " ");
  expect(sent("pace").at(-1)).toMatchObject({ mode: "play", rate: 4 });
  key(named("Step"), " ");
  key(find(".dgpt-slow select"), "ArrowRight");
  expect([sent("step").length, sent("pace").length]).toEqual([1, 1]);
});

test("opening has replies wait, closing lets them run", async () => {
  await started({
    ...state,
    leaf: 3,
    next_id: 4,
    status: READY,
    pace: { ...pace, mode: "run", waiting: false },
  });
  expect(bar().hidden).toBe(true);
  named("Inspect").click();
  named("Slow motion").click();
  expect(bar().hidden).toBe(false);
  expect(sent("pace").at(-1)).toMatchObject({ mode: "step" });
  expect(named("Back").getAttribute("aria-disabled")).toBe("true");
  model.update({ pace: { ...pace, guessing: true, waiting: false } });
  await painted();
  named("Step").click();
  expect(sent("regenerate").at(-1)).toMatchObject({ turn: 3 });
  named("Close slow motion").click();
  expect(sent("guessing").at(-1)).toMatchObject({ on: false });
  expect(sent("pace").at(-1)).toMatchObject({ mode: "run" });
});

test("a guess is asked for, judged and counted; nothing to pick from is there until somebody wants it", async () => {
  await started({ pace: { ...pace, guessing: true } });
  const field = find(".dgpt-offer input");
  field.value = "cat";
  find(".dgpt-offer").dispatchEvent(new Event("submit", { cancelable: true }));
  expect(sent("guess").at(-1)).toMatchObject({ text: "cat", token: null });
  await painted();
  show(1);
  await painted();
  await painted();
  const own = all.rows.bits(0).toFixed(1);
  expect(line()).toBe(
    `You said cat (rank 3, 5.1 bits). It was Not. 0 of 1 right. Your guesses surprise the model by 5.1 bits each, its own tokens by ${own}.`,
  );
  expect(sent("choices").length).toBe(0);
  named("Ten to pick from").click();
  await painted();
  const picks = find(".dgpt-picks").children;
  expect(picks.length).toBe(10);
  picks[2].click();
  expect(sent("guess").at(-1).token).toBeGreaterThan(0);
  field.value = "dog";
  picks[3].click();
  expect(sent("guess").length).toBe(2);
});

test("a new word begins with a space, what goes on with a word does not", async () => {
  await started();
  show(1);
  await painted();
  named("Force…").click();
  const [field, word] = find(".dgpt-offer").querySelectorAll("input");
  const put = async (text) => {
    field.value = text;
    find(".dgpt-offer").dispatchEvent(new Event("submit", { cancelable: true }));
    await painted();
    show(sent("force").length + 1);
    await painted();
    return sent("force").at(-1).text;
  };
  expect(await put("cat")).toBe(" cat");
  expect(await put("!")).toBe("!");
  word.click();
  expect(await put("s")).toBe("s");
});

test("what the kernel refuses is said", async () => {
  await started();
  model.answer = ({ id }) => model.message({ id, error: "Not now." });
  named("Step").click();
  await painted();
  expect(line()).toBe("Not now.");
});

test("the projector takes the bar with it, and gives it back", async () => {
  await started();
  show(4);
  await painted();
  named("Projector").focus();
  named("Projector").click();
  const dialog = find("dialog");
  expect(dialog.contains(bar())).toBe(true);
  await painted();
  expect(dialog.querySelector(".dgpt-said").textContent).toBe("Not much, I");
  expect(dialog.querySelectorAll("li").length).toBe(5);
  key(dialog, "PageDown");
  key(dialog, "PageDown", { repeat: true });
  key(dialog, "PageUp");
  expect([sent("step").length, sent("back").length]).toEqual([1, 1]);
  key(named("Step"), "Escape");
  expect(find("dialog")).toBe(null);
  expect(find(".dgpt-main").contains(bar())).toBe(true);
  expect(sent("stop").length).toBe(0);
  expect(document.activeElement).toBe(named("Projector"));
});

test("a finished reply is walked through without asking the kernel", async () => {
  await started({ ...state, leaf: 3, next_id: 4, status: READY, pace: { ...pace, waiting: false } });
  named("Projector").click();
  const dialog = find("dialog");
  const said = () => dialog.querySelector(".dgpt-said").textContent;
  expect(said()).toBe(`${TEXT}end of turn`);
  key(dialog, "PageUp");
  key(dialog, "PageUp");
  expect(said()).toBe(TEXT.slice(0, -1));
  key(dialog, "PageDown");
  key(dialog, "PageDown");
  key(dialog, "PageDown");
  expect(said()).toBe(`${TEXT}end of turn`);
  expect(line()).toMatch(/has ended/);
  expect([sent("step").length, sent("back").length]).toEqual([0, 0]);
});
