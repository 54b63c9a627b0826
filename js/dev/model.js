/** The host's model and a kernel behind it, as small as they can be: what they do is written in `scenes.js`. */
export class FakeModel {
  sent = [];
  files = [];
  #listeners = new Map();

  /** @param {Record<string, unknown>} state */
  constructor(state) {
    this.state = { ...state };
  }

  get(key) {
    return this.state[key];
  }

  on(name, callback) {
    this.#listeners.set(name, (this.#listeners.get(name) ?? new Set()).add(callback));
  }

  off(name, callback) {
    this.#listeners.get(name)?.delete(callback);
  }

  /** A request from the page; a kernel overrides `answer`. */
  send(content, _callbacks, buffers) {
    this.sent.push(content);
    if (buffers) this.files.push(buffers);
    setTimeout(() => this.answer(content));
  }

  answer(content) {
    this.message({ id: content.id, ok: true });
  }

  /** A custom message from the kernel. */
  message(content, buffers = []) {
    for (const callback of this.#listeners.get("msg:custom") ?? []) callback(content, buffers);
  }

  /** A state update from the kernel. */
  update(state) {
    Object.assign(this.state, state);
    for (const callback of this.#listeners.get("change") ?? []) callback();
  }

  /** What ipywidgets does to a view when its kernel goes or comes. */
  connect(live) {
    for (const callback of this.#listeners.get("comm_live_update") ?? [])
      callback.call({ model: { comm_live: live } });
  }
}
