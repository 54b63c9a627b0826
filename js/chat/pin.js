const MOMENT = 150; // milliseconds that a selection has to last before the kernel hears of it

/** The turn that the reader has selected: marked on the page, and told to the kernel once it has settled. */
export class Pin {
  /** @type {number | null} */
  turn = null;
  /** @type {number | null} */
  #told = null;
  #timer = 0;

  /** @param {(turn: number | null) => void} tell */
  constructor(tell) {
    this.tell = tell;
  }

  /** @param {number | null} turn */
  set(turn) {
    this.turn = turn;
    clearTimeout(this.#timer);
    if (turn === this.#told) return;
    this.#timer = /** @type {any} */ (
      setTimeout(() => {
        this.#told = turn;
        this.tell(turn);
      }, MOMENT)
    );
  }

  dispose() {
    clearTimeout(this.#timer);
  }
}
