/** What a kernel says of its settings, models and formats: as `Settings.schema()` and its neighbours give it. */

export const SCHEMA = [
  {
    name: "max_new_tokens",
    type: "int",
    default: 128,
    min: 1,
    max: 4096,
    group: "length",
    help: "Longest reply, in tokens.",
  },
  {
    name: "min_new_tokens",
    type: "int",
    default: 1,
    min: 0,
    max: 4096,
    group: "length",
    help: "Shortest reply, in tokens: the end of the turn is barred until then.",
  },
  {
    name: "do_sample",
    type: "bool",
    default: true,
    min: null,
    max: null,
    group: "sampling",
    help: "Draw each token at random. Off: always the most probable one (greedy).",
  },
  {
    name: "temperature",
    type: "float",
    default: 1.0,
    min: 0.01,
    max: 10.0,
    group: "sampling",
    help: "Divides the logits: below 1 sharpens the distribution, above 1 flattens it.",
  },
  {
    name: "top_k",
    type: "int",
    default: 40,
    min: 0,
    max: 1000000,
    group: "sampling",
    help: "Keep only the k most probable tokens. 0: keep all.",
  },
  {
    name: "top_p",
    type: "float",
    default: 0.9,
    min: 0.0,
    max: 1.0,
    group: "sampling",
    help: "Keep the fewest tokens whose probabilities add up to p (nucleus). 1: keep all.",
  },
  {
    name: "min_p",
    type: "float",
    default: 0.0,
    min: 0.0,
    max: 1.0,
    group: "sampling",
    help: "Drop tokens less probable than this share of the most probable one. 0: drop none.",
  },
  {
    name: "repetition_penalty",
    type: "float",
    default: 1.0,
    min: 0.1,
    max: 10.0,
    group: "repetition",
    help: "Above 1, makes tokens that the reply already holds less likely. 1: off.",
  },
  {
    name: "no_repeat_ngram_size",
    type: "int",
    default: 0,
    min: 0,
    max: 100,
    group: "repetition",
    help: "No run of this many tokens comes twice in a reply. 0: off.",
  },
  {
    name: "seed",
    type: "int",
    default: null,
    min: 0,
    max: 9007199254740991,
    group: "sampling",
    help: "Fixes the dice, so that a chat can be repeated. Without: a new seed is drawn.",
  },
  {
    name: "max_context",
    type: "int",
    default: 1000,
    min: 8,
    max: 1000000,
    group: "length",
    help: "Window in tokens for history and reply; the model's own limit also holds.",
  },
  {
    name: "candidates",
    type: "int",
    default: 1,
    min: 1,
    max: 64,
    group: "candidates",
    help: "How many replies are sampled for each turn; one of them is chosen, the others are kept.",
  },
  {
    name: "num_beams",
    type: "int",
    default: 1,
    min: 1,
    max: 16,
    group: "candidates",
    help: "Beam search: how many hypotheses are followed side by side; nothing is drawn. 1: off.",
  },
  {
    name: "length_penalty",
    type: "float",
    default: 1.0,
    min: -10.0,
    max: 10.0,
    group: "candidates",
    help: "Of beam search: above 0 favours long replies, below 0 short ones.",
  },
];

export const PRESETS = [
  {
    name: "Greedy",
    help: "Always the most probable token, as in DialoGPT's model card.",
    values: { do_sample: false },
  },
  {
    name: "Nucleus",
    help: "The most probable tokens that add up to 90 %, however many.",
    values: { top_k: 0, top_p: 0.9 },
  },
  {
    name: "gpt2bot",
    help: "As in the project of that name: top-k 40 and top-p 0.9.",
    values: { top_k: 40, top_p: 0.9 },
  },
  {
    name: "Dull",
    help: "Temperature 0.3: says what most would say.",
    values: { temperature: 0.3, top_k: 0, top_p: 1.0 },
  },
  {
    name: "Lively",
    help: "Temperature 0.8: varied, and mostly to the point.",
    values: { temperature: 0.8, top_k: 0, top_p: 1.0 },
  },
  {
    name: "Wild",
    help: "Temperature 1.5: words that nobody expected.",
    values: { temperature: 1.5, top_k: 0, top_p: 1.0 },
  },
];

export const MODELS = [
  { name: "mini", title: "mini: 6 M parameters, not DialoGPT", help: "6 M parameters, no download" },
  { name: "microsoft/DialoGPT-small", title: "DialoGPT-small", help: "124 M parameters, 351 MB to download" },
  {
    name: "microsoft/DialoGPT-medium",
    title: "DialoGPT-medium",
    help: "355 M parameters, 863 MB to download",
  },
  {
    name: "microsoft/DialoGPT-large",
    title: "DialoGPT-large",
    help: "774 M parameters, 1.75 GB to download",
  },
];

export const FORMATS = [
  { name: "conversation", title: "Conversation", help: "With ids, settings and tokens, to open again here" },
  { name: "html", title: "Web page", help: "Reads offline, in any browser" },
  { name: "markdown", title: "Markdown", help: "Text to paste" },
  { name: "messages", title: "Messages", help: "JSON with role and content" },
  { name: "dataset", title: "Dataset rows", help: "JSON lines for Hugging Face datasets" },
  { name: "csv", title: "Tokens, CSV", help: "One row a token of this path" },
  { name: "parquet", title: "Tokens, Parquet", help: "One row a token of this path, typed" },
];

export const USUAL = Object.fromEntries(SCHEMA.map((setting) => [setting.name, setting.default]));

/** Precisions to choose from, as the kernel sends them. */
export const PRECISIONS = [
  { name: "float32", title: "float32", help: "Exact: nothing that is stored is rounded." },
  { name: "bfloat16", title: "bfloat16", help: "Weights and inputs rounded to 16 bits." },
  { name: "int8", title: "int8", help: "The fastest. Weights and inputs rounded to 8 bits." },
];
