import { afterEach, expect, test, vi } from "vitest";
import { alerts, more, open, STATE, section } from "../dev/nbest.js";
import { answer, mount, named, painted, sent, unmount, within } from "../dev/page.js";
import { USUAL } from "../dev/settings.js";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./decider.js")).default.attach }));

afterEach(() => unmount());

test("a message is answered side by side, with presets and one other model", async () => {
  await open();
  const sides = section("Side by side");
  const go = within(sides, "Answer side by side");
  const pressed = () => [...sides.querySelectorAll("[aria-pressed=true]")].map((one) => one.textContent);
  expect(pressed()).toEqual(["As now", "Greedy"]);
  expect(sides.textContent).toContain("“How?”");
  named("mini").click();
  named("Big").click();
  expect(pressed()).toEqual(["As now", "Greedy", "Big"]);
  named("Greedy").click();
  named("Big").click();
  expect(go.getAttribute("aria-disabled")).toBe("true");
  expect(sides.textContent).toContain("Choose two ways or more.");
  go.click();
  expect(sent("compare")).toEqual([]);
  named("Dull").click();
  named("mini").click();
  go.click();
  const [{ turn: asked, sides: chosen }] = sent("compare");
  expect(asked).toBe(3);
  expect(chosen.map(({ label, model }) => [label, model])).toEqual([
    ["As now", null],
    ["Dull", null],
    ["mini", "mini"],
  ]);
  expect(chosen[0].values).toEqual({});
  expect(chosen[1].values).toMatchObject({ temperature: 0.3, top_k: 0, do_sample: true });
  expect(chosen[1].values).not.toHaveProperty("candidates");
  await answer(sent("compare")[0], { error: "It is not loaded." });
  expect(alerts()).toBe("It is not loaded.");
});

test("where nothing was asked there is nothing to answer", async () => {
  await open({ leaf: null });
  expect(section("Side by side").textContent).toContain("There is no message to answer yet.");
  expect(within(section("Side by side"), "Answer side by side").getAttribute("aria-disabled")).toBe("true");
});

test("the menu of a message brings it in to answer side by side", async () => {
  mount({ ...STATE, nbest_7: null, settings: USUAL });
  await painted();
  expect(named("Decide")).toBeUndefined();
  more(1, "Answer side by side…");
  await vi.waitFor(() => expect(section("Side by side")?.open).toBe(true));
  expect(section("Side by side").textContent).toContain("“Does money buy happiness?”");
  expect(document.activeElement.textContent).toBe("Answer side by side");
});
