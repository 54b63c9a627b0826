/** @import { Decider } from "../decide/decider.js" */
/** @import { LazyPart } from "../lazy.js" */
/** @import { Answer, Op, Turn } from "../protocol.js" */
/** @import { State } from "../state.js" */
/** @import { Choice } from "../ui/menu.js" */
/** @import { Act } from "./actions.js" */
/** @import { TurnView } from "./turn.js" */

import { copyText } from "../ui/clipboard.js";
import { Menu } from "../ui/menu.js";
import { byHand } from "./actions.js";
import { ConfirmInset, Editor, question } from "./insets.js";

/**
 * How a reply was made, as terms and what they are: the model, its precision, the dice, and the settings that differ
 * from the default. Nothing for a message.
 *
 * @param {Turn} turn
 * @returns {[string, string][]}
 */
function howMade(turn) {
  if (byHand(turn)) return [["Origin", "not generated here"]];
  if (!turn.made) return [];
  const { settings, reply, precision } = turn.made;
  const { seed, ...others } = settings;
  return [
    ["Model", turn.model.split("/").at(-1) ?? turn.model],
    ["Precision", precision],
    ["Dice", `seed ${seed}, reply ${reply}`],
    ...Object.entries(others).map(([name, value]) => /** @type {[string, string]} */ ([name, String(value)])),
  ];
}

/**
 * @typedef {object} Hooks
 * @property {(op: Op, args: Record<string, unknown>) => Promise<Answer>} ask rejects with the kernel's own words
 * @property {(id: number) => Promise<boolean>} select goes to another version; tells whether it could
 * @property {(text: string) => void} say tells a screen reader
 * @property {(text: string) => void} complain says why something was not done
 * @property {LazyPart<Decider>} decider shows replies beside each other
 */

/** Does what the buttons of a turn offer. */
export class TurnCommands {
  menu = new Menu();
  /** @type {Map<number, string>} what was written instead of a turn and not given up */
  #drafts = new Map();

  /** @param {Hooks} hooks @param {(view: TurnView) => void} opened told when something stands in a turn */
  constructor(hooks, opened) {
    this.hooks = hooks;
    this.opened = opened;
  }

  /** @param {Act} act @param {TurnView} view @param {Turn} turn @param {State} state @param {boolean} live */
  do(act, view, turn, state, live) {
    if (act === "copy") this.#copy(view, "copy", view.node.data);
    else if (act === "edit") this.edit(view, turn);
    else if (act === "more") this.#more(view, turn, state, live);
    else this.#answer(act, turn);
  }

  /** Opens an editor in a turn. @param {TurnView} view @param {Turn} turn @param {string} [draft] */
  edit(view, turn, draft = this.#drafts.get(turn.id)) {
    const editor = new Editor(turn.role === "user" ? "Edit message" : "Edit reply", turn.text, {
      save: (text) => this.hooks.ask("edit", { turn: turn.id, text }),
      close: () => {
        this.#drafts.delete(turn.id);
        view.put(null);
        view.focus("edit");
      },
    });
    if (draft !== undefined) editor.draft.text = draft;
    editor.element.addEventListener("input", () => this.#drafts.set(turn.id, editor.draft.text));
    this.open(view, editor, true);
  }

  /** @param {"regenerate" | "continue"} op @param {Turn} turn */
  async #answer(op, turn) {
    try {
      await this.hooks.ask(op, { turn: turn.id });
    } catch (error) {
      this.hooks.complain(/** @type {Error} */ (error).message);
    }
  }

  /** @param {TurnView} view @param {Act} act the button that tells how it went @param {string} text */
  async #copy(view, act, text) {
    const copied = await copyText(text, view.element);
    const words = copied ? "Copied" : "Copying failed";
    view.actions?.report(act, copied, words);
    this.hooks.say(words);
  }

  /** @param {TurnView} view @param {Turn} turn @param {State} state @param {boolean} live */
  #more(view, turn, state, live) {
    const versions = state.tree.children(turn.parent);
    /** @type {Choice[]} */
    const choices = [];
    if (live && turn.made) choices.push({ label: "Copy as Python", act: () => this.#code(view, turn) });
    const { decider } = this.hooks;
    const deciding = (/** @type {(part: Decider) => void} */ act) => async () => {
      const part = await decider.bring();
      if (part) act(part);
      else this.hooks.complain("This page does not let it run.");
    };
    if (versions.length > 1 && decider.code)
      choices.push({ label: "Compare versions", act: deciding((part) => part.compare(view, turn)) });
    if (live && turn.role === "user" && decider.code)
      choices.push({ label: "Answer side by side…", act: deciding((part) => part.beside(turn)) });
    if (live) choices.push({ label: "Forget…", act: () => this.#forget(view, turn, state), grave: true });
    const anchor = view.actions?.find("more");
    if (anchor) this.menu.toggle(anchor, howMade(turn), choices);
  }

  /** @param {TurnView} view @param {Turn} turn */
  async #code(view, turn) {
    try {
      const { text } = await this.hooks.ask("code", { turn: turn.id });
      await this.#copy(view, "more", text);
    } catch (error) {
      this.hooks.complain(/** @type {Error} */ (error).message);
    }
  }

  /** @param {TurnView} view @param {Turn} turn @param {State} state */
  #forget(view, turn, state) {
    const asking = new ConfirmInset(question(state.tree.below(turn.id)), "Forget", {
      act: () => this.hooks.ask("forget", { turn: turn.id }),
      close: () => {
        view.put(null);
        view.focus("more");
      },
    });
    this.open(view, asking, false);
  }

  /** Puts something in a turn. @param {TurnView} view
   * @param {{element: HTMLElement, focus: () => void}} inset @param {boolean} instead of its text */
  open(view, inset, instead) {
    view.put(inset.element, instead);
    this.opened(view);
    inset.focus();
  }
}
