/** @import { Cell } from "./stripcells.js" */
/** @import { StripTurn } from "./stripturn.js" */

/** @typedef {{turn: StripTurn, place: number}} Spot */

/**
 * Where a key leads to from a cell.
 *
 * @param {string} key @param {Spot} spot @param {StripTurn[]} order
 * @returns {Spot | null | undefined} null where it leads nowhere by itself, undefined at an end
 */
export function walk(key, spot, order) {
  const { turn, place } = spot;
  const at = order.indexOf(turn);
  const after = () => edge(order, at + 1, 1);
  const before = (last = true) => edge(order, at - 1, -1, last);
  switch (key) {
    case "ArrowRight":
      return place + 1 < turn.units.length ? { turn, place: place + 1 } : after();
    case "ArrowLeft":
      return place > 0 ? { turn, place: place - 1 } : before();
    case "ArrowDown":
      return line(spot, 1) ?? after();
    case "ArrowUp":
      return line(spot, -1) ?? before();
    case "PageDown":
      return after();
    case "PageUp":
      return place > 0 ? { turn, place: 0 } : before(false);
    case "Home":
      return edge(order, 0, 1);
    case "End":
      return edge(order, order.length - 1, -1);
    default:
      return null;
  }
}

/** The first or last cell of the next turn that has any.
 * @param {StripTurn[]} order @param {number} from @param {1 | -1} by @param {boolean} [last] @returns {Spot | undefined} */
function edge(order, from, by, last = by < 0) {
  for (let to = from; order[to]; to += by) {
    const turn = /** @type {StripTurn} */ (order[to]);
    const units = turn.known() && turn.units.length;
    if (units) return { turn, place: last ? units - 1 : 0 };
  }
}

/** The nearest cell of the line above or below, in the same turn. @param {Spot} spot @param {1 | -1} by */
function line({ turn, place }, by) {
  const list = turn.cells?.list ?? [];
  const from = list[place];
  if (!from) return undefined;
  const middle = from.offsetLeft + from.offsetWidth / 2;
  let best = -1;
  let line = -1;
  let apart = Number.POSITIVE_INFINITY;
  for (let to = place + by; list[to]; to += by) {
    const { offsetTop, offsetLeft, offsetWidth } = /** @type {Cell} */ (list[to]);
    if (offsetTop === from.offsetTop) continue;
    if (line < 0) line = offsetTop;
    if (offsetTop !== line) break;
    const distance = Math.abs(offsetLeft + offsetWidth / 2 - middle);
    if (distance < apart) [best, apart] = [to, distance];
  }
  return best < 0 ? undefined : { turn, place: best };
}

/**
 * The next cell that surprised the model.
 *
 * @param {StripTurn[]} order @param {Spot | null} spot @param {boolean} chosen whether the reader is at the spot
 * @param {1 | -1} by @returns {Spot | undefined}
 */
export function surprise(order, spot, chosen, by) {
  for (let at = spot ? order.indexOf(spot.turn) : by > 0 ? 0 : order.length - 1; order[at]; at += by) {
    const turn = /** @type {StripTurn} */ (order[at]);
    if (!turn.known()?.rows.full || !turn.cells) continue;
    const from = chosen && spot && turn === spot.turn ? spot.place + by : by > 0 ? 0 : turn.units.length - 1;
    const place = turn.cells.surprise(from, by);
    if (place >= 0) return { turn, place };
  }
}
