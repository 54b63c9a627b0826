"""GPT-2's forward pass, functional and lean: weights in, logits out; and a look inside.

The architecture of Radford et al., 2019, "Language Models are Unsupervised Multitask Learners", which is DialoGPT's:
token and position embeddings, then layers of causal attention and a two-layer perceptron, each behind a layer norm
and added to the residual stream; a last layer norm; logits by the token embeddings again.

Shapes: `b` sequences of `n` new ids, width `w`, `h` heads of `w / h`, `t` ids read so far, new ones included.

The logit lens is nostalgebraist's (2020, "interpreting GPT: the logit lens"): the residual stream after each layer,
read as if it were the last. Attention says where the model looked, not why it said something.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

from dialogpt_widget.engine.models.base import GPT2Shape, filled
from dialogpt_widget.engine.models.batching import LeftPaddedGPT2
from dialogpt_widget.engine.models.kv_cache import CacheSlots, KVCache, SharedPrefixBatch
from dialogpt_widget.engine.models.linear import Linear, MakeLinear, for_rows, linears, scripted

PACKERS = 4  # each keeps up to 64 MB in the end, which the C library does not give back
Run = Callable[..., Tensor]
Watch = Callable[[Tensor, Tensor | None, Tensor | None], object]


class GPT2:
    """A GPT-2 with the cache of the sequence that it has read last.

    Args:
        shape: how large it is.
        weights: by the names of `GPT2Shape.weights`, all on one device; on a GPU in the dtype to compute in.
        precision: on a CPU, of the linear maps, see `linears`; the rest is float32.

    Attributes:
        vocabulary, positions, parameters: how many.
        embeddings: of the tokens, `[vocabulary, w]`, as they are stored.
        device: where the weights are.
        state: the final hidden state `[w]` after what was read last; None before anything was.
    """

    compact = True

    def __init__(self, shape: GPT2Shape, weights: Mapping[str, Tensor], precision: str = "float32") -> None:
        self.shape, self.vocabulary, self.parameters = shape, shape.vocabulary, shape.parameters
        self.positions: int | None = shape.positions
        self.embeddings = weights["wte.weight"]
        self.device = self.embeddings.device
        self._dtype = torch.float32 if self.device.type == "cpu" else self.embeddings.dtype
        make = linears(precision, self.device)
        self._places = weights["wpe.weight"].to(self._dtype)
        self._each = _layers(shape, weights, make, self._dtype)
        layers = _Layers(self._each)
        self._run = scripted(layers, *layers.linears)
        self._last_norm = _pair(weights, "ln_f", self._dtype)
        self._unembed: Linear = scripted(make(weights["wte.weight" if shape.tied else "lm_head.weight"].t(), None))
        self._cache = KVCache()
        self.state: Tensor | None = None

    def forward(self, ids: Tensor, cache: CacheSlots, watch: Watch | None = None, run: Run | None = None) -> Tensor:
        """Reads ids after those that the cache holds, and adds them to it.

        Args:
            ids: `[b, n]`.
            cache: of the same `b` sequences.
            watch: called before each layer with the residual stream `[b, n, w]`, the layer's queries
                `[b, h, n, w / h]` and its keys `[b, h, t, w / h]`, and once more with the stream after the last.
            run: the layers in another form.

        Returns:
            The final hidden states, after the last layer norm, `[b, n, w]`.
        """
        batch, count = ids.shape
        room = cache.begin(self.shape, self._places, batch, count)
        x = self.embeddings[ids].to(self._dtype) + self._places[room.places]
        known, new = list(room.known), list(room.new)
        if watch:
            for number, layer in enumerate(self._each):
                before = x
                x, query = layer(x, known[number], new[number], room.at, room.mask)
                watch(before, query, known[number][0])
            watch(x, None, None)
        else:
            x = (run or self._run)(x, known, new, room.at, room.mask)
        cache.end(count)
        return self.last_norm(x)

    def last_norm(self, x: Tensor) -> Tensor:
        """The layer norm before the logits, of residual streams `[..., w]`."""
        return layer_norm(x, (self.shape.width,), *self._last_norm, self.shape.epsilon)

    def unembed(self, hidden: Tensor) -> Tensor:
        """Logits `[..., vocabulary]` of final hidden states `[..., w]`."""
        return self._unembed(hidden.reshape(-1, self.shape.width)).view(*hidden.shape[:-1], -1)

    # As a `CausalLM`

    def advance(self, ids: Sequence[int]) -> Tensor:
        """Reads ids after what is cached; logits `[vocabulary]` after the last of them."""
        self.state = self.forward(torch.tensor([list(ids)], device=self.device), self._cache)[0, -1]
        return self.unembed(self.state)

    def crop(self, count: int) -> None:
        """Forgets all but the first `count` ids that were read."""
        self._cache.length = min(self._cache.length, count)

    def clear_cache(self) -> None:
        """Forgets what was read and gives the memory back."""
        self._cache = KVCache()

    def branches(self, count: int) -> SharedPrefixBatch:
        """Several continuations of what is cached, side by side."""
        return SharedPrefixBatch(self._cache, count, self._for_rows(count))

    def rows(self, sequences: Sequence[Sequence[int]], origins: Sequence[int]) -> LeftPaddedGPT2:
        """Several rows, of which each goes on from one of some sequences; see `CausalLM`."""
        return LeftPaddedGPT2(sequences, origins, self.device, self._for_rows)

    def states(self, ids: Sequence[int]) -> Tensor:
        """Final hidden states `[n, w]` after each of `ids`, without the cache."""
        return self.many([ids])[0]

    def many(self, sequences: Sequence[Sequence[int]]) -> Tensor:
        """Final hidden states `[b, n, w]` of several sequences, without the cache; see `CausalLM`."""
        return self.forward(filled(sequences).to(self.device), KVCache())

    def _for_rows(self, count: int) -> Callable[[Tensor, CacheSlots], Tensor]:
        each = [layer.for_rows(count) for layer in self._each]
        return functools.partial(self.forward, run=None if each == self._each else _Layers(each))


class _Layer(torch.nn.Module):
    """One layer: attention and a perceptron, each behind a layer norm and added to the residual stream."""

    def __init__(
        self, shape: GPT2Shape, weights: Mapping[str, Tensor], prefix: str, make: MakeLinear, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.width, self.heads, self.epsilon = shape.width, shape.heads, shape.epsilon
        self.norm_1, self.norm_2 = (_pair(weights, f"{prefix}{name}", dtype) for name in ("ln_1", "ln_2"))
        self.attention_in, self.attention_out, self.inner_in, self.inner_out = self.linears = tuple(
            make(weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"])
            for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
        )

    def for_rows(self, rows: int) -> _Layer:
        """The same layer, made for so many rows at a time, again and again; itself where that is no other."""
        linears = tuple(for_rows(linear, rows) for linear in self.linears)
        made = self if linears == self.linears else copy.copy(self)
        made.attention_in, made.attention_out, made.inner_in, made.inner_out = made.linears = linears
        return made

    def forward(
        self, x: Tensor, known: Tensor, new: Tensor, at: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """The residual stream after the layer and the layer's queries; for its arguments see `CacheWrite`."""
        batch, count = x.shape[0], x.shape[1]
        normed = layer_norm(x, [self.width], self.norm_1[0], self.norm_1[1], self.epsilon)
        parts = self.attention_in(normed).view(batch, count, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if at is None:
            new.copy_(parts[1:])
        else:
            known.index_copy_(3, at, parts[1:])
        seen = scaled_dot_product_attention(parts[0], known[0], known[1], attn_mask=mask)
        x = x + self.attention_out(seen.transpose(1, 2).reshape(batch, count, self.width))
        normed = layer_norm(x, [self.width], self.norm_2[0], self.norm_2[1], self.epsilon)
        return x + self.inner_out(gelu(self.inner_in(normed), approximate="tanh")), parts[0]


class _Layers(torch.nn.Module):
    """All layers in one call."""

    def __init__(self, each: Sequence[_Layer]) -> None:
        super().__init__()
        self.each = torch.nn.ModuleList(each)
        self.linears = tuple(linear for layer in each for linear in layer.linears)

    def forward(
        self, x: Tensor, known: list[Tensor], new: list[Tensor], at: Tensor | None, mask: Tensor | None
    ) -> Tensor:
        """The residual stream after all of them; for the arguments see `CacheWrite`."""
        for number, layer in enumerate(self.each):
            x = layer(x, known[number], new[number], at, mask)[0]
        return x


def _layers(shape: GPT2Shape, weights: Mapping[str, Tensor], make: MakeLinear, dtype: torch.dtype) -> list[_Layer]:
    """Several at once, since packing weights keeps one processor busy."""
    at_once = min(torch.get_num_threads(), PACKERS)
    with ThreadPoolExecutor(at_once, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(lambda number: _Layer(shape, weights, f"h.{number}.", make, dtype), range(shape.layers)))


def _pair(weights: Mapping[str, Tensor], name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"].to(dtype), weights[f"{name}.bias"].to(dtype)


GUESSES = 5  # tokens that each layer names


@dataclass(frozen=True, slots=True)
class Depth:
    """What happened inside, at the last of some ids.

    Attributes:
        guesses: `[layers + 1, guesses]`, most probable first; the first row is the embedding alone.
        probabilities: theirs, `[layers + 1, guesses]`.
        chances: of the token asked about, `[layers + 1]`.
        attention: `[layers, heads, n]`, each head's over the `n` ids; sums to 1.
    """

    guesses: Tensor
    probabilities: Tensor
    chances: Tensor
    attention: Tensor


@torch.inference_mode()
def logit_lens(network: GPT2, ids: Sequence[int], token: int) -> Depth:
    """One forward pass, watched at its last position.

    Args:
        network: a GPT-2.
        ids: what it has read, `n` many.
        token: the next id, whose probability each layer is asked for.
    """
    streams: list[Tensor] = []
    attention: list[Tensor] = []

    def watch(stream: Tensor, query: Tensor | None, keys: Tensor | None) -> None:
        streams.append(stream[0, -1])
        if query is not None and keys is not None:
            last = query[0, :, -1:] @ keys[0].transpose(-1, -2)
            attention.append(torch.softmax(last[:, 0].float() / query.shape[-1] ** 0.5, -1))

    network.forward(torch.tensor([list(ids)], device=network.device), KVCache(), watch)
    shares = torch.softmax(network.unembed(network.last_norm(torch.stack(streams))).float(), -1)
    best = torch.topk(shares, GUESSES)
    return Depth(best.indices.cpu(), best.values.cpu(), shares[:, token].cpu(), torch.stack(attention).cpu())
