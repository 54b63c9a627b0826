import { afterEach, expect, test } from "vitest";
import {
  area,
  cleanup,
  find,
  GENERATING,
  host,
  model,
  mount,
  named,
  painted,
  sent,
  TALK,
  type,
  unmount,
} from "./dev/page.js";

let output;

/** The notebook's transcript, as far as it has been rewritten. */
function transcribe(text) {
  output ??= document.body.appendChild(document.createElement("div"));
  output.dataset.dialogpt = "abc";
  output.innerHTML = "<p>A chat</p>";
  output.append(document.createElement("p"));
  output.lastChild.textContent = `Model${text}`;
}

const shown = () => getComputedStyle(output).display !== "none";

afterEach(() => {
  unmount();
  output?.remove();
  output = undefined;
});

test("the transcript is hidden for as long as the view is alive", () => {
  transcribe("<b>No</b>");
  mount({ ...TALK, view: "abc" });
  expect(shown()).toBe(false);
  model.connect(false);
  expect(shown()).toBe(true);
  model.connect(true);
  expect(shown()).toBe(false);
  cleanup();
  expect(shown()).toBe(true);
});

test("a view without its kernel folds to one line where the transcript tells the same", () => {
  transcribe("<b>No</b>");
  mount({ ...TALK, view: "abc" });
  model.connect(false);
  expect(find("[role=log]").closest("[hidden]")).not.toBeNull();
  expect(find(".dgpt-top").hidden).toBe(true);
  expect(area().closest("[hidden]")).not.toBeNull();
  expect(find(".dgpt-notice").textContent).toBe(
    "The kernel was restarted. The conversation is kept below; run the cell again to go on.",
  );
  model.connect(true);
  expect(find("[role=log]").closest("[hidden]")).toBeNull();
  expect(find(".dgpt-top").hidden).toBe(false);
});

test("a draft stays in sight when the view folds", () => {
  transcribe("<b>No</b>");
  mount({ ...TALK, view: "abc" });
  type("draft");
  model.connect(false);
  expect(area().closest("[hidden]")).toBeNull();
  expect(area().value).toBe("draft");
});

test.each([
  ["has not caught up", "something older", {}],
  ["misses half a reply", "<b>No</b>", GENERATING],
  ["misses what waits", "<b>No</b>", { queue: [{ id: "q", kind: "message", text: "later", turn: null }] }],
])("the view stays readable where the transcript %s", (_, text, more) => {
  transcribe(text);
  mount({ ...TALK, view: "abc", ...more });
  model.connect(false);
  expect(find("[role=log]").closest("[hidden]")).toBeNull();
  expect(find(".dgpt-notice").textContent).toContain("This chat is still readable");
});

test("a saved page is read-only, asks nobody and says when it was saved", async () => {
  mount({ ...TALK, offline: Date.UTC(2026, 4, 3, 12) / 1000 });
  await painted();
  expect(host.querySelectorAll("article")).toHaveLength(2);
  expect(host.textContent).toContain("Saved 3 May 2026 · read-only");
  expect(area().closest("[hidden]")).not.toBeNull();
  expect(find(".dgpt-notice").hidden).toBe(true);
  expect(find(".dgpt-state").textContent).toBe("Saved");
  for (const name of ["Settings", "Keep"]) expect(named(name).hidden).toBe(true);
  expect(model.sent).toEqual([]);
  expect(sent("mount")).toEqual([]);
});

test("a saved page with nothing said offers no ways to begin", () => {
  mount({ offline: 1 });
  expect(find(".dgpt-start").hidden).toBe(true);
});
