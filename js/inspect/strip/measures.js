/** @import { Rows } from "../tokens/rows.js" */
/** @import { Unit } from "./glyphs.js" */

import { ORIGINS } from "../../protocol.js";
import { h, unique } from "../../ui/dom.js";
import { grouped, percent } from "../tokens/names.js";
import { calledAs } from "./glyphs.js";

export const LEVELS = 7;
const UNKNOWN = -1;
export const SURPRISING = 4; // bits: what had a chance of less than one in sixteen

/**
 * @typedef {object} Measure what the strip is coloured by
 * @property {string} label
 * @property {(rows: Rows, unit: Unit) => number} of NaN where it is not known
 * @property {readonly number[]} steps the values at which the next level begins, as many as levels less one
 * @property {string[]} legend what each level stands for
 * @property {number} from which level the legend begins with
 * @property {(value: number) => string} words
 */

/** @param {Rows} rows @param {Unit} unit @param {(index: number) => number} read @returns {number} the sum */
function sum(rows, { first, count }, read) {
  let total = 0;
  for (let index = first; index < Math.min(first + count, rows.length); index++) total += read(index);
  return total;
}

/** Bits, of a unit together. @param {Rows} rows @param {Unit} unit */
const bitsOf = (rows, unit) => sum(rows, unit, (index) => rows.bits(index));

/** @param {number} value */
export const short = (value) => {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return "–";
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
};

const BITS = [1, 2, 4, 6, 8, 11];
const ENTROPIES = [0.5, 1, 2, 3, 5, 7];

/** @param {readonly number[]} steps @param {string} unit @returns {string[]} */
const ranges = (steps, unit) => [
  `<${steps[0]}`,
  ...steps.slice(1).map((to, at) => `${steps[at]}–${to}`),
  `≥${steps.at(-1)} ${unit}`,
];

/** @type {Record<string, Measure>} */
const FIXED = {
  bits: {
    label: "Surprisal",
    of: bitsOf,
    steps: BITS,
    legend: ranges(BITS, "bits"),
    from: 0,
    words: (value) => `${short(value)} bits`,
  },
  chance: {
    label: "Probability",
    of: (rows, unit) => -(2 ** -bitsOf(rows, unit)), // less is more
    steps: [-0.5, -0.25, -0.05, -0.01, -0.001, -0.0001],
    legend: [">50", "25–50", "5–25", "1–5", "0.1–1", "0.01–0.1", "<0.01 %"],
    from: 0,
    words: (value) => percent(-value),
  },
  rank: {
    label: "Rank",
    of: (rows, { first, count }) =>
      Math.max(...Array.from({ length: count }, (_, more) => rows.field(first + more, "rank"))),
    steps: [2, 3, 6, 21, 101, 1001],
    legend: ["1st", "2nd", "3–5", "6–20", "21–100", "101–1000", ">1000"],
    from: 0,
    words: (value) => `rank ${grouped(value)}`,
  },
  entropy: {
    label: "Entropy",
    of: (rows, unit) => rows.field(unit.first, "entropy") / Math.LN2,
    steps: ENTROPIES,
    legend: ranges(ENTROPIES, "bits"),
    from: 0,
    words: (value) => `${short(value)} bits of entropy`,
  },
  time: {
    label: "Time",
    of: (rows, unit) => sum(rows, unit, (index) => rows.field(index, "ms")),
    steps: [],
    legend: [],
    from: 0,
    words: (value) => `${short(value)} ms`,
  },
  origin: {
    label: "Origin",
    of: (rows, unit) => ORIGINS.indexOf(rows.origin(unit.first)) || Number.NaN,
    steps: [1, 2, 3],
    legend: ["drawn", "most probable", "put there by hand"],
    from: 1,
    words: (value) => ["", "drawn", "most probable", "put there by hand"][value] ?? "",
  },
};

/** @typedef {keyof typeof FIXED & string} Kind */
const KINDS = Object.keys(FIXED);

/**
 * @param {string} kind
 * @param {number[]} [times] milliseconds, which say what is long here
 * @returns {Measure}
 */
export function measureOf(kind, times = []) {
  const measure = /** @type {Measure} */ (FIXED[kind] ?? FIXED.bits);
  if (kind !== "time") return measure;
  const known = times.filter((time) => time > 0).sort((a, b) => a - b);
  const step = round((known[Math.floor(known.length * 0.95)] ?? 10) / (LEVELS - 1));
  const steps = Array.from({ length: LEVELS - 1 }, (_, at) => Number((step * (at + 1)).toPrecision(3)));
  return { ...measure, steps, legend: ranges(steps, "ms") };
}

/** The next number upwards that people count in. @param {number} value */
function round(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((one) => one * unit >= value) ?? 10) * unit;
}

/** @param {Measure} measure @param {number} value @returns {number} from 0, or UNKNOWN */
export function levelOf({ steps }, value) {
  if (Number.isNaN(value)) return UNKNOWN;
  let level = 0;
  while (level < steps.length && value >= /** @type {number} */ (steps[level])) level++;
  return level;
}

/** What a strip is coloured by, and what the colours mean. */
export class Legend {
  /** @type {Measure} */
  measure = measureOf("bits");

  /** @param {() => number[]} times milliseconds of the tokens at hand @param {() => void} changed */
  constructor(times, changed) {
    const id = unique();
    this.select = h(
      "select",
      "dgpt-button dgpt-plain",
      { id },
      ...KINDS.map((kind) => h("option", "", { value: kind }, measureOf(kind).label)),
    );
    this.scale = h("ul", "dgpt-legend", { "aria-label": "What the colours mean" });
    this.element = h("div", "dgpt-row", {}, h("label", "", { for: id }, "Colour by"), this.select);
    this.select.addEventListener("change", () => {
      this.measure = measureOf(this.select.value, this.select.value === "time" ? times() : []);
      this.#show();
      changed();
    });
    this.#show();
  }

  #show() {
    const { legend, from } = this.measure;
    this.scale.replaceChildren(
      ...legend.map((words, place) => h("li", className(place + from), {}, words)),
      h("li", className(-1), {}, "given, not scored"),
    );
  }
}

/** Of a cell. @param {number} level below 0 where it has none */
export const className = (level) =>
  `dgpt-cell${level > 0 ? ` dgpt-l${level}` : level < 0 ? " dgpt-given" : ""}`;

/** What is known of a unit, in a line. @param {Rows} rows @param {Unit} unit */
export function wordsOf(rows, unit) {
  const ids = Array.from({ length: unit.count }, (_, more) => rows.id(unit.first + more));
  const what = `${calledAs(unit)}, ${ids.length > 1 ? "ids" : "id"} ${ids.join(" + ")}`;
  const known = ["chance", "bits", "rank", "entropy", "time", "origin"].flatMap((kind) => {
    const measure = measureOf(kind);
    const value = measure.of(rows, unit);
    return Number.isNaN(value) ? [] : [measure.words(value)];
  });
  const scored = !Number.isNaN(rows.bits(unit.first));
  return `${what}: ${scored ? known.join(", ") : "given, not scored"}`;
}
