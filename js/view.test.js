import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "./dev/model.js";
import {
  answer,
  area,
  cleanup,
  find,
  GENERATING,
  host,
  model,
  mount,
  named,
  painted,
  press,
  READY,
  scrolled,
  sent,
  TALK,
  type,
  unmount,
} from "./dev/page.js";
import widget from "./widget.js";

const NO_MODEL = { kind: "offline", title: "No download.", message: "The hub did not answer.", actions: [] };

beforeEach(() => mount());
afterEach(unmount);

test("a view says that it is there, and asks for a running reply only when there is one", () => {
  expect(sent("mount")).toEqual([expect.objectContaining({ version: 1 })]);
  expect(sent("sync")).toHaveLength(0);
  cleanup();
  mount({ ...TALK, ...GENERATING });
  expect(model.sent.map((request) => request.op)).toEqual(["mount", "sync"]);
});

test("an empty chat offers three starters, and a click sends one", () => {
  expect(host.querySelectorAll(".dgpt-starter")).toHaveLength(3);
  expect(find("[role=log]").parentElement.hidden).toBe(true);
  named("Two?").click();
  named("Two?").click();
  expect(sent("send").map((request) => request.text)).toEqual(["Two?"]);
});

test("text is shown as text, and how a reply ended beside it", () => {
  cleanup();
  mount(TALK);
  const [question, reply] = host.querySelectorAll("article");
  expect(question.getAttribute("aria-label")).toBe("You");
  expect(reply.querySelector(".dgpt-text").textContent).toBe("<b>No</b>");
  expect(reply.querySelector("b")).toBeNull();
  expect(reply.textContent).toContain("reached the length limit");
});

test("a reply streams into one text node and settles in the same element", async () => {
  cleanup();
  mount(TALK);
  model.update(GENERATING);
  await painted();
  const text = find("article[data-turn='3'] .dgpt-text");
  model.message({ v: 1, seq: 1, turn: 3, text: "It" });
  await painted();
  const node = text.firstChild;
  model.message({ v: 1, seq: 2, turn: 3, text: " helps" });
  await painted();
  expect(text.firstChild).toBe(node);
  expect(node.data).toBe("It helps");
  model.update({
    turn_3: { id: 3, parent: 2, role: "assistant", text: "It helps.", stop: "user" },
    leaf: 3,
    status: READY,
  });
  await painted();
  expect(node.data).toBe("It helps.");
  expect(text.isConnected).toBe(true);
  expect(find("article[data-turn='3']").textContent).toContain("stopped");
});

test("a turn out of sight takes three elements, and gets its buttons when it comes near", () => {
  cleanup();
  mount(TALK);
  for (const turn of host.querySelectorAll("article")) {
    scrolled(turn.parentElement, false);
    expect(turn.querySelectorAll("*").length + 1).toBe(turn.dataset.role === "user" ? 3 : 4); // and how it ended
    expect(turn.querySelector("button")).toBeNull();
    scrolled(turn.parentElement, true);
    expect(turn.querySelector("button").title).toBe("Copy");
  }
});

test("a screen reader hears that a reply began, and once what it was", async () => {
  cleanup();
  mount(TALK);
  const status = find("[role=status]");
  expect(status.textContent).toBe("");
  model.update(GENERATING);
  await painted();
  expect(status.textContent).toBe("generating");
  model.update({
    turn_3: { id: 3, parent: 2, role: "assistant", text: "Yes.", stop: "eos" },
    leaf: 3,
    status: READY,
  });
  await painted();
  expect(status.textContent).toBe("Yes.");
});

test("a message that waits can be withdrawn into an empty composer", async () => {
  model.update({ queue: [{ id: "q1", text: "later" }] });
  await painted();
  expect(find(".dgpt-queue").textContent).toContain("later");
  named("Withdraw").click();
  expect(sent("withdraw")).toEqual([expect.objectContaining({ item: "q1" })]);
  await answer(sent("withdraw")[0], { ok: true, text: "later" });
  expect(area().value).toBe("later");
});

test("an error says what happened and offers its ways out, and keeps the draft", async () => {
  type("draft");
  const actions = [{ label: "Chat with the embedded model", op: "use_model", arguments: { model: "mini" } }];
  model.update({
    error: { kind: "network", title: "No download.", message: "The hub did not answer.", actions },
  });
  await painted();
  expect(find(".dgpt-notice").textContent).toContain("The hub did not answer.");
  named("Chat with the embedded model").click();
  expect(sent("use_model")).toEqual([expect.objectContaining({ model: "mini" })]);
  expect(area().value).toBe("draft");
});

test("a model that could not be loaded is offered no starters", async () => {
  const starters = find(".dgpt-start");
  named("Two?").focus();
  model.update({ status: { ...READY, phase: "error" }, error: NO_MODEL });
  await painted();
  expect(starters.hidden).toBe(true);
  expect(document.activeElement).toBe(area());
  model.update({ status: { ...READY, phase: "loading" }, error: null });
  await painted();
  expect(starters.hidden).toBe(false);
});

test("what was sent to a model that could not be loaded is said to wait, and can be withdrawn", async () => {
  model.update({ status: { ...READY, phase: "error" }, error: NO_MODEL });
  await painted();
  const kept = [...host.querySelectorAll(".dgpt-notice p")].at(-1);
  expect(kept.hidden).toBe(true);
  type("hello");
  press("Enter");
  model.update({ queue: [{ id: "q1", text: "hello" }] });
  await answer(sent("send")[0]);
  expect(kept.hidden).toBe(false);
  expect(kept.textContent).toContain("What you sent is kept above");
  expect(named("Withdraw")).toBeDefined();
  model.update({ queue: [] });
  await painted();
  expect(kept.hidden).toBe(true);
});

test("the window is mentioned only when it fills, and its edge is marked", async () => {
  cleanup();
  mount({ ...TALK, meter: { used: 500, window: 1000, first: 1, cut: 0 } });
  expect(find(".dgpt-meter").hidden).toBe(true);
  expect(find(".dgpt-divider")).toBeNull();
  model.update({ meter: { used: 612, window: 1000, first: 2, cut: 0 } });
  await painted();
  expect(find(".dgpt-meter").textContent).toBe("612 of 1000 tokens");
  expect(find(".dgpt-divider").nextSibling.dataset.turn).toBe("2");
});

test.each([
  [1, 40, "Only the end of this message is in the model’s window"],
  [2, 40, "Only the end of this message is in the model’s window"],
  [2, 0, "The turn above is no longer in the model’s window"],
  [3, 0, "Earlier turns are no longer in the model’s window"],
])("where the window begins at turn %i, cut by %i tokens, it says so", (first, cut, words) => {
  cleanup();
  const last = { id: 3, parent: 2, role: "user", text: "Why?", stop: null };
  mount({ ...TALK, turn_3: last, leaf: 3, meter: { used: 612, window: 1000, first, cut } });
  expect(find(".dgpt-divider").textContent).toBe(words);
  expect(find(".dgpt-divider").nextSibling.dataset.turn).toBe(String(first));
  expect(host.querySelectorAll("[data-out]")).toHaveLength(first - 1);
});

test("loading shows how far it is and lets people write", async () => {
  model.update({ status: { ...READY, phase: "loading", detail: "Downloading", progress: 0.43 } });
  await painted();
  expect(find("[role=progressbar]").getAttribute("aria-valuenow")).toBe("43");
  expect(area().readOnly).toBe(false);
});

test("without its kernel the chat stays readable and the draft stays", async () => {
  cleanup();
  mount(TALK);
  type("draft");
  model.connect(false);
  expect(find(".dgpt-notice").textContent).toBe(
    "The kernel was restarted. This chat is still readable; run the cell again to go on.",
  );
  expect(area().readOnly).toBe(true);
  expect(area().value).toBe("draft");
  press("Enter");
  expect(sent("send")).toHaveLength(0);
  model.connect(true);
  expect(area().readOnly).toBe(false);
  expect(sent("mount")).toHaveLength(2);
});

test("a kernel that takes nothing more is a kernel that is gone", async () => {
  type("hello");
  model.send = () => {
    throw new Error("Cannot send");
  };
  press("Enter");
  await painted();
  expect(find(".dgpt-notice").textContent).toContain("still readable");
  expect(area().value).toBe("hello");
});

test("a crash is heard from the kernel itself", () => {
  cleanup();
  const slots = new Set();
  const statusChanged = { connect: (slot) => slots.add(slot), disconnect: (slot) => slots.delete(slot) };
  const plain = FakeModel.prototype;
  plain.widget_manager = { kernel: { statusChanged } };
  mount(TALK);
  delete plain.widget_manager;
  for (const slot of slots) slot(null, "autorestarting");
  expect(find(".dgpt-notice").textContent).toContain("The kernel was restarted.");
  cleanup();
  expect(slots.size).toBe(0);
});

test("two views of one model each show the chat, and closing one leaves the other", async () => {
  const second = document.createElement("div");
  const close = widget.render({ model, el: second });
  model.update(TALK);
  await painted();
  expect(second.querySelectorAll("article")).toHaveLength(2);
  close();
  expect(second.childElementCount).toBe(0);
  model.update({ queue: [{ id: "q", text: "still here" }] });
  await painted();
  expect(host.textContent).toContain("still here");
});

test("keys do not leave the widget", () => {
  const outside = vi.fn();
  document.body.addEventListener("keydown", outside);
  press("Delete");
  press("Tab");
  press("Enter", { ctrlKey: true });
  for (const edits of "acvxyzZ") press(edits, { ctrlKey: true });
  document.body.removeEventListener("keydown", outside);
  expect(outside).not.toHaveBeenCalled();
});

test("a shortcut that means nothing here is the host's, once", () => {
  const save = vi.fn((event) => event.preventDefault());
  host.addEventListener("keydown", save);
  expect(press("s", { ctrlKey: true }).defaultPrevented).toBe(true);
  expect(press("s", { altKey: true, ctrlKey: true }).defaultPrevented).toBe(false);
  expect(save).toHaveBeenCalledTimes(1);
  expect(save.mock.calls[0][0]).toMatchObject({ key: "s", ctrlKey: true, target: host });
});

test("what undo takes back is there to be said otherwise, where nothing else is written", async () => {
  cleanup();
  mount({ ...TALK, can_undo: true });
  for (const [draft, left] of [
    ["", "How?"],
    ["Mine", "Mine"],
  ]) {
    type(draft);
    named("Undo").click();
    await answer(sent("undo").at(-1), { ok: true, text: "How?" });
    expect(area().value).toBe(left);
  }
});

test("an aborted signal takes the view off the page", () => {
  const aborted = new AbortController();
  const el = document.createElement("div");
  widget.render({ model, el, signal: aborted.signal });
  aborted.abort();
  expect(el.childElementCount).toBe(0);
});
