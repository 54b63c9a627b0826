import { afterEach, expect, test, vi } from "vitest";
import { COMPARED, changed, chip, open, show } from "../dev/nbest.js";
import { answer, find, host, MADE, sent, TREE, unmount, within } from "../dev/page.js";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./decider.js")).default.attach }));

afterEach(() => unmount());

test("a comparison waits below its question until one is gone on with", async () => {
  const question = { ...TREE.turn_3, id: 4, parent: 2 };
  await show({ turn_4: question, turn_3: null, leaf: 4, nbest_10: COMPARED, next_id: 13 });
  const sides = () => [...host.querySelectorAll(".dgpt-choosing .dgpt-side")];
  expect(sides().map((side) => side.querySelector("strong").textContent)).toEqual(["As now", "Greedy"]);
  expect(sides().map((side) => side.querySelector("mark").textContent)).toEqual(["and", "."]);
  within(sides()[1], "Go on with this one").click();
  expect(sent("pick")).toEqual([expect.objectContaining({ nbest: 10, place: 1 })]);
  await answer(sent("pick")[0], { error: "Not now." });
  expect(find(".dgpt-choosing [role=alert]").textContent).toBe("Not now.");
  const chosen = {
    id: 12,
    parent: 4,
    role: "assistant",
    text: "By work.",
    stop: "eos",
    model: "m",
    made: { ...MADE, nbest: 10 },
  };
  await changed({ turn_12: chosen, leaf: 12 });
  expect(sides()).toEqual([]);
  await vi.waitFor(() => expect(chip(12).textContent).toBe("Greedy"));
});

test("beside each other replies say how likely each is to the others", async () => {
  const question = { ...TREE.turn_3, id: 4, parent: 2 };
  await open({ turn_4: question, turn_3: null, leaf: 4, nbest_10: COMPARED, next_id: 13 });
  const facts = [...host.querySelectorAll(".dgpt-decide .dgpt-side")].map((side) =>
    [...side.querySelectorAll("dl > div")].map((row) => row.textContent),
  );
  expect(facts).toEqual([
    ["tokens4", "log p−22.0", "as it was drawn−3.00", "as “Greedy”could not say this"],
    ["tokens4", "log p−24.0", "as “As now”−1.50", "as it was drawn0.00"],
  ]);
});
