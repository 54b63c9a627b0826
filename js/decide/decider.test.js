import { afterEach, expect, test, vi } from "vitest";
import { changed, chip, LIST, STATE, show } from "../dev/nbest.js";
import {
  find,
  host,
  model,
  mount,
  named,
  painted,
  READY,
  scrolled,
  TREE,
  turn,
  unmount,
} from "../dev/page.js";
import { USUAL } from "../dev/settings.js";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./decider.js")).default.attach }));

afterEach(() => unmount());

test("it comes only where replies are chosen among several", async () => {
  mount({ ...TREE, decider: "code", settings: USUAL });
  await painted();
  expect(named("Decide")).toBeUndefined();
  await changed({ settings: { ...USUAL, num_beams: 4 } });
  await vi.waitFor(() => expect(named("Decide")).toBeDefined());
});

test("a reply says where it stood, and leads to its list", async () => {
  await show();
  await vi.waitFor(() => expect(chip()).not.toBeNull());
  expect(chip().textContent).toBe("2nd of 4 by MMI");
  expect(chip(4)).toBeNull();
  chip().click();
  expect(find(".dgpt-title[id]").textContent).toBe("Decide");
  expect(document.activeElement).toBe(find("[data-nbest='7'] summary"));
});

test("the way to the list is a stop of the Tab key where the turn is, and goes with what is out of sight", async () => {
  await show();
  expect(chip().tabIndex).toBe(-1);
  turn(2).focus();
  expect(chip().tabIndex).toBe(0);
  turn(4).focus();
  expect(chip().tabIndex).toBe(-1);
  scrolled(turn(2).parentElement, false);
  expect(chip()).toBeNull();
  scrolled(turn(2).parentElement, true);
  expect(chip()).not.toBeNull();
});

test("while they are made, replies grow line by line, and the one that is chosen takes their place", async () => {
  await show({ turn_2: null, turn_5: null, turn_6: null, nbest_7: null, leaf: 1 });
  await changed({ status: { ...READY, phase: "generating", turn: 7, parent: 1, drafts: 2 } });
  expect(find(".dgpt-drafts")).toBeNull();
  expect(find("[role=status]").textContent).toBe("generating");
  model.message({ v: 1, seq: 1, turn: 7, text: "", more: [[1, "Hard"]] });
  await painted();
  const lines = () => [...host.querySelectorAll(".dgpt-drafts li")].map((line) => line.textContent);
  expect(lines()).toEqual(["1", "2Hard"]);
  model.message({
    v: 1,
    seq: 2,
    turn: 7,
    text: "",
    more: [
      [0, "It helps."],
      [1, "ly."],
    ],
  });
  await painted();
  expect(lines()).toEqual(["1It helps.", "2Hardly."]);
  expect(find(".dgpt-drafts").closest("[aria-live]").getAttribute("aria-live")).toBe("off");
  await changed({
    status: {
      ...READY,
      phase: "generating",
      turn: 7,
      parent: 1,
      drafts: 2,
      detail: "Ranking 2 candidates by MMI",
    },
  });
  expect(turn(7).textContent).toContain("Ranking 2 candidates by MMI");
  await changed({ status: READY, turn_2: STATE.turn_2, nbest_7: LIST, leaf: 2 });
  expect(find(".dgpt-drafts")).toBeNull();
  expect(turn(7)).toBeNull();
  expect(turn(2).querySelector(".dgpt-text").textContent).toBe("It helps.");
  expect(find("[role=status]").textContent).toBe("It helps.");
});
