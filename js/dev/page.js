import { vi } from "vitest";
import widget from "../widget.js";
import { FakeModel } from "./model.js";

/** A view on a page, for tests: what it shows, what it is told and what it says to the kernel. */

export const INFO = {
  name: "m",
  title: "DialoGPT",
  about: "",
  parameters: null,
  device: null,
  precision: null,
  revision: null,
  positions: null,
  notes: [],
};
export const READY = {
  phase: "ready",
  detail: "",
  progress: null,
  turn: null,
  parent: null,
  ahead: 0,
  speed: null,
};
export const TALK = {
  turn_1: { id: 1, parent: null, role: "user", text: "Does money buy happiness?", stop: null },
  turn_2: { id: 2, parent: 1, role: "assistant", text: "<b>No</b>", stop: "length" },
  leaf: 2,
};
export const GENERATING = { status: { ...READY, phase: "generating", turn: 3, parent: 2 } };

export let model;
export let host;
export let cleanup;

export function mount(state = {}) {
  model = new FakeModel({
    info: INFO,
    status: READY,
    queue: [],
    starters: ["One?", "Two?", "Three?"],
    leaf: null,
    ...state,
  });
  model.answer = vi.fn();
  host = document.createElement("div");
  document.body.append(host);
  cleanup = widget.render({ model, el: host });
}

export const find = (selector) => host.querySelector(selector);
export const area = () => find("textarea");
export const named = (name) =>
  [...host.querySelectorAll("button")].find(
    (b) => (b.getAttribute("aria-label") ?? (b.textContent || b.title)) === name,
  );
export const sent = (op) => model.sent.filter((request) => request.op === op);
export const painted = () => new Promise((resolve) => setTimeout(resolve, 40));

export function type(text) {
  area().value = text;
  area().dispatchEvent(new Event("input"));
}

export function press(key, options = {}) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options });
  area().dispatchEvent(event);
  return event;
}

export async function answer(request, fields = { ok: true }) {
  model.message({ id: request.id, ...fields });
  await painted();
}

export function unmount() {
  cleanup();
  host.remove();
}
