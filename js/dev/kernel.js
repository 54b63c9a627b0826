import { FakeModel } from "./model.js";

const WORDS = "I think it can buy a kind of comfort, but not the people you want to share it with.".split(
  /(?= )/,
);

/** A kernel that answers everything with the same sentence, word by word, and queues what comes meanwhile. */
export class FakeKernel extends FakeModel {
  #seq = 0;
  #next = 1000;
  #text = "";
  #timer = 0;

  answer({ op, id, text, item }) {
    const queue = this.get("queue") ?? [];
    const busy = this.get("status").turn !== null || this.get("status").phase === "loading";
    const reply = { id, ok: true };
    if (op === "sync")
      Object.assign(reply, { seq: this.#seq, turn: this.get("status").turn, text: this.#text });
    if (op === "withdraw") reply.text = queue.find((entry) => entry.id === item)?.text;
    if (op === "send") reply.queued = busy;
    this.message(reply);
    if (op === "stop") this.#end("user");
    if (op === "withdraw") this.update({ queue: queue.filter((entry) => entry.id !== item) });
    if (op === "send" && busy) this.update({ queue: [...queue, { id, text }] });
    else if (op === "send") this.#say(text);
  }

  #turn(role, text, parent, stop) {
    const id = this.#next++;
    return { id, parent, role, text, stop, tokens: 9, created: 0, model: "fake" };
  }

  #status(phase, turn = null, parent = null) {
    return { ...this.get("status"), phase, turn, parent };
  }

  #say(text) {
    const question = this.#turn("user", text, this.get("leaf"), null);
    const turn = this.#next;
    this.#text = "";
    this.update({ [`turn_${question.id}`]: question, leaf: question.id });
    this.update({ status: this.#status("generating", turn, question.id) });
    let word = 0;
    this.#timer = setInterval(() => {
      if (word === WORDS.length) return this.#end("eos");
      this.#text += WORDS[word];
      this.message({ v: 1, seq: ++this.#seq, turn, text: WORDS[word++] });
    }, 80);
  }

  #end(stop) {
    const { turn, parent } = this.get("status");
    clearInterval(this.#timer);
    if (turn === null) return;
    const settled = this.#text ? this.#turn("assistant", this.#text, parent, stop) : null;
    const change = settled ? { [`turn_${settled.id}`]: settled, leaf: settled.id } : {};
    this.update({ ...change, status: this.#status("ready") });
    const [next, ...queue] = this.get("queue");
    if (!next) return;
    this.update({ queue });
    this.#say(next.text);
  }
}
