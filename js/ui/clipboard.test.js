import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { copyText } from "./clipboard.js";

let near;
let copied;

beforeEach(() => {
  near = document.createElement("div");
  document.body.append(near);
  document.execCommand = vi.fn(() => {
    copied = near.querySelector("textarea")?.value;
    return true;
  });
});

afterEach(() => {
  near.remove();
  vi.unstubAllGlobals();
});

test("a secure page uses the clipboard", async () => {
  const writeText = vi.fn(async () => {});
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", { clipboard: { writeText } });
  expect(await copyText("hi", near)).toBe(true);
  expect(writeText).toHaveBeenCalledWith("hi");
  expect(document.execCommand).not.toHaveBeenCalled();
});

test("a page on plain http copies by command and leaves nothing behind", async () => {
  vi.stubGlobal("isSecureContext", false);
  expect(await copyText("line\nline", near)).toBe(true);
  expect(copied).toBe("line\nline");
  expect(near.childElementCount).toBe(0);
});

test("a frame that may not use the clipboard copies by command", async () => {
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("navigator", { clipboard: { writeText: () => Promise.reject(new Error("denied")) } });
  expect(await copyText("hi", near)).toBe(true);
  expect(copied).toBe("hi");
});

test("a failure is told", async () => {
  vi.stubGlobal("isSecureContext", false);
  document.execCommand = () => false;
  expect(await copyText("hi", near)).toBe(false);
});
