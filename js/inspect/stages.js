import { FILTERS } from "./rows.js";

/** @import { Row } from "./rows.js" */

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

export const PENALTIES = ["repetition_penalty", "no_repeat_ngram", "min_new_tokens"];
const TAIL = -1; // stands for all tokens that are not known one by one

/** The last stage before temperature. @param {Choice} choice @returns {Stage} */
export function penalised({ stages }) {
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
