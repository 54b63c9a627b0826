import { Rows } from "../inspect/tokens/rows.js";
import { from } from "./inspecting.js";

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
const { tokens_3 } = from(3);
const data = Uint8Array.from(atob(tokens_3.data), (char) => char.charCodeAt(0)).buffer;
const rows = new Rows(data, tokens_3.wide, true);
const pieces = {};
const names = tokens_3.pieces[Symbol.iterator]();
for (let index = 0; index < rows.length; index++)
  for (const id of [rows.id(index), ...rows.row(index).alternatives.map((one) => one.id)])
    if (!(id in pieces)) pieces[id] = names.next().value;
const pace = { mode: "step", rate: 4, guessing: false, waiting: true, count: 6 };
const status = { ...from(3).status, phase: "generating", turn: 3, parent: 2 };
const state = { ...from(2), turn_3: null, tokens_3: null, status, pace, next_id: 3 };

/** A kernel that holds a reply back, whose next tokens are known. */
function slow(model) {
  const text = (count) =>
    Array.from({ length: count }, (_, index) => (rows.eos(index) ? "" : pieces[rows.id(index)])).join("");
  let seq = 0;
  const show = (count) => {
    const shown = data.slice(0, count * rows.size);
    model.message({ v: 1, seq: ++seq, turn: 3, text: text(count), at: 0, row: 0 }, [shown]);
    model.update({ pace: { ...model.get("pace"), count, waiting: true } });
  };
  model.answer = ({ op, id, mode, rate, on, token, ids, rev = 0 }) => {
    const now = model.get("pace");
    const reply = { id, ok: true };
    const { count } = now;
    const buffers = [];
    if (op === "sync") Object.assign(reply, { seq, turn: 3, text: text(count) });
    if (op === "sync") buffers.push(data.slice(0, count * rows.size));
    if (op === "poll") Object.assign(reply, { rev, state: {}, seq, turn: 3, text: text(count) });
    if (op === "pieces") reply.pieces = Object.fromEntries(ids.map((one) => [one, pieces[one]]));
    if (op === "choices") {
      const ten = rows
        .row(count)
        .alternatives.map((one) => one.id)
        .sort((a, b) => a - b);
      Object.assign(reply, { ids: ten, end: 0, pieces });
    }
    if (op === "guess") {
      const guess = token ?? rows.row(count).alternatives[4].id;
      const right = guess === rows.id(count);
      Object.assign(reply, { guess, token: rows.id(count), rank: 5, bits: 6.31, right, pieces });
    }
    model.message(reply, buffers);
    if (op === "pace") model.update({ pace: { ...now, mode, rate } });
    if (op === "guessing") model.update({ pace: { ...now, guessing: on } });
    if (op === "step" || op === "guess") show(Math.min(count + 1, rows.length - 1));
    if (op === "back") show(Math.max(count - 1, 0));
  };
  show(pace.count);
}

/** @param {...string} names of buttons to press */
const pressed =
  (...names) =>
  async (root, model) => {
    slow(model);
    for (const name of names) {
      const found = () =>
        [
          ...root.querySelectorAll(".dgpt-slow:not([hidden]) button, .dgpt-slow:not([hidden]) form button"),
        ].find((one) => (one.getAttribute("aria-label") ?? one.textContent) === name);
      while (!found()) await wait(10);
      found().click();
      await wait(60);
    }
  };

export const scenes = {
  slow: { state, act: pressed("Step") },
  slowpanel: {
    state: { ...from(3), pace: { ...pace, mode: "run", waiting: false, count: 0 } },
    act: async (root) => {
      while (!root.querySelector("button[aria-label=Inspect]")) await wait(10);
      root.querySelector("button[aria-label=Inspect]").click();
    },
  },
  slowidle: { state: { ...from(3), pace: { ...pace, waiting: false, count: 0 } } },
  slowforce: { state, act: pressed("Force…", "Ten to pick from") },
  slowguess: { state, act: pressed("Guess first", "Ten to pick from") },
  slowguessed: {
    state,
    act: async (root, model) => {
      await pressed("Guess first", "Ten to pick from")(root, model);
      root.querySelector(".dgpt-picks button").click();
    },
  },
  projector: { state, act: pressed("Projector", "Step", "Step") },
  projectorguess: { state, act: pressed("Projector", "Step", "Guess first", "Ten to pick from") },
};
