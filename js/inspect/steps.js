import { counted, percent } from "./format.js";
import { PENALTIES } from "./stages.js";

/** @import { Choice, Stage, Values } from "./stages.js" */

/**
 * @typedef {object} Segment of a bar from 0 to 1
 * @property {number | "rest" | "cut"} what a token; what is left and not named; what was cut
 * @property {number} share
 *
 * @typedef {object} Step of a choice, for people
 * @property {string} name
 * @property {string} title
 * @property {string} text
 * @property {Segment[]} segments none for no picture
 * @property {number | null} [draw] where the dice fell
 * @property {number} [hit] the token that was chosen there
 */

const LEAST = 0.006; // the share that can be seen

/** @type {Record<string, (values: Record<string, any>) => string>} */
const TITLES = {
  model: () => "The model’s own distribution",
  repetition_penalty: ({ repetition_penalty }) => `Repetition penalty ${repetition_penalty}`,
  no_repeat_ngram: ({ no_repeat_ngram_size }) => `No run of ${no_repeat_ngram_size} tokens twice`,
  min_new_tokens: () => "Too short to end",
  temperature: ({ temperature }) => `Temperature ${temperature}`,
  top_k: ({ top_k }) => `Top-k ${top_k || "off"}`,
  top_p: ({ top_p }) => `Top-p ${top_p < 1 ? top_p : "off"}`,
  min_p: ({ min_p }) => `Min-p ${min_p}`,
  left: () => "What was left",
};
/** @type {Record<string, string>} */
export const FILTER_NAMES = {
  no_repeat_ngram: "no-repeat",
  min_new_tokens: "shortest length",
  top_k: "top-k",
  top_p: "top-p",
  min_p: "min-p",
};

/**
 * A choice step by step, in the order in which it was made.
 *
 * @param {Choice} choice
 * @param {Values & Record<string, any>} values
 * @param {boolean} all whether steps that changed nothing are there too
 * @returns {Step[]}
 */
export function stepsOf(choice, values, all) {
  const greedy = values.do_sample === false;
  const found = new Map(choice.stages.map((stage) => [stage.name, stage]));
  const always = all && !greedy ? ["temperature", "top_k", "top_p"] : [];
  const names = ["model", ...PENALTIES, "temperature", "top_k", "top_p", "min_p", "left"];
  /** @type {Stage | undefined} */
  let before;
  const steps = names.flatMap((name) => {
    const stage = found.get(name);
    const shown = stage ?? (always.includes(name) ? before : undefined);
    if (stage) before = stage;
    if (!shown || (greedy && name === "left")) return [];
    const mass = stage ? (choice.cut_mass[name] ?? 0) : 0;
    return [
      {
        name,
        title: TITLES[name]?.(values) ?? name,
        text: explained(name, choice, values, shown, stage !== undefined),
        segments: segmentsOf(shown, mass, choice.chosen),
      },
    ];
  });
  return [...steps, greedy ? leading(choice) : thrown(choice)];
}

/** @param {string} name @param {Choice} choice @param {Values} values @param {Stage} stage @param {boolean} active */
function explained(name, choice, values, stage, active) {
  if (name === "model") return `${counted(stage.count, "token")}, each with its probability.`;
  if (name === "left") return `${counted(stage.count, "token")}, scaled up to 100\u00a0%.`;
  if (name === "repetition_penalty") return "What the reply already holds became less probable.";
  if (name === "temperature") {
    const { temperature } = values;
    if (temperature === 1) return "1 changes nothing.";
    return temperature < 1
      ? "Below 1: the probable becomes more probable."
      : "Above 1: the improbable gets more of a chance.";
  }
  const count = choice.cut_count[name] ?? 0;
  if (!active || !count) return "Cut nothing.";
  const what = name === "no_repeat_ngram" || name === "min_new_tokens" ? "barred" : "cut";
  return `${counted(count, "token")} ${what}, together ${percent(choice.cut_mass[name] ?? 0)}.`;
}

/**
 * @param {Stage} stage @param {number} cut the share that fell away
 * @param {number} hit a token that is shown however small it is
 * @returns {Segment[]}
 */
function segmentsOf({ ids, shares }, cut, hit) {
  /** @type {Segment[]} */
  const segments = [];
  let end = 0; // of what is drawn
  let sum = 0;
  const rest = (/** @type {number} */ to) => {
    if (to - end > LEAST) segments.push({ what: "rest", share: to - end });
    end = Math.max(end, to);
  };
  ids.forEach((what, place) => {
    const share = (shares[place] ?? 0) * (1 - cut);
    if (what === hit) rest(sum);
    if (what === hit || (share >= LEAST && end === sum)) {
      segments.push({ what, share });
      end = sum + share;
    }
    sum += share;
  });
  rest(1 - cut);
  if (cut > LEAST) segments.push({ what: "cut", share: cut });
  return segments;
}

/** @param {Choice} choice @returns {Step} */
function thrown(choice) {
  const left = /** @type {Stage} */ (choice.stages.at(-1));
  const { draw, chosen } = choice;
  if (draw === null)
    return { name: "dice", title: "No dice", text: "It was put there by hand.", segments: [], hit: chosen };
  let segments = segmentsOf(left, 0, chosen);
  const at = left.ids.indexOf(chosen);
  const share = left.shares[at] ?? 0;
  if (choice.span === null && at > 0 && share > 0) {
    const ahead = segments.filter(({ what }) => what !== chosen && what !== "rest");
    const sum = ahead.reduce((all, one) => all + one.share, 0);
    const from = Math.max(sum, Math.min(draw - share / 2, 1 - share));
    segments = [...ahead, { what: "rest", share: from - sum }, { what: chosen, share }];
    segments.push({ what: "rest", share: Math.max(0, 1 - from - share) });
  }
  const text = left.count === 1 ? "Nothing else was left:" : "The tokens that were left, stacked; it fell on";
  return { name: "dice", title: `The dice: ${draw.toFixed(3)}`, text, segments, draw, hit: chosen };
}

/** @param {Choice} choice @returns {Step} */
function leading({ stages, lead, chosen }) {
  const left = /** @type {Stage} */ (stages.at(-1));
  const [first = 0, second = 0] = left.shares;
  const times = second > 0 ? first / second : 0;
  const ahead =
    lead === null
      ? ""
      : times >= 1.05
        ? ` It leads by ${lead.toFixed(2)} logits, ${ratio(times)} times the next:`
        : "";
  const close = lead !== null && times > 0 && times < 1.05 ? " It was close:" : "";
  const text = `No dice: the most probable one is taken.${ahead || close}`;
  return { name: "greedy", title: "Greedy", text, segments: segmentsOf(left, 0, chosen), hit: chosen };
}

/** @param {number} times */
function ratio(times) {
  return times < 10 ? times.toFixed(1) : String(Math.round(times));
}
