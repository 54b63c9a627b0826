import { empty } from "./scenes.js";

const fixture = await (await fetch("/js/inspect/fixture.json")).json();
const { body } = await fetch("/dialogpt_widget/static/inspect.js");
const folded = await new Response(body.pipeThrough(new CompressionStream("deflate"))).bytes();
const inspector = btoa(Array.from(folded, (byte) => String.fromCharCode(byte)).join(""));

/** A chat with the embedded model, and what its kernel says of the tokens. */
const info = { ...empty.info, name: "mini", title: "mini" };
const state = { ...empty, info, ...fixture.state, inspector };
export const from = (leaf) => ({ ...state, leaf });

/** The answer of the kernel, as far as it was written down. */
function answers(model) {
  model.answer = ({ op, id, turn, index, values, rev = 0 }) => {
    const asked = values && Object.keys(values).length ? ` ${JSON.stringify(values)}` : "";
    const known =
      fixture.answers[`${op} ${turn} ${index}${asked}`] ?? fixture.answers[`${op} ${turn} ${index}`];
    if (op === "explain" && !known) model.message({ id, error: "This token was not written down." });
    else model.message({ id, ok: true, ...(op === "poll" ? { rev, state: {}, seq: 0, turn: null } : known) });
  };
}
const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Opens the word whose choice was written down. */
async function open(root, model, turn, how = false) {
  answers(model);
  const words = () => root.querySelectorAll(`[data-turn="${turn}"] .dgpt-word`);
  while (!words().length) await wait(10);
  const place = Number(
    Object.keys(fixture.answers)
      .find((name) => name.startsWith(`explain ${turn} `))
      .split(" ")[2],
  );
  words()[place].click();
  if (how) root.querySelector(".dgpt-ask").click();
}

export const scenes = {
  words: { state: from(3) },
  card: { state: from(1), act: (root, model) => open(root, model, 1) },
  how: { state: { ...from(1), height: 1600 }, act: (root, model) => open(root, model, 1, true) },
  dragged: {
    state: { ...from(1), height: 1600 },
    act: async (root, model) => {
      await open(root, model, 1, true);
      const slider = () => root.querySelector("[data-stage=temperature] input");
      while (!slider()) await wait(10);
      slider().value = "0.3";
      slider().dispatchEvent(new Event("input"));
      if (!model.dragging) slider().dispatchEvent(new Event("change"));
    },
  },
  greedy: { state: { ...from(5), height: 1600 }, act: (root, model) => open(root, model, 5, true) },
  record: {
    state: { ...from(1), offline: 1_759_800_000, height: 1600 },
    act: (root, model) => open(root, model, 1, true),
  },
  byhandtoken: { state: from(6), act: (root, model) => open(root, model, 6).catch(() => {}) },
};
