import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "../dev/model.js";
import { PolledModel } from "./polled-model.js";
import { Poller } from "./poller.js";

const READY = { phase: "ready", turn: null };
const GENERATING = { phase: "generating", turn: 3 };

let host;
let poller;
let asked; // the revisions after which polls asked
let next; // what the kernel answers to polls; the last is repeated
let behind; // how many frames of the running reply the page has not seen

beforeEach(() => {
  vi.useFakeTimers();
  host = new FakeModel({ rev: 4, status: READY, queue: [], leaf: 1 });
  const live = new PolledModel(host);
  asked = [];
  next = [];
  behind = 0;
  poller = new Poller(live, {
    ask: async (rev) => {
      asked.push(rev);
      const answer = next.length > 1 ? next.shift() : (next[0] ?? { rev, state: {} });
      poller.heard({ id: "p", ok: true, ...answer });
      return answer;
    },
    running: () => behind,
  });
  live.on("change", () => poller.changed());
  poller.start();
});

afterEach(() => vi.useRealTimers());

const pass = (milliseconds) => vi.advanceTimersByTimeAsync(milliseconds);

test("while nothing is expected nothing is asked", async () => {
  await pass(600_000);
  poller.heard({ id: "a", ok: true, rev: 4 });
  await pass(600_000);
  expect(asked).toEqual([]);
});

test("a host that says everything is never asked", async () => {
  poller.heard({ id: "a", ok: true, rev: 6 });
  host.update({ rev: 5, status: GENERATING });
  host.update({ rev: 6, leaf: 2 });
  for (let frame = 0; frame < 20; frame++) {
    await pass(1000);
    poller.heard({ v: 1, seq: frame, turn: 3, text: "word " });
  }
  host.update({ rev: 7, status: READY });
  await pass(600_000);
  expect(asked).toEqual([]);
});

test("an update that an answer has told of and that does not come is asked for", async () => {
  next = [{ rev: 6, state: { leaf: 2, status: READY } }];
  poller.heard({ id: "a", ok: true, rev: 6 });
  await pass(1400);
  expect(asked).toEqual([]);
  await pass(200);
  expect(asked).toEqual([4]);
  await pass(600_000);
  expect(asked).toEqual([4]);
});

test("work that was queued is asked after, whoever lost the news that it has begun", async () => {
  next = [{ rev: 6, state: { leaf: 2 } }];
  poller.heard({ id: "a", ok: true, rev: 4, item: "i" });
  host.update({ rev: 5, queue: [] });
  await pass(1600);
  expect(asked).toEqual([5]);
  await pass(600_000);
  expect(asked).toEqual([5]);
});

test("work that was seen to begin is not asked after once it is done", async () => {
  poller.heard({ id: "a", ok: true, rev: 4, item: "i" });
  host.update({ rev: 5, status: GENERATING });
  host.update({ rev: 6, status: READY });
  await pass(600_000);
  expect(asked).toEqual([]);
});

test("a model that has not begun to load is asked after", async () => {
  host.update({ rev: 5, status: { phase: "idle", turn: null } });
  next = [{ rev: 6, state: { status: READY } }];
  await pass(600_000);
  expect(asked).toEqual([5]);
});

test("an update between two that came is asked for", async () => {
  host.update({ rev: 6, queue: [] });
  await pass(1600);
  expect(asked).toEqual([4]);
});

test("a host that loses updates is asked often while the kernel is at work, and no longer", async () => {
  next = [
    { rev: 6, state: { status: GENERATING } },
    { rev: 6, state: {} },
    { rev: 7, state: { leaf: 2, status: READY } },
  ];
  poller.heard({ id: "a", ok: true, rev: 5 });
  await pass(1500);
  expect(asked).toEqual([4]);
  behind = 1;
  await pass(300);
  expect(asked).toEqual([4, 6]);
  await pass(300);
  expect(asked).toEqual([4, 6, 6]);
  await pass(600_000);
  expect(asked).toEqual([4, 6, 6]);
});

test("what such a host says later is not trusted to be all", async () => {
  next = [{ rev: 5, state: { leaf: 2 } }];
  poller.heard({ id: "a", ok: true, rev: 5 });
  await pass(1500);
  next = [{ rev: 6, state: { leaf: 1 } }];
  host.update({ rev: 6, queue: [] });
  await pass(300);
  expect(asked).toEqual([4, 5]);
});

test("a host that is silent because the model is slow is asked less and less", async () => {
  host.update({ rev: 5, status: GENERATING });
  await pass(60_000);
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.length).toBeLessThan(8);
});

test("a host that loses frames is one that loses messages", async () => {
  host.update({ rev: 5, status: GENERATING });
  behind = 20;
  await pass(1500 + 300 * 10);
  expect(asked).toHaveLength(11);
});

test("text that only the poll has gathered was not lost", async () => {
  host.update({ rev: 5, status: GENERATING });
  behind = 1;
  await pass(10_000);
  expect(asked.length).toBeLessThan(4);
});

test("a queue that an error holds back is not waited for", async () => {
  host.update({ rev: 5, queue: [{ id: "a" }], status: { phase: "error", turn: null } });
  await pass(60_000);
  expect(asked).toEqual([]);
});

test("a poll that waits for a running cell is not repeated", async () => {
  let free;
  poller.hooks.ask = (rev) => {
    asked.push(rev);
    return new Promise((resolve) => {
      free = () => resolve({ rev: 6, state: { leaf: 2 } });
    });
  };
  poller.heard({ id: "a", ok: true, rev: 6 });
  await pass(60_000);
  expect(asked).toEqual([4]);
  free();
  await pass(60_000);
  expect(asked).toEqual([4]);
});

test("who turns to the view of a host that loses updates sees what is new", async () => {
  poller.look();
  expect(asked).toEqual([]);
  next = [{ rev: 5, state: { leaf: 2 } }];
  poller.heard({ id: "a", ok: true, rev: 5 });
  await pass(1500);
  poller.look();
  expect(asked).toEqual([4, 5]);
});

test("a view that has ended asks nothing", async () => {
  host.update({ rev: 5, status: GENERATING });
  poller.stop();
  await pass(60_000);
  expect(asked).toEqual([]);
});
