/**
 * The mirror of `dialogpt_widget/widget/protocol.py`: every trait, frame, request and reply that crosses to the page.
 *
 * State lives in traits, one key a settled turn (`turn_<id>`); a running reply travels in numbered frames; a request
 * `{op, id, ...}` is answered once by `{id, ok: true, ...}` or `{id, error}`.
 */

export const VERSION = 1;
export const MAX_MESSAGE_BYTES = 64_000; // as in dialogue/messages.py
export const TURN_KEY = "turn_";
export const TOKENS_KEY = "tokens_";
export const NBEST_KEY = "nbest_";

export const TRAITS = /** @type {const} */ ([
  "info",
  "status",
  "error",
  "queue",
  "meter",
  "leaf",
  "next_id",
  "can_undo",
  "starters",
  "settings",
  "settings_schema",
  "presets",
  "models",
  "precisions",
  "formats",
  "height",
  "offline",
  "view",
  "rev",
  "pace",
  "pinned",
  "inspector",
  "decider",
  "rerank",
  "rerankers",
]);

/** Each `op` with the names of its arguments. */
export const OPS = /** @type {const} */ ({
  mount: ["version"],
  send: ["text"],
  stop: [],
  withdraw: ["item"],
  sync: [],
  poll: ["rev"],
  retry: [],
  use_model: ["model"],
  use_precision: ["precision"],
  regenerate: ["turn"],
  continue: ["turn"],
  edit: ["turn", "text"],
  select: ["turn"],
  undo: [],
  clear: [],
  forget: ["turn"],
  settings: ["values"],
  export: ["format", "branches"],
  import: ["name"],
  code: ["turn"],
  pin: ["turn", "index"],
  watch: ["on"],
  tokens: ["turn"],
  pieces: ["ids"],
  fork: ["turn", "index", "token"],
  explain: ["turn", "index", "values"],
  ranked: ["turn", "index", "first", "count"],
  chances: ["turn", "index", "text"],
  inside: ["turn", "index"],
  without: ["turn", "turns"],
  score: ["turn", "text"],
  replay: ["turn"],
  share: [],
  pace: ["mode", "rate"],
  guessing: ["on"],
  step: [],
  back: [],
  force: ["text", "token"],
  guess: ["text", "token"],
  choices: [],
  pick: ["nbest", "place"],
  rank: ["nbest"],
  rerank: ["values"],
  compare: ["turn", "sides"],
});

/**
 * @typedef {"user" | "assistant"} Role
 * @typedef {"eos" | "length" | "user" | "error"} Stop
 * @typedef {"idle" | "loading" | "ready" | "waiting" | "generating" | "error"} Phase
 *
 * @typedef {object} Info
 * @property {string} name
 * @property {string} title
 * @property {string} about
 * @property {number | null} parameters
 * @property {string | null} device
 * @property {string | null} precision
 * @property {string | null} revision
 * @property {number | null} positions
 * @property {string[]} notes
 *
 * @typedef {object} Status
 * @property {Phase} phase
 * @property {string} detail one line for people
 * @property {number | null} progress 0..1 while loading, null where unknown
 * @property {number | null} turn the id that the running reply will have
 * @property {number | null} parent the turn it answers
 * @property {number} ahead replies that other chats on the same model get first
 * @property {number | null} speed tokens a second of the last reply
 * @property {number} drafts replies that are being made side by side; 0 for one alone
 *
 * @typedef {object} Action a way out of an error
 * @property {string} label
 * @property {"retry" | "use_model" | "use_precision"} op
 * @property {Record<string, string>} arguments
 *
 * @typedef {object} Failure
 * @property {string} kind
 * @property {string} title
 * @property {string} message
 * @property {Action[]} actions
 *
 * @typedef {"message" | "edit" | "regenerate" | "continue" | "fork" | "compare"} Kind
 * @typedef {"run" | "step" | "play"} Mode
 * @typedef {string | number[]} Piece a token's bytes: as text, or their numbers where they are no valid UTF-8
 *
 * @typedef {object} Queued a message, or another reply to `turn`, which is edited to `text` or not
 * @property {string} id
 * @property {Kind} kind
 * @property {string} text
 * @property {number | null} turn
 *
 * @typedef {object} Meter
 * @property {number} used
 * @property {number} window
 * @property {number | null} first turns of the path before it have fallen out of the window
 * @property {number} cut tokens at the beginning of `first` that fell out, because it alone is too long
 * @property {number | null} reused tokens before the path's last reply that were in the model's cache when it began
 *
 * @typedef {object} Made how a reply was made; `settings` are those that differ from the default
 * @property {Record<string, unknown>} settings
 * @property {number} reply
 * @property {string | null} revision
 * @property {string} precision
 * @property {number | null} [first] the first turn that it saw, which goes on from there to the one that it answers
 * @property {number | null} [seen] tokens of these, EOS after each turn
 * @property {number | null} [nbest] the list of replies that it was picked from
 *
 * @typedef {object} Preset what is not in `values` goes back to its default, but for lengths, the seed and how many replies are made
 * @property {string} name
 * @property {string} help
 * @property {Record<string, unknown>} values
 *
 * @typedef {object} Choice a model to choose, or a format to download
 * @property {string} name
 * @property {string} title
 * @property {string} help
 *
 * @typedef {object} Candidate one reply of a list
 * @property {number} turn the id that it has in the tree once it was picked
 * @property {string} text
 * @property {number} tokens without EOS
 * @property {Stop | null} stop
 * @property {number | null} logprob nat, of all its tokens and EOS, under the model's own distribution
 * @property {number | null} mean the same a token
 * @property {(number | null)[]} scores one a scorer; null where the rules dropped it
 * @property {number | null} total
 * @property {string | null} dropped why the rules dropped it
 * @property {number} rank 1 is the best; 0 where it was dropped, or nothing was ranked
 * @property {string} label of a comparison: which settings, or which model
 * @property {number | null} beam what beam search gave it
 *
 * @typedef {object} NBest replies to the same turn, of which one is chosen
 * @property {number} id
 * @property {number} parent the turn that all of them answer
 * @property {"sampled" | "beam" | "compared"} kind
 * @property {Candidate[]} candidates
 * @property {string[]} scorers names, in the order of each candidate's `scores`; none where nothing was ranked
 * @property {number[]} weights one a scorer
 * @property {boolean} spared whether the rules would have dropped all, so that none was
 * @property {number} temperature of the draw of one; 0 where the best was taken
 * @property {(number | null)[][] | null} cross of a comparison, nat: reply i as side j would draw it; null: it cannot
 * @property {string} note one line for people, or nothing
 *
 * @typedef {object} Rerank how one of several replies is chosen
 * @property {string} name of the scorer
 * @property {number} temperature of the draw among what is left; 0 takes the best
 * @property {string[]} words of which none may be in a reply
 * @property {boolean} urls whether links drop a reply
 * @property {boolean} repeats whether what was said before does
 * @property {boolean} echo whether it may not be the user's own words
 * @property {boolean} empty whether nothing said does
 *
 * @typedef {object} Side a way to answer, for a comparison
 * @property {string} label
 * @property {Record<string, unknown>} values settings by name, over those of the chat
 * @property {string | null} model null for the chat's own
 *
 * @typedef {object} Turn
 * @property {number} id
 * @property {number | null} parent
 * @property {Role} role
 * @property {string} text
 * @property {Stop | null} stop
 * @property {number} tokens
 * @property {number} created
 * @property {string} model
 * @property {Made | null} made null for a message, and for a reply that was not generated here: written or imported
 *
 * @typedef {object} Tokens a turn's tokens, its final EOS included; see `inspect/rows.js`
 * @property {boolean} wide whether ids take four bytes
 * @property {boolean} full whether the model chose some of them
 * @property {Buffer | string} data rows; base64 on a page that was saved
 * @property {Piece[]} pieces of each id that occurs, alternatives included, in the order in which they do
 * @property {number | null} differs the first token that this machine would choose otherwise, in a chat from another
 *
 * @typedef {object} Pace how a running reply is revealed
 * @property {Mode} mode
 * @property {number} rate tokens a second
 * @property {boolean} guessing whether each token is held back until it was guessed
 * @property {boolean} waiting whether a token is ready to be revealed
 * @property {number} count tokens of the running reply that were revealed
 *
 * @typedef {object} Frame `text` follows the first `at` UTF-16 units of what there is, by default all; a buffer brings
 *   token rows from `row` on
 * @property {number} v
 * @property {number} seq
 * @property {number} turn
 * @property {string} text
 * @property {number} [at]
 * @property {number} [row]
 * @property {[number, string][]} [more] of several replies made side by side: which one, and what it goes on with
 *
 * @typedef {object} Snapshot all of the running reply up to frame `seq`
 * @property {number} seq
 * @property {number | null} turn
 * @property {string} text
 * @property {string[]} drafts all of the replies that are being made side by side
 *
 * @typedef {object} Poll what changed after revision `rev` was reached, and the running reply as in a snapshot
 * @property {number} rev
 * @property {Record<string, any>} state
 * @property {number} seq
 * @property {number | null} turn
 * @property {string} text
 * @property {string[]} drafts
 *
 * @typedef {object} Setting a row of the settings' schema
 * @property {string} name
 * @property {"int" | "float" | "bool"} type
 * @property {number | boolean | null} default
 * @property {number | null} min
 * @property {number | null} max
 * @property {string} group
 * @property {string} help
 *
 * @typedef {keyof typeof OPS} Op
 * @typedef {Record<string, any>} Answer
 * @typedef {ArrayBuffer | ArrayBufferView} Buffer
 *
 * @typedef {object} Model what the host gives a view: anywidget's model
 * @property {(key: string) => any} get
 * @property {(event: string, callback: (...args: any[]) => void) => void} on
 * @property {(event: string, callback: (...args: any[]) => void) => void} off
 * @property {(content: unknown, callbacks?: unknown, buffers?: Buffer[]) => void} send
 * @property {{kernel?: {statusChanged?: Signal} | null}} [widget_manager]
 *
 * @typedef {object} Signal a signal of Lumino
 * @property {(slot: (sender: unknown, value: any) => void) => void} connect
 * @property {(slot: (sender: unknown, value: any) => void) => void} disconnect
 */

/** @param {unknown} content @returns {content is Frame} */
export function isFrame(content) {
  const frame = /** @type {Frame} */ (content);
  return (
    typeof content === "object" &&
    content !== null &&
    frame.v === VERSION &&
    Number.isInteger(frame.seq) &&
    Number.isInteger(frame.turn) &&
    typeof frame.text === "string"
  );
}

/** Text that every packer can encode: a lone surrogate becomes U+FFFD. @param {string} text */
export function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** @param {string} text */
export function byteLength(text) {
  return new TextEncoder().encode(text).length;
}
