import { expect, test } from "vitest";
import { columnsOf, RANK, sharesOf, sorted, TEXT } from "./table.js";

const candidate = (text, logprob, scores, more = {}) => ({
  text,
  tokens: 3,
  logprob,
  mean: logprob === null ? null : logprob / 4,
  scores,
  total: null,
  rank: 0,
  beam: null,
  ...more,
});
const names = (list) =>
  columnsOf({ kind: "sampled", weights: list.scorers.map(() => 1), ...list }).map(({ name }) => name);

test("each scorer has a column, and the total where there are several, or weights", () => {
  const candidates = [
    candidate("a", -4, [-1.5, 0.5], { total: -0.5 }),
    candidate("b", -8, [-1, 0.1], { total: -1.9 }),
  ];
  expect(names({ candidates, scorers: ["MMI", "DialogRPT"] })).toEqual([
    "tokens",
    "log p",
    "per token",
    "MMI",
    "DialogRPT",
    "total",
  ]);
  expect(names({ candidates, scorers: ["MMI"] })).not.toContain("total");
  expect(names({ candidates, scorers: ["MMI"], weights: [2] })).toContain("total");
});

test("a scorer that says what a column says already has none of its own", () => {
  const candidates = [candidate("a", -4, [-1]), candidate("b", -8, [-2]), candidate("c", -9, [null])];
  expect(names({ candidates, scorers: ["mean log-probability"] })).toEqual(["tokens", "log p", "per token"]);
});

test("what nobody knows has no column; beams have theirs", () => {
  const candidates = [candidate("a", null, [], { beam: -0.5 })];
  expect(names({ candidates, scorers: [], kind: "beam" })).toEqual(["tokens", "beam"]);
});

test("replies are sorted by a column, those without a value last and as they were", () => {
  const [a, b, c, d] = [
    candidate("b", -2, [], { rank: 2 }),
    candidate("A", -1, [], { rank: 0 }),
    candidate("c", -3, [], { rank: 1 }),
    candidate("d", null, [], { rank: 0 }),
  ];
  const all = [a, b, c, d];
  expect(sorted(all, RANK, false)).toEqual([c, a, b, d]);
  expect(sorted(all, RANK, true)).toEqual([a, c, b, d]);
  expect(sorted(all, TEXT, false)).toEqual([b, a, c, d]);
  const [, logprob] = columnsOf({ candidates: all, kind: "sampled", scorers: [], weights: [] });
  expect(sorted(all, logprob, true)).toEqual([b, a, c, d]);
});

test("a bar says where a number lies between the lowest and the highest", () => {
  const all = [
    candidate("a", -2, []),
    candidate("b", -4, []),
    candidate("c", -3, []),
    candidate("d", null, []),
  ];
  const [, logprob] = columnsOf({ candidates: all, kind: "sampled", scorers: [], weights: [] });
  expect(all.slice(0, 3).map(sharesOf(all, logprob))).toEqual([1, 0, 0.5]);
  const same = [candidate("a", -2, []), candidate("b", -2, [])];
  expect(same.map(sharesOf(same, logprob))).toEqual([1, 1]);
});
