import { afterEach, expect, test, vi } from "vitest";
import { alerts, changed, chip, LIST, open, reply, rows, said, section } from "../dev/nbest.js";
import { answer, find, host, MADE, model, painted, sent, turn, unmount } from "../dev/page.js";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./decider.js")).default.attach }));

afterEach(() => unmount());

test("a list that was ranked again is shown as it is now", async () => {
  await open();
  const candidates = LIST.candidates.map((one, place) => ({
    ...one,
    rank: place === 0 ? 1 : one.rank && one.rank + 1,
  }));
  await changed({ nbest_7: { ...LIST, candidates, scorers: ["DialogRPT"] } });
  expect(chip().textContent).toBe("1st of 4 by DialogRPT");
  expect(said()[0]).toBe("It helps.");
  await changed({ nbest_7: null });
  expect(chip()).toBeNull();
  expect(rows()).toEqual([]);
});

test("the replies stand in a table by rank, what was dropped last and why", async () => {
  await open();
  expect(find(".dgpt-nbest caption").textContent).toBe("Does money buy happiness?");
  expect(said()).toEqual(["Hardly.", "It helps.", "It hel", "Does money?"]);
  expect(rows().map((row) => row.querySelector("th").textContent)).toEqual(["1", "2", "3", "–"]);
  expect(rows()[3].textContent).toContain("dropped: echoes the user");
  expect(rows()[3].hasAttribute("data-dropped")).toBe(true);
  expect(rows().map((row) => row.querySelector(".dgpt-tag")?.textContent)).toEqual([
    undefined,
    "✓ chosen",
    "version",
    undefined,
  ]);
  const numbers = [...rows()[1].querySelectorAll("tr:last-child td")].map((one) => one.textContent);
  expect(numbers).toEqual(["4", "−4.00", "−1.00", "−2.00"]);
});

test("its heads sort it", async () => {
  await open();
  const head = (name) =>
    [...host.querySelectorAll(".dgpt-nbest th[scope=col]")].find((one) => one.textContent === name);
  expect(head("#").getAttribute("aria-sort")).toBe("ascending");
  head("log p").querySelector("button").click();
  expect(head("#").hasAttribute("aria-sort")).toBe(false);
  expect(head("log p").getAttribute("aria-sort")).toBe("descending");
  expect(said()).toEqual(["It helps.", "It hel", "Does money?", "Hardly."]);
  head("log p").querySelector("button").click();
  expect(head("log p").getAttribute("aria-sort")).toBe("ascending");
  expect(said()[0]).toBe("Hardly.");
  head("Reply").querySelector("button").click();
  expect(said()).toEqual(["Does money?", "Hardly.", "It hel", "It helps."]);
});

test("a reply is picked by its place, and a refusal is told there", async () => {
  await open();
  rows()[0].querySelector("button").click();
  expect(sent("pick")).toEqual([expect.objectContaining({ nbest: 7, place: 2 })]);
  await answer(sent("pick")[0], { error: "A reply is being said." });
  expect(alerts()).toBe("A reply is being said.");
  rows()[0].querySelector("tr:last-child td").click();
  expect(sent("pick")).toHaveLength(2);
  await answer(sent("pick")[1]);
  expect(alerts()).toBe("");
  expect(find("[role=status]").textContent).toBe("Chosen: Hardly.");
  const chosen = {
    id: 9,
    parent: 1,
    role: "assistant",
    text: "Hardly.",
    stop: "eos",
    model: "m",
    made: { ...MADE, nbest: 7 },
  };
  await changed({ turn_9: chosen, leaf: 9 });
  expect(rows().map((row) => row.querySelector(".dgpt-tag")?.textContent)).toEqual([
    "✓ chosen",
    "version",
    "version",
    undefined,
  ]);
});

test("without a kernel the table stays, and what is in the tree can be gone to", async () => {
  await open({ offline: 1_759_800_000 });
  expect(said()).toHaveLength(4);
  expect(section("How to choose").hidden).toBe(true);
  expect(section("Side by side").hidden).toBe(true);
  expect(rows().map((row) => row.querySelector("button") !== null)).toEqual([false, true, true, false]);
  rows()[2].querySelector("button").click();
  await painted();
  expect(turn(5)).not.toBeNull();
  expect(model.sent).toEqual([]);
});

test("of the lists of the path one is unfolded, the newest first", async () => {
  const later = { ...LIST, id: 20, parent: 3, candidates: [reply(4, "Slowly.", 1)] };
  await open({ nbest_20: later, next_id: 30 });
  const lists = () => [...host.querySelectorAll("[data-nbest]")];
  expect(lists().map((one) => [one.dataset.nbest, one.open])).toEqual([
    ["20", true],
    ["7", false],
  ]);
  expect(said()).toEqual(["Slowly."]);
  chip().click();
  expect(lists().map((one) => one.open)).toEqual([false, true]);
  await changed({ leaf: 2 });
  expect(lists().map((one) => one.dataset.nbest)).toEqual(["7"]);
});
