import { FORMATS, MODELS, PRECISIONS, PRESETS, SCHEMA, USUAL } from "./settings.js";

const info = {
  name: "microsoft/DialoGPT-medium",
  title: "DialoGPT-medium",
  about: "Completes text; not a person.",
  parameters: 354_823_168,
  device: "CPU, 8 threads",
  precision: "int8",
  revision: "7b40bb0f92c45fefa957d088000d8648e5c7fa33",
  positions: 1024,
  notes: [
    "In int8 its distributions are 0.012 nat from float32 on average, the same first choice at 96% of 180 places, measured on these weights.",
    "Trained on 147 million Reddit dialogues from 2005 to 2017, in English. It can be offensive, and it agrees with offensive remarks more often than with safe ones.",
  ],
};
const ready = {
  phase: "ready",
  detail: "",
  progress: null,
  turn: null,
  parent: null,
  ahead: 0,
  speed: 24.3,
};
const starters = ["Does money buy happiness?", "What did you do today?", "Tell me something I don’t know."];

const MADE = { settings: { seed: 1789, temperature: 0.6 }, reply: 0, revision: null, precision: "int8" };

export function talk(...texts) {
  const turns = {};
  texts.forEach((text, place) => {
    const id = place + 1;
    const role = place % 2 ? "assistant" : "user";
    turns[`turn_${id}`] = {
      id,
      parent: place || null,
      role,
      text,
      stop: role === "user" ? null : "eos",
      tokens: 9,
      created: 0,
      model: info.name,
      made: role === "user" ? null : MADE,
    };
  });
  return { ...turns, leaf: texts.length || null, next_id: texts.length + 1 };
}

export const SHORT = [
  "Does money buy happiness?",
  "It buys a lot of things that make it easier to be happy.",
  "Such as?",
  "Time, mostly. A warm room. Not having to say yes to everything.\n\nBut I have met people who have all of it and still count the days to the weekend, so I would not put too much weight on it.",
];
const LONG = Array.from({ length: 10 }, () => SHORT).flat();

export const empty = {
  info,
  status: ready,
  error: null,
  queue: [],
  meter: null,
  leaf: null,
  starters,
  height: null,
  settings: { ...USUAL, temperature: 0.6, seed: 7 },
  settings_schema: SCHEMA,
  presets: PRESETS,
  models: MODELS,
  precisions: PRECISIONS,
  formats: FORMATS,
  offline: null,
};
export const running = { ...ready, phase: "generating", turn: 6, parent: 5 };
const asked = talk(...SHORT, "And what would you do with a million?");

const missing = {
  kind: "network",
  title: "The model could not be downloaded.",
  message:
    "huggingface.co did not answer. Check the connection, or go on with the model that is in the package.",
  actions: [
    { label: "Try again", op: "retry", arguments: {} },
    { label: "Chat with the embedded model", op: "use_model", arguments: { model: "mini" } },
  ],
};

const press = (name) => (root) => root.querySelector(`button[aria-label="${name}"]`).click();

/** Each scene is the state of a widget, and what happens after a view has been mounted. */
export const scenes = {
  empty: { state: empty },
  fresh: {
    state: {
      ...empty,
      info: { ...info, parameters: null, device: null, precision: null, revision: null, positions: null },
      status: { ...ready, phase: "idle", speed: null },
    },
  },
  loading: {
    state: {
      ...empty,
      status: {
        ...ready,
        phase: "loading",
        detail: "Downloading the weights, 371 of 863 MB",
        progress: 0.43,
        speed: null,
      },
      queue: [{ id: "a", text: "Does money buy happiness?" }],
    },
  },
  talk: { state: { ...empty, ...talk(...SHORT) } },
  details: {
    state: { ...empty, ...talk(...SHORT) },
    act: (root) => root.querySelector(".dgpt-state").click(),
  },
  settings: { state: { ...empty, ...talk(...SHORT) }, act: press("Settings") },
  refused: {
    state: { ...empty, ...talk(...SHORT) },
    act: (root, model) => {
      model.answer = ({ id }) => model.message({ id, error: "temperature is from 0.01 to 10.0, not 99." });
      press("Settings")(root);
      const field = root.querySelector("[data-setting=temperature] .dgpt-field");
      field.value = "99";
      field.dispatchEvent(new Event("change"));
      field.focus();
    },
  },
  keep: {
    state: { ...empty, ...talk(...LONG) },
    act: (root, model) => {
      model.answer = ({ id }) =>
        model.message({ id, error: "This is no saved conversation: it is not JSON." });
      press("Keep")(root);
      root.querySelector("[data-name=conversation]").click();
    },
  },
  offline: { state: { ...empty, ...talk(...SHORT), offline: 1_759_800_000 } },
  folded: {
    state: { ...empty, ...talk(...SHORT), view: "abc" },
    act: (root, model) => {
      const output = document.createElement("div");
      output.dataset.dialogpt = "abc";
      output.append(document.createElement("p"));
      output.firstChild.textContent = SHORT.at(-1);
      root.parentElement.append(output);
      model.connect(false);
    },
  },
  thinking: { state: { ...empty, ...asked, status: running } },
  stream: {
    state: { ...empty, ...asked, status: running },
    act: (_root, model) =>
      model.message({ v: 1, seq: 1, turn: 6, text: "I would probably buy a small house" }),
  },
  queue: {
    state: {
      ...empty,
      ...asked,
      status: running,
      queue: [
        { id: "a", text: "Where would it be?" },
        {
          id: "b",
          text: "Would you invite me? I could bring a cake, and perhaps a few friends who like to sing.",
        },
      ],
    },
    act: (root, model) => {
      model.message({ v: 1, seq: 1, turn: 6, text: "I would probably buy a small house" });
      const area = root.querySelector("textarea");
      area.value = "And a garden?";
      area.dispatchEvent(new Event("input"));
    },
  },
  error: {
    state: {
      ...empty,
      status: { ...ready, phase: "error" },
      error: missing,
    },
  },
  held: {
    state: {
      ...empty,
      status: { ...ready, phase: "error" },
      error: missing,
      queue: [{ id: "a", text: "Does money buy happiness?" }],
    },
  },
  window: { state: { ...empty, ...talk(...LONG), meter: { used: 712, window: 1000, first: 39, cut: 0 } } },
  cut: {
    state: {
      ...empty,
      ...talk("A long story. ".repeat(60)),
      meter: { used: 872, window: 1000, first: 1, cut: 40 },
    },
  },
  stopped: {
    state: (() => {
      const state = { ...empty, ...talk(...SHORT) };
      state.turn_2 = { ...state.turn_2, stop: "length" };
      state.turn_4 = { ...state.turn_4, stop: "user" };
      return state;
    })(),
  },
  long: {
    state: { ...empty, ...talk(...LONG) },
    act: (root) => root.querySelector(".dgpt-log").scrollTo(0, 200),
  },
  lost: {
    state: { ...empty, ...talk(...SHORT) },
    act: (root, model) => {
      root.querySelector("textarea").value = "A draft that stays";
      model.connect(false);
    },
  },
  odd: {
    state: {
      ...empty,
      ...talk(
        '<img src=x onerror="hacked=1"><script>hacked=1</script> [click](javascript:hacked=1) https://example.org',
        "<svg onload=hacked=1> &lt;b&gt; {{7*7}} </textarea></div>",
        `${"unbroken".repeat(60)}`,
        "مرحبا، كيف حالك اليوم؟ — 你好世界 — שלום",
        "def f(x):\n    return x  # spaces   stay",
        "🙂👩‍👩‍👧‍👦 ok",
      ),
    },
  },
};
