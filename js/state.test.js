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

const ids = () => state.path.map((turn) => turn.id);
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

test("a running reply belongs to the page while the selected path ends with what it answers", () => {
  model.update({ status: running(3, 1) });
  expect(state.answer).toBe(state.reply);
  model.update({ turn_2: said(2, 1, "hi"), leaf: 2 });
  expect(ids()).toEqual([1, 2]);
  expect(state.answer).toBeNull();
  expect(state.reply?.turn).toBe(3);
  model.update({ leaf: 1 });
  expect(state.answer?.turn).toBe(3);
});

test("the versions of a turn are all that follow the same one, in the order of their ids", () => {
  model.update({ turn_4: said(4, 1, "hey"), next_id: 5 });
  model.update({ turn_2: said(2, 1, "hi") });
  expect(state.versions(1)).toEqual([2, 4]);
  expect(state.versions(null)).toEqual([1]);
  expect(state.versions(4)).toEqual([]);
});

test("a reply that is being said is a version too, once", () => {
  model.update({
    turn_2: said(2, 1, "hi"),
    turn_4: said(4, 1, "by hand"),
    next_id: 5,
    status: running(3, 1),
  });
  expect(state.versions(1)).toEqual([2, 3, 4]);
  expect(state.versions(2)).toEqual([]);
  model.update({ turn_3: said(3, 1, "hey"), status: READY });
  expect(state.versions(1)).toEqual([2, 3, 4]);
});

test("a turn whose key becomes null is forgotten", () => {
  model.update({ turn_2: said(2, 1, "hi"), turn_3: said(3, 1, "hey"), leaf: 3, next_id: 4 });
  const before = state.tree.revision;
  model.update({ turn_3: null, leaf: 1 });
  expect(ids()).toEqual([1]);
  expect(state.versions(1)).toEqual([2]);
  expect(state.turns.has(3)).toBe(false);
  expect(state.tree.revision).toBeGreaterThan(before);
});

test("what does not change the tree does not count as a change of it", () => {
  const before = state.tree.revision;
  model.update({ status: { ...READY, detail: "something" }, next_id: 2 });
  expect(state.tree.revision).toBe(before);
});

test("without a kernel a version is selected on the page, down to where its path was left", () => {
  model.update({
    turn_2: said(2, 1, "hi"),
    turn_3: said(3, 2, "and?"),
    turn_4: said(4, 2, "so?"),
    turn_5: said(5, 1, "hey"),
    next_id: 6,
    leaf: 3,
  });
  state.select(5);
  expect(ids()).toEqual([1, 5]);
  state.select(2);
  expect(ids()).toEqual([1, 2, 3]);
  state.select(4);
  state.select(5);
  state.select(1);
  expect(ids()).toEqual([1, 5]);
  model.update({ error: null });
  expect(ids()).toEqual([1, 5]);
  state.resync();
  expect(ids()).toEqual([1, 2, 3]);
});

test("a reply that was seen from its start needs no snapshot, whatever number its first frame has", () => {
  model.update({ status: running(2) });
  state.receive(frame(41, "Hi"));
  state.receive(frame(42, " there"));
  expect(state.reply).toEqual({ turn: 2, text: "Hi there", drafts: [] });
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
  expect(state.reply).toEqual({ turn: 3, text: "new", drafts: [] });
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
  expect(state.reply).toEqual({ turn: 2, text: "Hi", drafts: [] });
});

test("a poll brings the running reply, and tells how many frames were missed", () => {
  model.update({ status: running(2) });
  expect(state.catchUp({ seq: 0, turn: 2, text: "" })).toBe(0);
  state = view();
  model.update({ status: running(2) });
  expect(state.catchUp({ seq: 7, turn: 2, text: "No frame came." })).toBe(7);
  expect(state.reply.text).toBe("No frame came.");
  state.receive(frame(8, " This did."));
  expect(state.catchUp({ seq: 9, turn: 2, text: "No frame came. This did. And this." })).toBe(1);
  expect(state.reply.text).toBe("No frame came. This did. And this.");
  expect(asked).toHaveLength(0);
});

test("replies that are made side by side grow each on its own", () => {
  model.update({ status: { ...running(7), drafts: 3 } });
  expect(state.reply?.drafts).toEqual(["", "", ""]);
  state.receive({
    ...frame(1, "", 7),
    more: [
      [0, "Yes"],
      [2, "N"],
    ],
  });
  state.receive({ ...frame(2, "", 7), more: [[2, "o."]] });
  expect(state.reply).toEqual({ turn: 7, text: "", drafts: ["Yes", "", "No."] });
});

test("a gap among them is closed by a snapshot of all", async () => {
  model.update({ status: { ...running(7), drafts: 2 } });
  state.receive({ ...frame(1, "", 7), more: [[0, "Yes"]] });
  state.receive({ ...frame(3, "", 7), more: [[1, "!"]] });
  expect(asked).toHaveLength(1);
  asked[0].resolve({ seq: 2, turn: 7, text: "", drafts: ["Yes", "No"] });
  await settled();
  expect(state.reply?.drafts).toEqual(["Yes", "No!"]);
});

test("a poll that brings what none of the frames did tells so, for a list too", () => {
  model.update({ status: { ...running(7), drafts: 2 } });
  expect(state.catchUp({ seq: 4, turn: 7, text: "", drafts: ["", ""] })).toBe(0);
  state = view();
  model.update({ status: { ...running(7), drafts: 2 } });
  expect(state.catchUp({ seq: 4, turn: 7, text: "", drafts: ["", "No"] })).toBe(4);
});

test("a list is known once it is there, anew when it was ranked again, and no longer once forgotten", () => {
  const list = { id: 7, parent: 1, candidates: [] };
  model.update({ nbest_7: list, next_id: 8 });
  expect(state.nbests.get(7)).toBe(list);
  model.update({ nbest_7: { ...list, scorers: ["MMI"] } });
  expect(state.nbests.get(7).scorers).toEqual(["MMI"]);
  model.update({ nbest_7: null });
  expect(state.nbests.size).toBe(0);
});
