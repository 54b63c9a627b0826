import { expect, test } from "vitest";
import fixture from "../fixture.json";
import { TurnTokens } from "../tokens/rows.js";
import { approximate, recorded, stepsOf } from "./steps.js";

const { answers, state } = fixture;
const [drawn, , changed] = Object.keys(answers).filter((name) => name.startsWith("explain 1 "));
const of = (name) => answers[name ?? drawn];
const values = { do_sample: true, top_k: 40, min_p: 0, ...state.turn_1.made.settings };
const index = Number(drawn.split(" ")[2]);
const known = answers[`ranked 1 ${index}`].places;
const other = Object.keys(answers).find((name) => name.includes("temperature"));
const named = (choice, name) => choice.stages.find((stage) => stage.name === name);

test("what is reckoned while a slider moves is close to what the model then says", () => {
  expect(changed).toBeUndefined();
  for (const [name, temperature] of [
    [drawn, 1.5],
    [other, 0.3],
  ]) {
    const exact = of(name);
    const close = approximate(of(drawn), known, { ...values, temperature });
    expect(close.chosen).toBe(exact.chosen);
    for (const stage of ["temperature", "left"]) {
      const [mine, theirs] = [named(close, stage), named(exact, stage)];
      expect(mine.ids.slice(0, 1)).toEqual(theirs.ids.slice(0, 1));
      expect(mine.shares[0]).toBeCloseTo(theirs.shares[0], 1);
    }
    expect(close.cut_mass.top_k).toBeCloseTo(exact.cut_mass.top_k, 1);
    expect(close.cut_count.top_k).toBe(exact.cut_count.top_k);
  }
});

test("the stored row tells of the cuts exactly, and the dice fall where they fell", () => {
  const row = new TurnTokens(state.tokens_1).rows.row(index);
  const record = recorded(row, values);
  const exact = of(drawn);
  expect(record.cut_count).toEqual(exact.cut_count);
  for (const [name, mass] of Object.entries(exact.cut_mass))
    expect(record.cut_mass[name]).toBeCloseTo(mass, 3);
  for (const name of ["model", "temperature", "top_k", "left"])
    expect(named(record, name).shares[0]).toBeCloseTo(named(exact, name).shares[0], 2);
  expect(named(record, "left").count).toBe(exact.kept);
  expect(record.span[0]).toBeCloseTo(exact.span[0], 1);
});

test("a choice is told in the order in which it was made", () => {
  const steps = stepsOf(of(drawn), values, true);
  expect(steps.map(({ name }) => name)).toEqual([
    "model",
    "min_new_tokens",
    "temperature",
    "top_k",
    "top_p",
    "left",
    "dice",
  ]);
  for (const { name, segments } of steps) {
    const sum = segments.reduce((all, { share }) => all + share, 0);
    expect(sum, name).toBeCloseTo(1, 1);
  }
  expect(steps.find(({ name }) => name === "top_k").text).toMatch(
    /^3,543 tokens cut, together [\d.]+\u00a0%\.$/,
  );
});

test("greedy has no dice: the most probable token and its lead", () => {
  const name = Object.keys(answers).find((one) => one.startsWith("explain 5 "));
  const steps = stepsOf(answers[name], { ...values, do_sample: false }, true);
  expect(steps.map((step) => step.name)).toEqual(["model", "greedy"]);
  expect(steps[1].text).toMatch(/It leads by [\d.]+ logits/);
});
