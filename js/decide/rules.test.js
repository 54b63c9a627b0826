import { afterEach, expect, test, vi } from "vitest";
import { alerts, change, control, open, section } from "../dev/nbest.js";
import { answer, find, host, painted, sent, unmount, within } from "../dev/page.js";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./decider.js")).default.attach }));

afterEach(() => unmount());

test("how to choose is asked for by name, and what is refused goes back", async () => {
  await open();
  section("How to choose").open = true;
  expect(control("Scorer").value).toBe("mmi");
  expect(section("How to choose").textContent).toContain("A backward model.");
  change(control("Scorer"), "mean");
  change(control("Temperature of the draw"), "0,5");
  change(control("Words that drop a reply"), " damn, , hell ");
  const [echo] = host.querySelectorAll(".dgpt-decide [type=checkbox]");
  expect(echo.checked).toBe(false);
  echo.click();
  expect(sent("rerank").map(({ values }) => values)).toEqual([
    { name: "mean" },
    { temperature: 0.5 },
    { words: ["damn", "hell"] },
    { echo: true },
  ]);
  await answer(sent("rerank")[0], { error: "No such scorer." });
  expect(alerts()).toBe("No such scorer.");
  expect(control("Scorer").value).toBe("mmi");
});

test("the list that is unfolded is ranked again", async () => {
  await open();
  within(section("How to choose"), "Rank again").click();
  expect(sent("rank")).toEqual([expect.objectContaining({ nbest: 7 })]);
  await answer(sent("rank")[0], { error: "The ranker could not be loaded." });
  expect(alerts()).toBe("The ranker could not be loaded.");
  find("[data-nbest='7']").open = false;
  await painted();
  expect(within(section("How to choose"), "Rank again").hidden).toBe(true);
});
