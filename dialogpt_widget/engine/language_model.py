"""What a model says of given ids: states, logits, probabilities, its inside; nothing of it moves the cache."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from dialogpt_widget.dialogue.tokens import ALTERNATIVES, TokenTable, given_rows
from dialogpt_widget.engine.loading.loader import Loaded, out_of_memory
from dialogpt_widget.engine.models.base import CausalLM
from dialogpt_widget.errors import check_ids

if TYPE_CHECKING:
    from dialogpt_widget.engine.models.gpt2 import Depth

ROWS_AT_ONCE = 256  # tokens whose whole distributions are looked at together


class LanguageModel:
    """A model in memory and its tokenizer, asked without its cache.

    One thread at a time uses it: a lock is held while it computes.

    Attributes:
        threads: that it computes with on a CPU, settled when it was loaded; None elsewhere.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._network, self._tokenizer = loaded.network, loaded.tokenizer
        self.name, self.precision = loaded.name, loaded.precision
        self.eos = loaded.tokenizer.eos
        self.vocabulary = loaded.network.vocabulary
        self.positions = loaded.network.positions
        self.parameters = loaded.network.parameters
        self.compact = loaded.network.compact
        self.threads = torch.get_num_threads() if loaded.device.type == "cpu" else None
        self._lock = threading.RLock()

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; bytes that are not valid UTF-8 become U+FFFD."""
        return self._tokenizer.decode(ids)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Tells two sets of weights apart, whatever their name: 12 hexadecimal digits of SHA-256.

        Hashed are the shape and the first 1,000 rows of the token embeddings, as float32.
        """
        embeddings = self._network.embeddings
        first = embeddings[:1000].float().cpu().contiguous()
        told = f"{tuple(embeddings.shape)} {self.parameters}".encode()
        return hashlib.sha256(told + first.numpy().tobytes()).hexdigest()[:12]

    def states(self, ids: Sequence[int]) -> torch.Tensor:
        """What `unembed` makes logits of, after each of `ids`: one forward pass without the cache.

        For a GPT-2 these are the final hidden states, `[n, width]`.

        Raises:
            TypeError: the ids are no list of whole numbers.
            ValueError: no ids, unknown ids, or too many of them.
            ModelError: memory ran out.
        """
        self._check(ids)
        with self._computing():
            return self._network.states(ids)

    def step_states(self, context: Sequence[int], reply: Sequence[int]) -> torch.Tensor:
        """States from which each token of a reply was chosen, and the one after it, in one forward pass.

        Args:
            context: ids that the model saw.
            reply: ids of the reply, without EOS.

        Returns:
            `[len(reply) + 1, ...]`, for `unembed`; as many as the model's positions allow.

        Raises:
            TypeError, ValueError, ModelError: as for `states`.
        """
        return self.states([*context, *reply][: self.positions])[len(context) - 1 :]

    def unembed(self, states: torch.Tensor) -> torch.Tensor:
        """Logits `[..., vocabulary]`, float32, of states `[..., width]`."""
        with self._computing():
            return self._network.unembed(states).float()

    def log_likelihoods(self, pairs: Sequence[Pair]) -> list[np.ndarray]:
        """How probable ids are after others, several in one forward pass; see `engine.likelihoods`.

        Raises:
            TypeError, ValueError, ModelError: as for `states`.
        """
        for given, asked in pairs:
            self._check([*given, *asked])
        with self._computing():
            return log_likelihoods(self._network, pairs)

    def inside(self, ids: Sequence[int], token: int) -> Depth:
        """What happened in each layer and head at the last of some ids, in one forward pass; see `Depth`.

        Args:
            ids: what it has read.
            token: the next id, whose probability each layer is asked for.

        Raises:
            ValueError: this model is no GPT-2, or the ids are not its own.
        """
        from dialogpt_widget.engine.models.gpt2 import GPT2, logit_lens

        check_known_ids([*ids, token], self.vocabulary)
        if not isinstance(self._network, GPT2):
            raise ValueError(f"Layers and heads can be looked into for GPT-2 models; {self.name} is of another kind.")  # noqa: TRY004
        with self._computing():
            return logit_lens(self._network, ids, token)

    def score(self, ids: Sequence[int]) -> TokenTable:
        """How probable each id was, given those before it, in one forward pass without the cache.

        Args:
            ids: at most `positions` many.

        Returns:
            One row an id: `logprob`, `rank`, `entropy` and the alternatives; the first id's are NaN.

        Raises:
            TypeError, ValueError, ModelError: as for `states`.
        """
        states = self.states(ids)
        rows = given_rows(ids, self.vocabulary)
        for begin in range(0, len(ids) - 1, ROWS_AT_ONCE):
            piece = slice(begin, min(begin + ROWS_AT_ONCE, len(ids) - 1))
            self._score(rows[begin + 1 : piece.stop + 1], self.unembed(states[piece]))
        rows["position"] = np.arange(len(ids))
        rows["eos"] = rows["id"] == self.eos
        return TokenTable(rows, self.decode)

    def _score(self, rows: np.ndarray, logits: torch.Tensor) -> None:
        """Fills in the rows of ids, of whose distributions these are the logits."""
        log = torch.log_softmax(logits, -1)
        at = log.gather(1, torch.tensor(rows["id"].tolist(), device=log.device)[:, None])
        best = torch.topk(log, min(ALTERNATIVES, self.vocabulary), -1)
        rows["logprob"] = at[:, 0].cpu().numpy()
        rows["rank"] = (log > at).sum(-1).cpu().numpy() + 1
        rows["entropy"] = torch.special.entr(log.exp()).sum(-1).cpu().numpy()
        rows["alt_id"][:, : best.indices.shape[1]] = best.indices.cpu().numpy()
        rows["alt_logprob"][:, : best.indices.shape[1]] = best.values.cpu().numpy()

    def _check(self, ids: Sequence[int]) -> None:
        check_known_ids(ids, self.vocabulary)
        if self.positions is not None and len(ids) > self.positions:
            raise ValueError(f"{len(ids)} tokens are more than the {self.positions} that {self.name} can take.")

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """The model to itself, with as many threads as when it was loaded, so that sums are equal to the last digit.

        OpenMP keeps that number for each thread of Python's. A lack of memory becomes an error for people.
        """
        with self._lock:
            if self.threads not in (None, torch.get_num_threads()):
                torch.set_num_threads(self.threads)
            try:
                with torch.inference_mode():
                    yield
            except Exception as error:
                if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "DefaultCPUAllocator" in str(error):
                    raise out_of_memory(self.name, self.precision) from error
                raise


def check_known_ids(ids: Sequence[int], vocabulary: int) -> None:
    """Refuses what is no list of ids of a vocabulary.

    Raises:
        TypeError: no list of whole numbers.
        ValueError: empty, or unknown ids among them.
    """
    check_ids(ids)
    if not ids:
        raise ValueError("There are no ids to go on from: begin with at least one token.")
    if min(ids) < 0 or max(ids) >= vocabulary:
        raise ValueError(f"Ids are from 0 to {vocabulary - 1}; got {min(ids)} to {max(ids)}.")


TOKENS_AT_ONCE = 4096  # tokens in a forward pass, fillers included

T = TypeVar("T")
Pair = tuple[Sequence[int], Sequence[int]]


def log_likelihoods(network: CausalLM, pairs: Sequence[Pair]) -> list[np.ndarray]:
    """Natural logarithms of the probabilities of ids after others.

    Args:
        network: that is asked, without its cache.
        pairs: ids that are given, at least one, and ids that come after them; together what the network can read.

    Returns:
        Of each pair `[n]`, float64, for its `n` ids that come after.
    """
    return [logs for some in batches(pairs, _length) for logs in _batch(network, some)]


def _length(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])


def _batch(network: CausalLM, pairs: Sequence[Pair]) -> Iterator[np.ndarray]:
    states = network.many([[*given, *asked] for given, asked in pairs])
    for row, (given, asked) in zip(states, pairs, strict=True):
        logits = network.unembed(row[len(given) - 1 : len(given) + len(asked) - 1]).float()
        ids = torch.tensor(list(asked), dtype=torch.long, device=logits.device)
        yield torch.log_softmax(logits, -1).gather(1, ids[:, None])[:, 0].double().cpu().numpy()


def batches(items: Sequence[T], length: Callable[[T], int]) -> Iterator[list[T]]:
    """Items in their order, as many at once as make `TOKENS_AT_ONCE` tokens.

    Args:
        items: what is read, each of it one sequence.
        length: tells an item's number of ids.
    """
    some: list[T] = []
    longest = 0
    for item in items:
        if some and max(longest, length(item)) * (len(some) + 1) > TOKENS_AT_ONCE:
            yield some
            some, longest = [], 0
        some, longest = [*some, item], max(longest, length(item))
    if some:
        yield some
