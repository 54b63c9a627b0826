/** @import { StripTurn } from "./stripturn.js" */
/** @import { Measure } from "./stripmeasures.js" */

/** Colours a strip anew: what is in sight at once, the rest in the frames after it. */
export class Colouring {
  #frame = 0;

  /**
   * @param {HTMLElement} scroller @param {StripTurn[]} turns @param {Measure} measure
   * @param {() => void} done
   */
  start(scroller, turns, measure, done) {
    this.stop();
    const { top, bottom } = scroller.getBoundingClientRect();
    const lots = turns.flatMap((turn) => turn.lots(measure));
    const seen = lots.filter((lot) => lot.bottom >= top && lot.top <= bottom);
    const rest = lots.filter((lot) => !seen.includes(lot));
    for (const lot of seen) lot.colour();
    const next = () => {
      rest.shift()?.colour();
      if (rest.length > 0) this.#frame = requestAnimationFrame(next);
      else done();
    };
    this.#frame = requestAnimationFrame(next);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }
}
