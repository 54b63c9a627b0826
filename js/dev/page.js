/** A view on a page, for tests: what it shows, what it is told and what it says to the kernel. */

import { vi } from "vitest";
import { Near } from "../ui/scroll.js";
import widget from "../widget.js";
import { FakeModel } from "./model.js";

/** A page on which everything is in sight, until a test says otherwise. */
const observers = new Set();
globalThis.IntersectionObserver = class {
  constructor(tell) {
    this.tell = tell;
    observers.add(this);
  }
  observe(target) {
    this.tell([{ target, isIntersecting: true }]);
  }
  unobserve() {}
  disconnect() {
    observers.delete(this);
  }
};

Near.stroke = Number.POSITIVE_INFINITY;

/** Something comes near what the reader sees, or goes away from it. */
export function scrolled(target, isIntersecting) {
  for (const observer of observers) observer.tell([{ target, isIntersecting }]);
}

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

export const MADE = {
  settings: { seed: 7, temperature: 0.5 },
  reply: 3,
  revision: null,
  precision: "float16",
};
/** A conversation with three versions of its first reply: a model's own, one that was cut off, and a person's. */
export const TREE = {
  turn_1: { id: 1, parent: null, role: "user", text: "Does money buy happiness?", stop: null, made: null },
  turn_2: { id: 2, parent: 1, role: "assistant", text: "It helps.", stop: "eos", model: "a/m", made: MADE },
  turn_3: { id: 3, parent: 2, role: "user", text: "How?", stop: null, made: null },
  turn_4: { id: 4, parent: 3, role: "assistant", text: "Slowly.", stop: "eos", model: "a/m", made: MADE },
  turn_5: { id: 5, parent: 1, role: "assistant", text: "It hel", stop: "length", model: "a/m", made: MADE },
  turn_6: { id: 6, parent: 1, role: "assistant", text: "No.", stop: null, model: "a/m", made: null },
  leaf: 4,
  next_id: 7,
};

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

export const turn = (id) => find(`article[data-turn="${id}"]`);
export const buttons = (id) =>
  [...turn(id).querySelectorAll("[role=toolbar] button")].map((one) => one.title);
export const within = (element, name) =>
  [...element.querySelectorAll("button")].find((one) => (one.title || one.textContent) === name);
export const texts = () => [...host.querySelectorAll("article .dgpt-text")].map((text) => text.textContent);
export const key = (element, name, options = {}) => {
  const event = new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, ...options });
  element.dispatchEvent(event);
  return event;
};

export function unmount() {
  cleanup();
  host.remove();
}
