import { afterEach, expect, test, vi } from "vitest";
import { more, STATE, show } from "../dev/nbest.js";
import { host, key, mount, painted, sent, turn, unmount, within } from "../dev/page.js";

vi.mock("../unpack.js", () => ({ load: async () => (await import("./decider.js")).default.attach }));

afterEach(() => unmount());

test("two versions are compared where they stand, and one is gone on with", async () => {
  await show();
  more(2, "Compare versions");
  await vi.waitFor(() => expect(turn(2).querySelector(".dgpt-side")).not.toBeNull());
  const sides = [...turn(2).querySelectorAll(".dgpt-side")];
  expect(sides.map((side) => side.querySelector("select").selectedOptions[0].textContent)).toEqual([
    "Version 1, shown",
    "Version 2",
  ]);
  expect(sides.map((side) => side.querySelector("mark").textContent)).toEqual(["helps.", "hel"]);
  const [, right] = sides;
  right.querySelector("select").value = "2";
  right.querySelector("select").dispatchEvent(new Event("change", { bubbles: true }));
  expect(sides.map((side) => side.querySelector("mark").textContent)).toEqual(["It", "No."]);
  within(right, "Go on with this one").click();
  expect(sent("select")).toEqual([expect.objectContaining({ turn: 6 })]);
  expect(host.querySelector(".dgpt-side")).toBeNull();
});

test("Escape closes the comparison", async () => {
  await show();
  more(2, "Compare versions");
  await vi.waitFor(() => expect(turn(2).querySelector(".dgpt-side")).not.toBeNull());
  key(document.activeElement, "Escape");
  expect(host.querySelector(".dgpt-side")).toBeNull();
  expect(document.activeElement).toBe(within(turn(2), "More"));
});

test("where the kernel sends no such part, its choices are not offered", async () => {
  mount({ ...STATE, decider: "" });
  await painted();
  within(turn(2), "More").click();
  expect([...host.querySelectorAll("[role=menuitem]")].map((item) => item.textContent)).toEqual([
    "Copy as Python",
    "Forget…",
  ]);
});
