import { measureOf } from "./stripmeasures.js";
import { calledAs } from "./stripunits.js";

/** @import { Rows } from "./rows.js" */
/** @import { Unit } from "./stripunits.js" */

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
