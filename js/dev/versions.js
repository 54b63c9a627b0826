import { decider } from "./deciding.js";
import { empty, running, SHORT, talk } from "./scenes.js";

const asked = talk(...SHORT);
const other = (id, parent, text, more = {}) => ({
  [`turn_${id}`]: { ...asked.turn_2, id, parent, text, ...more },
});

/** Three versions of the first reply, of which one was cut off and one is written by hand. */
const state = {
  ...empty,
  ...asked,
  decider,
  ...other(5, 1, "It buys a lot of things that people take for happiness, and some of them are even warm.", {
    stop: "length",
  }),
  ...other(6, 1, "No.", { made: null, stop: null }),
  next_id: 8,
  can_undo: true,
};
const second = { ...state, leaf: 5 };
const rewritten = { ...state, leaf: 6 };

const act = (root, place, name) => {
  const turn = root.querySelectorAll("article")[place];
  turn.querySelector(`[data-act=${name}]`).click();
  return turn;
};
const choose = (root, label) =>
  [...root.querySelectorAll("[role=menuitem]")].find((item) => item.textContent === label).click();

/** What can be done with turns: each scene is the state of a widget, and what happens after a view is mounted. */
export const scenes = {
  versions: { state },
  cutoff: { state: second },
  byhand: { state: rewritten },
  hover: { state, act: (root) => root.querySelectorAll("article")[1].focus() },
  edit: { state, act: (root) => act(root, 2, "edit") },
  editreply: {
    state,
    act: (root, model) => {
      model.answer = ({ id }) =>
        model.message({ id, error: "This needs the model, which is not loaded yet: try again when it is." });
      const turn = act(root, 1, "edit");
      const area = turn.querySelector("textarea");
      area.value += "\nAnd some that make it harder.";
      area.dispatchEvent(new Event("input", { bubbles: true }));
      [...turn.querySelectorAll("button")].find((one) => one.textContent === "Save").click();
    },
  },
  menu: { state, act: (root) => act(root, 1, "more") },
  menulast: { state, act: (root) => act(root, 3, "more") },
  compare: {
    state,
    act: (root) => {
      act(root, 1, "more");
      choose(root, "Compare versions");
    },
  },
  forget: {
    state,
    act: (root) => {
      act(root, 1, "more");
      choose(root, "Forget…");
    },
  },
  elsewhere: { state: { ...state, status: { ...running, turn: 7, parent: 1 } } },
  running: { state: { ...state, leaf: 1, status: { ...running, turn: 7, parent: 1 } } },
  cleared: { state: { ...state, leaf: null } },
  find: {
    state,
    act: (root) => {
      root.querySelector("button[aria-label=Find]").click();
      const field = root.querySelector(".dgpt-find input");
      field.value = "to";
      field.dispatchEvent(new Event("input"));
    },
  },
  waiting: {
    state: {
      ...state,
      leaf: 1,
      status: { ...running, turn: 7, parent: 1 },
      queue: [
        { id: "a", kind: "message", text: "And then?", turn: null },
        { id: "b", kind: "regenerate", text: SHORT[2], turn: 3 },
        { id: "c", kind: "edit", text: "Does love?", turn: 1 },
        { id: "d", kind: "continue", text: "It buys a lot of things", turn: 5 },
      ],
    },
  },
};
