import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeModel } from "../dev/model.js";
import { FORMATS } from "../dev/settings.js";
import { KeepPanel, watchDrops } from "./files.js";

let panel;
let ask;
let saved;

const named = (text) =>
  [...panel.element.querySelectorAll("button")].find((one) => one.textContent.startsWith(text));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  ask = vi.fn(async () => ({
    name: "chat.json",
    type: "application/json",
    buffers: [new DataView(new TextEncoder().encode('{"a":1}').buffer)],
  }));
  panel = new KeepPanel(new FakeModel({ formats: FORMATS }), (...all) => ask(...all));
  panel.update();
  saved = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${saved.push(blob)}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function () {
    saved.push(`${this.download} ${this.href}`);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("every format of the kernel can be downloaded, and says what it is for", () => {
  const rows = [...panel.element.querySelectorAll(".dgpt-choice")];
  expect(rows.map((one) => one.dataset.name)).toEqual(FORMATS.map(({ name }) => name));
  expect(named("Markdown").textContent).toContain("Text to paste");
});

test.each([
  ["This path", false],
  ["All branches", true],
])("%s is what is downloaded", async (what, branches) => {
  named(what).click();
  expect(named(what).getAttribute("aria-pressed")).toBe("true");
  named("Conversation").click();
  expect(ask).toHaveBeenCalledWith("export", { format: "conversation", branches });
  await vi.waitFor(() => expect(saved).toHaveLength(2));
  expect(await saved[0].text()).toBe('{"a":1}');
  expect(saved[0].type).toBe("application/json");
  expect(saved[1]).toBe("chat.json blob:1");
  await vi.waitFor(() => expect(panel.said.textContent).toBe("Saved as chat.json, 1 kB."));
  expect(panel.said.previousElementSibling).toBe(panel.formats);
  expect(URL.revokeObjectURL).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(URL.revokeObjectURL).toHaveBeenCalledWith("blob:1");
});

test.each([
  ["DataView", (bytes) => new DataView(bytes.buffer, 1, 2)],
  ["Uint8Array", (bytes) => bytes.subarray(1, 3)],
  ["ArrayBuffer", (bytes) => bytes.slice(1, 3).buffer],
])("a file that the host wraps as %s is saved byte for byte", async (_, wrap) => {
  ask = async () => ({ name: "a", type: "", buffers: [wrap(new Uint8Array([9, 1, 255, 9]))] });
  named("Conversation").click();
  await vi.waitFor(() => expect(saved).toHaveLength(2));
  expect([...new Uint8Array(await saved[0].arrayBuffer())]).toEqual([1, 255]);
});

test("what the kernel will not write, it says why", async () => {
  ask = () => Promise.reject(new Error("This needs the model."));
  named("Tokens, CSV").click();
  await vi.waitFor(() => expect(panel.said.textContent).toBe("This needs the model."));
  expect(saved).toEqual([]);
});

test("a file goes to the kernel whole, and the number of its turns is said", async () => {
  ask = vi.fn(async () => ({ turns: 4, buffers: [] }));
  await panel.open(new File(["[1]"], "talk.json"));
  const [op, args, [buffer]] = ask.mock.calls[0];
  expect([op, args]).toEqual(["import", { name: "talk.json" }]);
  expect(new TextDecoder().decode(buffer)).toBe("[1]");
  expect(panel.said.textContent).toContain("4 turns from talk.json");
  expect(panel.said.previousElementSibling.textContent).toContain("Open a file…");
});

test("a refused file is explained in the kernel's words", async () => {
  ask = () => Promise.reject(new Error("This is no saved conversation."));
  await panel.open(new File(["x"], "x.png"));
  expect(panel.said.textContent).toBe("This is no saved conversation.");
  expect(panel.said.className).toBe("dgpt-grave");
});

test("a file that no connection would carry is not sent", async () => {
  await panel.open({ name: "big.json", size: 23_000_000 });
  expect(ask).not.toHaveBeenCalled();
  expect(panel.said.textContent).toContain("It has 23.0 MB; at most 10.0 MB");
});

test("a file that is dropped is taken, and the page around never hears of it", () => {
  const root = document.createElement("div");
  const take = vi.fn();
  const outside = vi.fn();
  document.body.append(root);
  for (const name of ["dragover", "drop"]) document.body.addEventListener(name, outside);
  let ready = false;
  watchDrops(root, take, () => ready);
  const file = new File(["x"], "a.json");
  const drag = (name, types = ["Files"]) => {
    const event = new Event(name, { bubbles: true, cancelable: true });
    event.dataTransfer = { types, files: [file] };
    root.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(drag("dragover")).toBe(false);
  ready = true;
  expect(drag("dragover", ["text/plain"])).toBe(false);
  outside.mockClear();
  expect(drag("dragover")).toBe(true);
  expect(root.hasAttribute("data-drop")).toBe(true);
  expect(drag("drop")).toBe(true);
  expect(take).toHaveBeenCalledWith(file);
  expect(root.hasAttribute("data-drop")).toBe(false);
  expect(outside).not.toHaveBeenCalled();
  root.remove();
});
