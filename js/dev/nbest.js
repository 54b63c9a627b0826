import { expect, vi } from "vitest";
import { host, MADE, model, mount, named, painted, TREE, turn, within } from "./page.js";
import { PRESETS, SCHEMA, USUAL } from "./settings.js";

/** A chat whose first reply was chosen among several, for tests. */

export const reply = (turn, text, rank, more = {}) => ({
  turn,
  text,
  tokens: 4,
  stop: "eos",
  logprob: -2 * turn,
  mean: -turn / 2,
  scores: [rank ? -rank : null],
  total: rank ? -rank : null,
  dropped: rank ? null : "echoes the user",
  rank,
  label: "",
  beam: null,
  ...more,
});
export const LIST = {
  id: 7,
  parent: 1,
  kind: "sampled",
  candidates: [
    reply(2, "It helps.", 2),
    reply(8, "Does money?", 0),
    reply(9, "Hardly.", 1),
    reply(5, "It hel", 3),
  ],
  scorers: ["MMI"],
  weights: [1],
  spared: false,
  temperature: 0,
  cross: null,
  note: "",
};
export const unranked = { rank: 0, dropped: null, scores: [] };
export const COMPARED = {
  ...LIST,
  id: 10,
  parent: 4,
  kind: "compared",
  scorers: [],
  weights: [],
  candidates: [
    reply(11, "By work and luck.", 0, { ...unranked, label: "As now" }),
    reply(12, "By work.", 0, { ...unranked, label: "Greedy" }),
  ],
  cross: [
    [-3, null],
    [-1.5, 0],
  ],
};
export const STATE = {
  ...TREE,
  turn_2: { ...TREE.turn_2, made: { ...MADE, nbest: 7 } },
  nbest_7: LIST,
  next_id: 10,
  settings: { ...USUAL, candidates: 4 },
  settings_schema: SCHEMA,
  presets: PRESETS,
  models: [
    { name: "m", title: "m", help: "" },
    { name: "mini", title: "mini: small", help: "" },
    { name: "big", title: "Big", help: "" },
  ],
  rerank: {
    name: "mmi",
    temperature: 0,
    words: ["damn"],
    urls: true,
    repeats: true,
    echo: false,
    empty: true,
  },
  rerankers: [
    { name: "mean", title: "Mean log-probability", help: "Its own opinion." },
    { name: "mmi", title: "MMI", help: "A backward model." },
  ],
  decider: "code",
};

export async function show(more = {}) {
  mount({ ...STATE, ...more });
  await vi.waitFor(() => expect(named("Decide")).toBeDefined());
  await painted();
}
export async function open(more) {
  await show(more);
  named("Decide").click();
}

export const chip = (id = 2) => turn(id).querySelector(".dgpt-decided");
export const rows = () => [...host.querySelectorAll(".dgpt-nbest tbody")];
export const said = () => rows().map((row) => row.querySelector(".dgpt-pick").textContent);
export const alerts = () =>
  [...host.querySelectorAll(".dgpt-decide [role=alert]")].map((one) => one.textContent).join("");
export const control = (label) => host.querySelector(`.dgpt-decide [aria-label="${label}"]`);
export const section = (name) =>
  [...host.querySelectorAll(".dgpt-section")].find((one) => one.querySelector("h3")?.textContent === name);
export const change = (element, value) => {
  element.value = value;
  element.dispatchEvent(new Event("change"));
};
export const changed = async (state) => {
  model.update(state);
  await painted();
};

export function more(id, choice) {
  within(turn(id), "More").click();
  [...host.querySelectorAll("[role=menuitem]")].find((item) => item.textContent === choice)?.click();
}
