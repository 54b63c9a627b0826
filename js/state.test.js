import { beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "./dev/model.js";
import { State } from "./state.js";

const READY = { phase: "ready", detail: "", progress: null, turn: null, parent: null, ahead: 0, speed: null };
const said = (id, parent, text) => ({
  id,
  parent,
  role: parent === null ? "user" : "assistant",
  text,
  stop: null,
});
const running = (turn, parent = 1) => ({ ...READY, phase: "generating", turn, parent });
const frame = (seq, text, turn = 2) => ({ v: 1, seq, turn, text });

/** Questions to the kernel, answered by hand. */
let asked;
let model;

function view(state = {}) {
  asked = [];
  model = new FakeModel({ status: READY, leaf: 1, turn_1: said(1, null, "hello"), ...state });
  const sync = () => new Promise((resolve, reject) => asked.push({ resolve, reject }));
  const fresh = new State(model, { sync, changed: vi.fn() });
  model.on("change", () => fresh.refresh());
  fresh.resync();
  return fresh;
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

let state;
beforeEach(() => {
  state = view();
});

test("the path is found from its leaf", () => {
  model.update({ turn_2: said(2, 1, "hi"), turn_3: said(3, 2, "bye"), leaf: 3 });
  expect(state.path.map((turn) => turn.id)).toEqual([1, 2, 3]);
});

test("an empty selection is an empty path", () => {
  model.update({ leaf: null });
  expect(state.path).toEqual([]);
});

test("a leaf that comes before its turn waits for it", () => {
  model.update({ leaf: 2 });
  expect(state.path.map((turn) => turn.id)).toEqual([1]);
  model.update({ turn_2: said(2, 1, "hi") });
  expect(state.path.map((turn) => turn.id)).toEqual([1, 2]);
});

test("while a reply runs the path ends with the turn it answers", () => {
  model.update({ turn_2: said(2, 1, "hi"), leaf: 2, status: running(3, 1) });
  expect(state.path.map((turn) => turn.id)).toEqual([1]);
});

test("a reply that was seen from its start needs no snapshot, whatever number its first frame has", () => {
  model.update({ status: running(2) });
  state.receive(frame(41, "Hi"));
  state.receive(frame(42, " there"));
  expect(state.reply).toEqual({ turn: 2, text: "Hi there" });
  expect(asked).toHaveLength(0);
});

test("a frame that comes twice counts once", () => {
  model.update({ status: running(2) });
  for (const piece of [frame(1, "Hi"), frame(2, " there"), frame(2, " there"), frame(1, "Hi")])
    state.receive(piece);
  expect(state.reply?.text).toBe("Hi there");
});

test("a gap asks once for a snapshot, and frames behind it are kept", async () => {
  model.update({ status: running(2) });
  state.receive(frame(1, "a"));
  state.receive(frame(3, "c"));
  state.receive(frame(4, "d"));
  expect(asked).toHaveLength(1);
  expect(state.reply?.text).toBe("a");
  asked[0].resolve({ seq: 3, turn: 2, text: "abc" });
  await settled();
  expect(state.reply?.text).toBe("abcd");
});

test("frames out of order end up in order", async () => {
  model.update({ status: running(2) });
  for (const piece of [frame(1, "a"), frame(4, "d"), frame(3, "c"), frame(2, "b")]) state.receive(piece);
  asked[0].resolve({ seq: 2, turn: 2, text: "ab" });
  await settled();
  expect(state.reply?.text).toBe("abcd");
});

test("a snapshot that could not be had is asked for again", async () => {
  model.update({ status: running(2) });
  state.receive(frame(1, "a"));
  state.receive(frame(3, "c"));
  asked[0].reject(new Error("no"));
  await settled();
  state.receive(frame(4, "d"));
  expect(asked).toHaveLength(2);
  asked[1].resolve({ seq: 4, turn: 2, text: "abcd" });
  await settled();
  expect(state.reply?.text).toBe("abcd");
});

test("a view that mounts late asks for what was said", async () => {
  state = view({ status: running(2) });
  expect(asked).toHaveLength(1);
  state.receive(frame(8, "!"));
  expect(state.reply?.text).toBe("");
  asked[0].resolve({ seq: 7, turn: 2, text: "Hi there" });
  await settled();
  expect(state.reply?.text).toBe("Hi there!");
});

test("a view that mounts between replies asks nothing", () => {
  expect(asked).toHaveLength(0);
});

test("a new reply does not wait for an answer about the last one", async () => {
  state = view({ status: running(2) });
  state.receive(frame(5, "lost"));
  model.update({ turn_2: said(2, 1, "settled"), leaf: 2, status: READY });
  model.update({ status: running(3, 2) });
  state.receive(frame(9, "new", 3));
  asked[0].resolve({ seq: 6, turn: 2, text: "late" });
  await settled();
  expect(state.reply).toEqual({ turn: 3, text: "new" });
});

test("frames of a reply that has ended are ignored", () => {
  model.update({ status: running(2) });
  state.receive(frame(1, "Hi"));
  model.update({ turn_2: said(2, 1, "Hi."), leaf: 2, status: READY });
  state.receive(frame(2, " there"));
  expect(state.reply).toBeNull();
  expect(state.path.at(-1)?.text).toBe("Hi.");
});

test("after a lost connection the running reply is asked for again", async () => {
  model.update({ status: running(2) });
  state.receive(frame(1, "a"));
  state.resync();
  asked[0].resolve({ seq: 5, turn: 2, text: "abcde" });
  await settled();
  expect(state.reply?.text).toBe("abcde");
});

test("a frame that overtakes the news of its reply is read with it", () => {
  model.state.status = running(2);
  state.receive(frame(1, "Hi"));
  expect(state.reply).toEqual({ turn: 2, text: "Hi" });
});
