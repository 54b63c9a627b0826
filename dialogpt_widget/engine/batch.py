"""One reply to each of several contexts, decoded side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from dialogpt_widget.engine.decoding import Decoder
from dialogpt_widget.engine.network import Network
from dialogpt_widget.engine.record import Token

Step = list[tuple[int, Token]]


def batch(
    network: Network,
    computing: Callable[[], AbstractContextManager[None]],
    contexts: Sequence[Sequence[int]],
    decoders: Sequence[Decoder],
    limits: Sequence[int],
    stop: threading.Event,
) -> Iterator[Step]:
    """Yields the next token of every reply that goes on, with the number of its context, from 0, in their order.

    What the network has read last stays as it is. A context that comes several times is read once. A reply that has
    ended takes no further time; `ms` of a token is its share of the step and its own choice.

    Args:
        network: that reads them.
        computing: the network to oneself, as long as a step takes.
        contexts: ids of each, every turn followed by EOS.
        decoders: of each reply, with its own dice.
        limits: longest reply to each, in tokens, at least 1.
        stop: when set, no further step begins.
    """
    different = list(dict.fromkeys(map(tuple, contexts)))
    places = {ids: place for place, ids in enumerate(different)}
    origins = [places[tuple(ids)] for ids in contexts]
    said: list[list[int]] = [[] for _ in contexts]
    live = list(range(len(contexts)))
    rows = None
    while live and not stop.is_set():
        began = time.perf_counter()
        with computing():
            if rows is None:
                rows = network.rows(different, origins)
                states = rows.begin(stop)
                if states is None:
                    return
            else:
                states = rows.advance(live, [said[row][-1] for row in live])
            logits = network.unembed(states)
            share = (time.perf_counter() - began) / len(live)
            chosen = []
            for place, row in enumerate(live):
                began = time.perf_counter() - share
                chosen.append((row, decoders[row].choose(logits[place], said[row], began=began)))
        yield chosen
        for row, token in chosen:
            said[row].append(token.id)
        live = [row for row, token in chosen if not token.eos and len(said[row]) < limits[row]]
