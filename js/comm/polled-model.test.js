import { beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "../dev/model.js";
import { PolledModel } from "./polled-model.js";

let host;
let live;

beforeEach(() => {
  host = new FakeModel({ leaf: 1, status: { phase: "ready" } });
  live = new PolledModel(host);
});

test("on a host that loses nothing it is the host's model and no more", () => {
  const changed = vi.fn();
  live.on("change", changed);
  host.update({ leaf: 2 });
  expect(live.get("leaf")).toBe(2);
  expect(changed).toHaveBeenCalledOnce();
  live.off("change", changed);
  host.update({ leaf: 3 });
  expect(changed).toHaveBeenCalledOnce();
  expect(live.take({ leaf: 3, status: { phase: "ready" } })).toBe(false);
  expect(live.behind).toBe(false);
});

test("what a poll brought holds until the host reports a change of that key", () => {
  const changed = vi.fn();
  live.on("change", changed);
  expect(live.take({ leaf: 5, turn_5: { id: 5 } })).toBe(true);
  expect(changed).toHaveBeenCalledOnce();
  expect([live.get("leaf"), live.get("turn_5").id, live.get("status").phase]).toEqual([5, 5, "ready"]);
  host.update({ status: { phase: "generating" } });
  expect(live.get("leaf")).toBe(5);
  host.update({ leaf: 7 });
  expect(live.get("leaf")).toBe(7);
  expect(live.behind).toBe(true);
  host.update({ turn_5: { id: 5 } });
  expect(live.behind).toBe(false);
});

test("a later poll can go back to what the host has had all the while", () => {
  live.take({ leaf: 5 });
  expect(live.take({ leaf: 1 })).toBe(true);
  expect(live.get("leaf")).toBe(1);
  expect(live.behind).toBe(false);
});

test("what was forgotten is gone", () => {
  live.take({ turn_5: { id: 5 } });
  live.take({ turn_5: null });
  expect(live.get("turn_5")).toBeFalsy();
});
