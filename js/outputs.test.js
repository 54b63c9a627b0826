import { afterEach, beforeEach, expect, test } from "vitest";
import { TranscriptOutput } from "./host.js";

let row;
let output;

beforeEach(() => {
  document.body.innerHTML =
    '<div class="jp-OutputArea-child"><div class="jp-OutputPrompt"></div><div class="jp-OutputArea-output">' +
    '<div data-dialogpt="abc"><p>A chat</p><p><strong>Model</strong><br>Two<br>lines [stopped]</p></div></div></div>' +
    '<div data-dialogpt="other"><p>A chat</p></div>';
  row = document.querySelector(".jp-OutputArea-child");
  output = new TranscriptOutput(document, "abc");
});

afterEach(() => output.hide(false));

const display = (element) => getComputedStyle(element).display;

test("the transcript is hidden with the whole row of its output, and only its own", () => {
  output.hide(true);
  expect(display(row)).toBe("none");
  expect(display(document.querySelector('[data-dialogpt="abc"]'))).toBe("none");
  expect(display(document.querySelector('[data-dialogpt="other"]'))).toBe("block");
  output.hide(false);
  expect(display(row)).toBe("block");
  expect(document.head.querySelector("style")).toBeNull();
});

test("two views of a chat each hide it, and it is back when both have gone", () => {
  const second = new TranscriptOutput(document, "abc");
  output.hide(true);
  output.hide(true);
  second.hide(true);
  output.hide(false);
  expect(display(row)).toBe("none");
  second.hide(false);
  expect(display(row)).toBe("block");
});

test("it is known whether it tells as much as the view", () => {
  expect(output.endsWith("Two\nlines")).toBe(true);
  expect(output.endsWith("Three")).toBe(false);
  expect(new TranscriptOutput(document, "gone").endsWith("Two")).toBe(false);
});
