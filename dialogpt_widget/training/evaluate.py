"""How good a model is: perplexity of held-out dialogues, how varied its replies are, its answers to fixed prompts.

The gate are sixty everyday prompts (``gate.json``), written before any answer was seen. The replies are for a reader to
rate: one that fits the prompt and is grammatical passes. At least 70 % should.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.reply_many import reply_many
from dialogpt_widget.chat.reranking import MEAN, MMI_NAME
from dialogpt_widget.settings import Settings

from .data import DataError, Dialogue, encode_dialogue, reverse_pairs


@dataclass(frozen=True)
class Score:
    """The sum over held-out dialogues.

    Attributes:
        dialogues: How many.
        tokens: Predicted ids, every turn's EOS included; the first id of a dialogue is given, not predicted.
        size: UTF-8 bytes of the turns, and one for each EOS.
        nats: Negative log-likelihood of the predicted ids.
    """

    dialogues: int
    tokens: int
    size: int
    nats: float

    @property
    def perplexity(self) -> float:
        """exp(nats / tokens): depends on the vocabulary."""
        return math.exp(self.nats / self.tokens)

    @property
    def bits_per_byte(self) -> float:
        """Nats / (size ln 2): comparable between vocabularies."""
        return self.nats / (self.size * math.log(2))


def nats_of(model: PreTrainedModel, ids: list[int], window: int, given: int = 1) -> tuple[float, int]:
    """Negative log-likelihood of a dialogue and how many ids it covers.

    A dialogue longer than the window is read in windows that overlap by half, each id scored once.

    Args:
        model: In evaluation mode.
        ids: One dialogue.
        window: The model's positions.
        given: How many ids at the beginning are not predicted, at least 1.
    """
    total, done = 0.0, given
    while done < len(ids):
        start = 0 if done == given < window else max(0, done - window // 2)
        piece = torch.tensor([ids[start : start + window]], device=model.device)
        logits: Tensor = model(input_ids=piece, attention_mask=torch.ones_like(piece)).logits[0, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits, piece[0, 1:], reduction="none")
        total += float(losses[done - start - 1 :].double().sum())
        done = start + piece.shape[1]
    return total, len(ids) - given


@torch.inference_mode()
def score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dialogues: Iterable[Dialogue],
    *,
    reverse: bool = False,
) -> Score:
    """Scores dialogues one by one, so that the result does not depend on packing or padding.

    Args:
        model: Forward or backward.
        tokenizer: Of the model.
        dialogues: That it never saw.
        reverse: Whether it is a backward model: of each pair of turns the first is scored, after the second.

    Raises:
        DataError: There is nothing to predict.
    """
    model.eval()
    window = int(getattr(model.config, "n_positions", 1024))
    count, tokens, size, nats = 0, 0, 0, 0.0
    for turns in reverse_pairs(dialogues) if reverse else dialogues:
        given = len(encode_dialogue(tokenizer, turns[:1])) if reverse else 1
        part, predicted = nats_of(model, encode_dialogue(tokenizer, turns), window, given)
        count, tokens, nats = count + 1, tokens + predicted, nats + part
        size += sum(len(turn.encode()) + 1 for turn in turns[reverse:])
    if not tokens:
        raise DataError("nothing to evaluate: no dialogue has a token to predict")
    return Score(count, tokens, size, nats)


def load(name: str, *, cpu: bool = False) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads a model in float32 with its tokenizer, on the GPU where there is one.

    Raises:
        DataError: The name or folder cannot be loaded.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise DataError(f"{name}: cannot be loaded as a model ({error})") from error
    device = "cuda" if torch.cuda.is_available() and not cpu else "cpu"
    return model.to(device).eval(), tokenizer


LONGEST = 3  # turns of a context
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Diversity:
    """Of the replies of one decoder.

    Attributes:
        name: Of the decoder.
        distinct: Share of different ones among all pairs of neighbouring words (distinct-2; Li et al., 2016, "A
            Diversity-Promoting Objective Function for Neural Conversation Models").
        entropy: Of the distribution of runs of four words, in nats (entropy-4; Zhang et al., 2018, "Generating
            Informative and Diverse Conversational Responses via Adversarial Information Maximization").
        words: Mean length of a reply, punctuation counted.
    """

    name: str
    distinct: float
    entropy: float
    words: float


def contexts_of(dialogues: Iterable[Dialogue], count: int) -> tuple[list[list[dict[str, str]]], list[str]]:
    """One context a dialogue, and what a person answered.

    A context is a dialogue's first three turns, or its first where it has fewer than four.

    Returns:
        Message lists that end with the user's, and as many texts.

    Raises:
        DataError: There are not that many dialogues with an answer.
    """
    histories: list[list[dict[str, str]]] = []
    answers: list[str] = []
    for turns in dialogues:
        length = LONGEST if len(turns) > LONGEST else 1
        if len(turns) > length and len(histories) < count:
            roles = ("user", "assistant")
            histories.append([{"role": roles[place % 2], "content": text} for place, text in enumerate(turns[:length])])
            answers.append(turns[length])
    if len(histories) < count:
        raise DataError(f"{count} contexts are wanted, and there are {len(histories)} dialogues with an answer")
    return histories, answers


def diversity(name: str, replies: Sequence[str]) -> Diversity:
    """The figures of some replies; NaN where they are too short for one.

    Args:
        name: Of what made them.
        replies: Their texts.
    """
    words = [_WORD.findall(reply.lower()) for reply in replies]
    pairs, fours = (Counter(run for said in words for run in _runs(said, size)) for size in (2, 4))
    whole = fours.total()
    entropy = -sum(count / whole * math.log(count / whole) for count in fours.values()) if whole else math.nan
    distinct = len(pairs) / pairs.total() if pairs else math.nan
    return Diversity(name, distinct, entropy, sum(map(len, words)) / max(1, len(words)))


def compare_decoders(chat: Chat, dialogues: Iterable[Dialogue], count: int, candidates: int) -> Iterator[Diversity]:
    """Greedy decoding, sampling, the likeliest of some samples, the one that MMI chooses, and people.

    Args:
        chat: Whose model answers, with the settings that it samples with and a seed.
        dialogues: That the model never saw.
        count: How many contexts.
        candidates: How many samples are chosen between.
    """
    histories, answers = contexts_of(dialogues, count)
    sampled = chat.settings.replace(candidates=1, num_beams=1)
    several = sampled.replace(candidates=candidates)
    systems: list[tuple[str, Settings, str | None]] = [
        ("greedy", sampled.replace(do_sample=False), None),
        ("sampled", sampled, None),
        (f"the likeliest of {candidates}", several, MEAN),
        (f"MMI, of {candidates}", several, MMI_NAME),
    ]
    for name, settings, rerank in systems:
        yield diversity(name, list(reply_many(chat, histories, settings, rerank)["text"]))
    yield diversity("people", answers)


def _runs(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + size]) for start in range(len(words) - size + 1))


PROMPTS = Path(__file__).with_name("gate.json")
SEED = 0
TEMPERATURE = 0.7
TOP_K = 40
TOP_P = 0.9


@dataclass(frozen=True)
class Reply:
    """A prompt with the model's greedy and its sampled reply."""

    prompt: str
    greedy: str
    sampled: str


def prompts() -> list[str]:
    """The sixty prompts, always the same."""
    return [str(prompt) for prompt in json.loads(PROMPTS.read_text(encoding="utf-8"))]


@torch.inference_mode()
def answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, *, sample: bool, longest: int = 60
) -> str:
    """A reply to one prompt, without history."""
    ids = torch.tensor([encode_dialogue(tokenizer, [prompt])], device=model.device)
    settings = {"do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K, "top_p": TOP_P} if sample else {}
    window = int(getattr(model.config, "n_positions", 1024))
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=min(longest, window - ids.shape[1]),
        pad_token_id=tokenizer.eos_token_id,
        **({"do_sample": False} | settings),
    )
    return str(tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)).strip()


def answer_prompts(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[Reply]:
    """Answers all prompts; the seed is set once, so that the sampled column can be had again."""
    greedy = [answer(model, tokenizer, prompt, sample=False) for prompt in prompts()]
    torch.manual_seed(SEED)
    sampled = [answer(model, tokenizer, prompt, sample=True) for prompt in prompts()]
    return [Reply(*row) for row in zip(prompts(), greedy, sampled, strict=True)]


def answers_table(replies: list[Reply]) -> str:
    """The replies as a Markdown table with a column to rate in."""
    head = "| | prompt | greedy | sampled |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {number} | {reply.prompt} | {reply.greedy} | {reply.sampled} |\n" for number, reply in enumerate(replies, 1)
    )
