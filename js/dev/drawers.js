import { from } from "./inspecting.js";

const depths = await (await fetch("/js/inspect/depths.json")).json();
const { answers } = await (await fetch("/js/inspect/fixture.json")).json();
const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;
const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** The answer of the kernel, as far as it was written down. */
function answering(model) {
  model.answer = ({ op, id, rev = 0 }) => {
    const { buffers = [], ...content } = depths[op] ?? {};
    const ranked = op === "ranked" ? { places: answers["ranked 1 0"].places.slice(0, 10) } : {};
    const poll = op === "poll" ? { rev, state: {}, seq: 0, turn: null } : {};
    model.message({ id, ok: true, ...content, ...ranked, ...poll }, buffers.map(bytes));
  };
}

/** Opens the panel, and of its sections the named one alone. */
async function open(root, model, name) {
  answering(model);
  const toggle = () => root.querySelector("button[aria-label=Inspect]");
  while (!toggle()) await wait(10);
  toggle().click();
  while (!root.querySelector(".dgpt-cells .dgpt-cell")) await wait(10);
  unfold(root, name);
  await wait(50);
}

function unfold(root, name) {
  for (const details of root.querySelectorAll(".dgpt-section"))
    details.open = details.querySelector("h3").textContent === name;
}

const find = (root, label) => [...root.querySelectorAll("button")].find((one) => one.textContent === label);
const meter = { used: 72, window: 1000, first: 0, cut: 0, reused: 48 };
const full = { used: 640, window: 1000, first: 2, cut: 0, reused: 310 };
const dialogpt = { ...from(5).info, title: "DialoGPT-medium" };

function long(turns) {
  const state = { ...from(5), meter: { ...full, first: turns - 40 } };
  for (let id = 6; id < turns; id++) {
    const same = id % 2 ? 5 : 4;
    state[`turn_${id}`] = { ...state[`turn_${same}`], id, parent: id - 1 };
    state[`tokens_${id}`] = state[`tokens_${same}`];
  }
  return { ...state, leaf: turns - 1, next_id: turns };
}

export const scenes = {
  strip: {
    state: { ...from(5), meter },
    act: async (root, model) => {
      await open(root, model, "Tokens");
      root.querySelector("button[aria-label='Previous surprise']").click();
    },
  },
  striporigin: {
    state: { ...from(6), meter },
    act: async (root, model) => {
      await open(root, model, "Tokens");
      const select = root.querySelector(".dgpt-strip select");
      select.value = "origin";
      select.dispatchEvent(new Event("change"));
    },
  },
  striplong: { state: long(120), act: (root, model) => open(root, model, "Tokens") },
  context: {
    state: { ...long(60), info: dialogpt },
    act: async (root, model) => {
      await open(root, model, "Context");
      root.querySelector(".dgpt-turn-list input").click();
    },
  },
  score: {
    state: { ...from(5), meter },
    act: async (root, model) => {
      await open(root, model, "Score");
      root.querySelector("input[aria-label='Type a reply']").value = "A cat walks into a bar.";
      find(root, "Score").click();
    },
  },
  deeper: {
    state: { ...from(1), meter, height: 1800 },
    act: async (root, model) => {
      await open(root, model, "Tokens");
      root.querySelector("button[aria-label='Previous surprise']").click();
      unfold(root, "Deeper");
      await wait(50);
      find(root, "Show").click();
      find(root, "Look inside").click();
    },
  },
  stripsaved: {
    state: { ...from(5), meter, offline: 1_759_800_000 },
    act: (root, model) => open(root, model, "Context"),
  },
};
