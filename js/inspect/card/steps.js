/** @import { Row } from "../tokens/rows.js" */

import { FILTERS } from "../../protocol.js";
import { counted, percent } from "../tokens/names.js";

/**
 * @typedef {{name: string, count: number, ids: number[], shares: number[]}} Stage
 *
 * @typedef {object} Choice how a token was chosen; as the kernel answers `explain`
 * @property {number} chosen
 * @property {number | null} draw
 * @property {Stage[]} stages
 * @property {Record<string, number>} cut_count
 * @property {Record<string, number>} cut_mass
 * @property {number[] | null} span
 * @property {number | null} lead
 *
 * @typedef {{temperature: number, top_k: number, top_p: number, min_p: number}} Values
 * @typedef {{token: number, logprob: number}} Place
 */

const PENALTIES = ["repetition_penalty", "no_repeat_ngram", "min_new_tokens"];
const TAIL = -1; // stands for all tokens that are not known one by one

/** The last stage before temperature. @param {Choice} choice @returns {Stage} */
function penalised({ stages }) {
  const at = stages.findLastIndex(({ name }) => name === "model" || PENALTIES.includes(name));
  return /** @type {Stage} */ (stages[at]);
}

/**
 * What the same dice would do with other settings, by the tokens that are known one by one; the others are taken to
 * fall off by a power of their rank.
 *
 * @param {Choice} choice the exact one with the reply's own settings
 * @param {Place[]} known the most probable tokens of the model's own distribution
 * @param {Values} values
 * @returns {Choice}
 */
export function approximate(choice, known, values) {
  const before = penalised(choice);
  const barred = new Set(barredIn(choice, before));
  const shares = new Map(known.map(({ token, logprob }) => [token, Math.exp(logprob)]));
  before.ids.forEach((id, place) => {
    shares.set(id, before.shares[place] ?? 0);
  });
  for (const id of barred) shares.delete(id);
  const sum = [...shares.values()].reduce((one, other) => one + other, 0);
  const others = Math.max(0, before.count - shares.size);
  if (others > 0) shares.set(TAIL, Math.max(0, 1 - sum));
  const counts = new Map([[TAIL, others]]);
  const count = (/** @type {number} */ id) => counts.get(id) ?? 1;
  /** @type {[number, number][]} most probable first, the tail last */
  let left = [...shares].map(([id, share]) => [id, share ** (1 / values.temperature)]);
  const least = Math.min(...[...shares].flatMap(([id, share]) => (id === TAIL ? [] : [share])));
  if (others > 0)
    left[left.length - 1] = [TAIL, tail(shares.size - 1, others, least, 1 - sum, values.temperature)];
  left = scaled(left).sort(
    ([one, p], [other, q]) => Number(one < 0) - Number(other < 0) || q - p || one - other,
  );
  const stages = choice.stages.slice(0, choice.stages.indexOf(before) + 1);
  const cutCount = { ...choice.cut_count };
  const cutMass = { ...choice.cut_mass };
  const total = () => left.reduce((all, [id]) => all + count(id), 0);
  const add = (/** @type {string} */ name) => stages.push(stage(name, left, total()));
  add("temperature");
  const cut = (/** @type {string} */ name, /** @type {(place: number, id: number) => number} */ keep) => {
    const before = total();
    let mass = 0;
    left = left.flatMap(([id, share], place) => {
      const kept = Math.min(1, Math.max(0, keep(place, id)));
      mass += share * (1 - kept);
      if (id === TAIL) counts.set(TAIL, Math.round(others * kept));
      return kept > 0 ? [[id, share * kept]] : [];
    });
    left = scaled(left);
    cutCount[name] = before - total();
    cutMass[name] = mass;
    if (cutCount[name]) add(name);
  };
  const { top_k, top_p, min_p } = values;
  cut("top_k", (place, id) => {
    if (!top_k) return 1;
    return id === TAIL ? (top_k - place) / others : Number(place < top_k);
  });
  if (top_p < 1) {
    let sum = 0;
    const below = left.map(([, share]) => {
      sum += share;
      return sum - share;
    });
    cut("top_p", (place, id) => {
      const start = below[place] ?? 0;
      const share = left[place]?.[1] ?? 0;
      if (place === 0) return 1;
      return id === TAIL ? (top_p - start) / share : Number(start < top_p);
    });
  }
  if (min_p > 0) {
    const best = left[0]?.[1] ?? 0;
    cut("min_p", (place, id) => Number((left[place]?.[1] ?? 0) / (id < 0 ? others : 1) >= min_p * best));
  }
  add("left");
  const hit = struck(left, choice.draw ?? 0);
  return { ...choice, stages, cut_count: cutCount, cut_mass: cutMass, chosen: hit.id, span: hit.span };
}

/**
 * What the tokens beyond the known ones weigh at a temperature.
 *
 * @param {number} known how many are known @param {number} others how many are not
 * @param {number} least share of the last that is known @param {number} sum shares of the others together
 * @param {number} temperature
 */
function tail(known, others, least, sum, temperature) {
  const weight = (/** @type {number} */ power) => {
    const [from, to] = [(known + 0.5) / known, (known + others + 0.5) / known];
    const near = Math.abs(1 - power) < 1e-6;
    return known * (near ? Math.log(to / from) : (to ** (1 - power) - from ** (1 - power)) / (1 - power));
  };
  let [low, high] = [0, 50];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (least * weight(middle) > sum) low = middle;
    else high = middle;
  }
  return least ** (1 / temperature) * weight(low / temperature);
}

/** @param {Choice} choice @param {Stage} before @returns {number[]} what no-repeat or the shortest length has barred */
function barredIn({ stages, cut_count }, before) {
  const barring = (cut_count.no_repeat_ngram ?? 0) + (cut_count.min_new_tokens ?? 0);
  const last = before.shares.at(-1) ?? 0;
  const shown = new Set(before.ids);
  if (!barring) return [];
  return stages
    .slice(0, stages.indexOf(before))
    .flatMap(({ ids, shares }) =>
      ids.filter((id, place) => !shown.has(id) && (shares[place] ?? 0) > 1.01 * last),
    );
}

/** @param {[number, number][]} left @returns {[number, number][]} with shares of 1 */
function scaled(left) {
  const sum = left.reduce((all, [, share]) => all + share, 0) || 1;
  return left.map(([id, share]) => [id, share / sum]);
}

/** @param {string} name @param {[number, number][]} left @param {number} count @returns {Stage} */
function stage(name, left, count) {
  const known = left.filter(([id]) => id !== TAIL);
  return { name, count, ids: known.map(([id]) => id), shares: known.map(([, share]) => share) };
}

/** @param {[number, number][]} left @param {number} draw */
function struck(left, draw) {
  let from = 0;
  for (const [id, share] of left) {
    if (draw < from + share) return { id, span: [from, from + share] };
    from += share;
  }
  return { id: left.at(-1)?.[0] ?? TAIL, span: [from, 1] };
}

/**
 * How a token was chosen as far as its stored row tells: what was cut, exactly; of the distribution, the most probable
 * tokens. What the penalties made of it is not in there.
 *
 * @param {Row} row
 * @param {Values} values
 * @returns {Choice}
 */
export function recorded(row, values) {
  const known = row.alternatives.map(({ id, logprob, fate }) => ({ id, share: Math.exp(logprob), fate }));
  if (!known.some(({ id }) => id === row.id))
    known.push({ id: row.id, share: Math.exp(row.logprob), fate: "kept" });
  const count = row.kept + row.cutCount.reduce((all, one) => all + one, 0);
  const stages = [pick("model", count, known, (share) => share)];
  const cutCount = Object.fromEntries(FILTERS.map((name, place) => [name, row.cutCount[place] ?? 0]));
  const cutMass = Object.fromEntries(FILTERS.map((name, place) => [name, row.cutMass[place] ?? 0]));
  const own = Math.exp(row.logprob);
  const used = Math.exp(row.logprobUsed);
  const sampled = row.origin === "sampled";
  let left = known;
  let remaining = count;
  let scale = row.cutMass.reduce((all, mass) => all * (1 - mass), 1);
  const warped = (/** @type {number} */ share) =>
    Math.min(1, used * scale * (share / own) ** (1 / values.temperature));
  const plain = (/** @type {number} */ share) => Math.min(1, share);
  FILTERS.forEach((name, place) => {
    const barred = place < FILTERS.indexOf("top_k");
    if (name === "top_k" && sampled && values.temperature !== 1)
      stages.push(pick("temperature", remaining, left, warped));
    if (!cutCount[name]) return;
    left = left.filter(({ fate }) => fate === "kept" || FILTERS.indexOf(fate) > place);
    remaining -= cutCount[name] ?? 0;
    scale /= 1 - (cutMass[name] ?? 0) || 1;
    stages.push(pick(name, remaining, left, barred || !sampled ? plain : warped));
  });
  scale = 1;
  const last = pick("left", row.kept, left, sampled ? warped : plain);
  stages.push(last);
  const at = last.ids.indexOf(row.id);
  const from = last.shares.slice(0, at).reduce((all, one) => all + one, 0);
  const near = row.draw > from - 0.01 && row.draw < from + used + 0.01;
  return {
    chosen: row.id,
    draw: Number.isNaN(row.draw) ? null : row.draw,
    stages,
    cut_count: cutCount,
    cut_mass: cutMass,
    span: sampled && near ? [from, from + used] : null,
    lead: null,
  };
}

/**
 * @param {string} name @param {number} count @param {{id: number, share: number}[]} known
 * @param {(share: number) => number} share
 * @returns {Stage}
 */
function pick(name, count, known, share) {
  return { name, count, ids: known.map(({ id }) => id), shares: known.map((one) => share(one.share)) };
}

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
