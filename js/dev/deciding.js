import { empty, running, SHORT, talk } from "./scenes.js";

const { body } = await fetch("/dialogpt_widget/static/decide.js");
const folded = await new Response(body.pipeThrough(new CompressionStream("deflate"))).bytes();
export const decider = btoa(Array.from(folded, (byte) => String.fromCharCode(byte)).join(""));
const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

export const RERANKERS = [
  {
    name: "mean",
    title: "Mean log-probability",
    help: "The model’s own opinion, per token: what it would say most readily.",
  },
  {
    name: "likelihood",
    title: "Log-probability",
    help: "The model’s own opinion of the whole reply; short ones have it easier.",
  },
  {
    name: "mmi",
    title: "MMI",
    help: "A backward model says how well the reply leads back to the question; dull ones lose.",
  },
  {
    name: "dialogrpt",
    title: "DialogRPT",
    help: "Rankers trained on what people voted for and replied to. Downloads 1.4 GB.",
  },
];
const RERANK = {
  name: "mmi",
  temperature: 0,
  words: ["idiot", "reddit"],
  urls: true,
  repeats: true,
  echo: true,
  empty: true,
};

/** [text, tokens, logprob, score, dropped] of each. */
const SAID = [
  ["I don’t know, I have never had enough of it to find out.", 15, -31.4, -2.31, null],
  ["I don’t know.", 5, -6.12, -5.83, null],
  ["It can buy a kind of comfort, but not the people you want to share it with.", 18, -44.8, -1.42, null],
  ["Does money buy happiness?", 6, -9.4, null, "echoes the user"],
  [
    "No, but it buys a boat, and have you ever seen a sad person on a boat? I have, but they were seasick, and that is something else entirely.",
    34,
    -81.2,
    -1.87,
    null,
  ],
  ["It does if you know where to shop.", 10, -19.7, -2.02, null],
  ["Yes.", 2, -3.3, -6.4, null],
  ["See https://example.org/money", 11, -38.9, null, "holds a link"],
  ["I think so, yes.", 6, -10.8, -4.95, null],
  [
    "Money can’t buy happiness, but it makes it easier to look for it in many places.",
    18,
    -40.1,
    -1.66,
    null,
  ],
];

function candidates(said, first) {
  const best = said
    .map((one) => one[3])
    .filter((score) => score !== null)
    .sort((a, b) => b - a);
  return said.map(([text, tokens, logprob, score, dropped], place) => ({
    turn: first + place,
    text,
    tokens,
    stop: place === 4 ? "length" : "eos",
    logprob,
    mean: logprob / (tokens + 1),
    scores: [score],
    total: score,
    dropped,
    rank: score === null ? 0 : best.indexOf(score) + 1,
    label: "",
    beam: null,
  }));
}
const list = (id, parent, more) => ({
  id,
  parent,
  kind: "sampled",
  candidates: [],
  scorers: [],
  weights: [],
  spared: false,
  temperature: 0,
  cross: null,
  note: "",
  ...more,
});
export const MMI = list(20, 1, {
  candidates: candidates(SAID, 21),
  scorers: ["MMI"],
  weights: [1],
  temperature: 0.5,
});
export const TWO = {
  ...MMI,
  scorers: ["MMI", "DialogRPT"],
  weights: [1, 0.5],
  temperature: 0,
  candidates: MMI.candidates.map((one, place) => {
    const second = one.scores[0] === null ? null : 0.3 + 0.05 * place;
    return {
      ...one,
      scores: [one.scores[0], second],
      total: second === null ? null : one.scores[0] + second / 2,
    };
  }),
};
export const BEAM = list(40, 3, {
  kind: "beam",
  note: "Beam search has loaded the weights once more, in float32.",
  candidates: [
    ["I don’t think so.", 6, -7.1],
    ["I don’t think so, no.", 8, -8.9],
    ["I don’t know about that.", 7, -9.3],
    ["I’m not sure.", 5, -8.2],
  ].map(([text, tokens, logprob], place) => ({
    turn: 41 + place,
    text,
    tokens,
    stop: "eos",
    logprob,
    mean: logprob / (tokens + 1),
    scores: [],
    total: null,
    dropped: null,
    rank: 0,
    label: "",
    beam: logprob / (tokens + 1),
  })),
});
export const COMPARED = list(50, 5, {
  kind: "compared",
  candidates: [
    ["As now", "I would buy a house by the sea and a dog.", 12, -24.2],
    ["Greedy", "I would buy a house.", 6, -6.3],
    ["Wild", "I would buy seventeen accordions, a lighthouse, and silence.", 16, -71.5],
  ].map(([label, text, tokens, logprob], place) => ({
    ...BEAM.candidates[0],
    turn: 51 + place,
    text,
    tokens,
    logprob,
    mean: logprob / (tokens + 1),
    label,
    beam: null,
  })),
  cross: [
    [-18.1, null, -33.9],
    [-4.4, 0, -11.2],
    [null, null, -48.3],
  ],
});

const asked = talk(...SHORT, "And what would you do with a million?");
const picked = { settings: { seed: 7, candidates: 10 }, reply: 0, revision: null, precision: "int8" };
const turnOf = ({ id, parent, candidates }, place) => ({
  ...asked.turn_2,
  id: candidates[place].turn,
  parent,
  text: candidates[place].text,
  stop: candidates[place].stop,
  made: { ...picked, nbest: id },
});
const state = {
  ...empty,
  decider,
  rerank: RERANK,
  rerankers: RERANKERS,
  turn_1: asked.turn_1,
  turn_23: turnOf(MMI, 2),
  turn_26: turnOf(MMI, 5),
  turn_3: { ...asked.turn_3, parent: 23 },
  turn_41: turnOf(BEAM, 0),
  turn_5: { ...asked.turn_5, parent: 41 },
  nbest_20: MMI,
  nbest_40: BEAM,
  leaf: 23,
  next_id: 60,
};
const list10 = { ...running, turn: 20, parent: 1, drafts: 10 };

async function open(root, ...sections) {
  const toggle = () => root.querySelector("button[aria-label=Decide]");
  while (!toggle()) await wait(10);
  toggle().click();
  for (const name of sections)
    [...root.querySelectorAll(".dgpt-section")].find(
      (one) => one.querySelector("h3")?.textContent === name,
    ).open = true;
}
const refuse = (message) => (model) => {
  model.answer = ({ id, op, rev = 0 }) =>
    op === "rerank"
      ? model.message({ id, error: message })
      : model.message({
          id,
          ok: true,
          ...(op === "poll" ? { rev, state: {}, seq: 0, turn: null, text: "" } : {}),
        });
};

/** Several replies to the same turn: each scene is the state of a widget, and what happens after a view is mounted. */
export const scenes = {
  drafts: {
    state: { ...state, nbest_20: null, turn_23: null, leaf: 1, status: list10 },
    act: (_root, model) =>
      model.message({
        v: 1,
        seq: 1,
        turn: 20,
        text: "",
        more: SAID.map(([text], place) => [place, text.slice(0, 50)]),
      }),
  },
  ranking: {
    state: {
      ...state,
      nbest_20: null,
      turn_23: null,
      leaf: 1,
      status: { ...list10, detail: "Ranking 10 candidates by MMI" },
    },
    act: (_root, model) =>
      model.message({ v: 1, seq: 1, turn: 20, text: "", more: SAID.map(([text], place) => [place, text]) }),
  },
  decided: { state },
  decide: { state, act: (root) => open(root) },
  decidetwo: { state: { ...state, nbest_20: TWO }, act: (root) => open(root) },
  decidebeam: { state: { ...state, leaf: 41 }, act: (root) => open(root) },
  decidespared: {
    state: {
      ...state,
      nbest_20: {
        ...MMI,
        spared: true,
        temperature: 0,
        candidates: MMI.candidates.map((one) => ({ ...one, dropped: null })),
      },
    },
    act: (root) => open(root),
  },
  decidesaved: { state: { ...state, offline: 1_759_800_000 }, act: (root) => open(root) },
  decidehow: {
    state,
    act: async (root, model) => {
      refuse("temperature is from 0.0 to 100.0, not 'warm'.")(model);
      await open(root, "How to choose");
      const summary = root.querySelector("details[data-nbest] summary");
      summary.click();
      const field = root.querySelector("input[aria-label='Temperature of the draw']");
      field.value = "warm";
      field.dispatchEvent(new Event("change"));
    },
  },
  decidesides: {
    state: { ...state, leaf: 41 },
    act: async (root) => {
      await open(root, "Side by side");
      root.querySelector("details[data-nbest] summary").click();
    },
  },
  compared: { state: { ...state, leaf: 5, nbest_50: COMPARED } },
  comparedpanel: { state: { ...state, leaf: 5, nbest_50: COMPARED }, act: (root) => open(root) },
};
