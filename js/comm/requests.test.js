import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "../dev/model.js";
import { Requests } from "./requests.js";

let model;
let waiting;
let cut;
let requests;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel({});
  model.answer = () => {};
  waiting = vi.fn();
  cut = vi.fn();
  requests = new Requests(model, { waiting, cut });
});

afterEach(() => vi.useRealTimers());

test("a request carries its op, its arguments and an id of its own", () => {
  requests.request("send", { text: "hi" });
  requests.request("send", { text: "hi" });
  const [first, second] = model.sent;
  expect(first).toMatchObject({ op: "send", text: "hi" });
  expect(first.id).not.toBe(second.id);
  expect(first.id.length).toBeLessThanOrEqual(64);
});

test("an answer resolves the request it belongs to", async () => {
  const first = requests.request("send", { text: "one" });
  const second = requests.request("send", { text: "two" });
  requests.receive({ id: model.sent[1].id, ok: true, queued: true });
  requests.receive({ id: model.sent[0].id, ok: true, queued: false });
  expect(await first).toMatchObject({ queued: false });
  expect(await second).toMatchObject({ queued: true });
});

test("files go out with a request and come with its answer, in whatever the host wraps them", async () => {
  const file = new Uint8Array([1, 2]);
  const request = requests.request("import", { name: "a.json" }, [file]);
  expect(model.files).toEqual([[file]]);
  const view = new DataView(file.buffer);
  requests.receive({ id: model.sent[0].id, ok: true, name: "chat.json" }, [view]);
  expect(await request).toMatchObject({ name: "chat.json", buffers: [view] });
});

test("a refusal rejects with the kernel's own words", async () => {
  const request = requests.request("withdraw", { item: "a" });
  requests.receive({ id: model.sent[0].id, error: "It has been sent already." });
  await expect(request).rejects.toThrow("It has been sent already.");
});

test("an answer to another view is not ours", () => {
  const other = new Requests(model);
  other.request("stop");
  expect(requests.receive({ id: model.sent[0].id, ok: true })).toBe(false);
});

test("frames are not answers", () => {
  expect(requests.receive({ v: 1, seq: 1, turn: 1, text: "" })).toBe(false);
  expect(requests.receive(null)).toBe(false);
});

test("a late answer is said to be waited for, and still counts", async () => {
  const request = requests.request("send", { text: "hi" });
  vi.advanceTimersByTime(3000);
  expect(waiting).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3000);
  expect(waiting).toHaveBeenLastCalledWith(true);
  requests.receive({ id: model.sent[0].id, ok: true });
  expect(waiting).toHaveBeenLastCalledWith(false);
  expect(await request).toMatchObject({ ok: true });
});

test("nobody is told of waiting for what nobody asked", () => {
  requests.request("mount", { version: 1 });
  requests.request("sync");
  vi.advanceTimersByTime(60_000);
  expect(waiting).not.toHaveBeenCalled();
});

test("a connection that takes nothing more rejects the request and is reported", async () => {
  model.send = () => {
    throw new Error("Cannot send");
  };
  await expect(requests.request("stop")).rejects.toThrow("Cannot send");
  expect(cut).toHaveBeenCalledOnce();
});

test("an abandoned request is rejected with the reason", async () => {
  const request = requests.request("stop");
  requests.abandon("The kernel was restarted.");
  await expect(request).rejects.toThrow("restarted");
});
