import { afterEach, expect, test, vi } from "vitest";
import { shareRow } from "./drawer.js";

const settled = () => new Promise((resolve) => setTimeout(resolve));

function shown(request) {
  const row = shareRow({ request });
  document.body.append(row);
  return row;
}

afterEach(() => {
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

test("the chat is copied as a call that can be pasted into a cell", async () => {
  document.execCommand = vi.fn(() => true);
  const row = shown(async (op) => (op === "share" ? { text: "dialogpt-1:abc" } : {}));
  const areas = [];
  const append = HTMLElement.prototype.append;
  vi.spyOn(HTMLElement.prototype, "append").mockImplementation(function (...parts) {
    areas.push(...parts.filter((part) => part.tagName === "TEXTAREA"));
    return append.apply(this, parts);
  });
  row.querySelector("button").click();
  await settled();
  expect(areas.map((area) => area.value)).toEqual(['ChatWidget.open("dialogpt-1:abc")']);
  expect(row.querySelector("[aria-live]").textContent).toBe("Copied, 1 kB: paste it into a cell.");
});

test("what cannot be shared or copied is said where it was asked for", async () => {
  const refused = shown(() => Promise.reject(new Error("The model is not loaded yet.")));
  refused.querySelector("button").click();
  await settled();
  expect(refused.querySelector("[aria-live]").textContent).toBe("The model is not loaded yet.");
  document.execCommand = vi.fn(() => false);
  const forbidden = shown(async () => ({ text: "x" }));
  forbidden.querySelector("button").click();
  await settled();
  expect(forbidden.querySelector("[aria-live]").textContent).toContain("chat.share()");
});
