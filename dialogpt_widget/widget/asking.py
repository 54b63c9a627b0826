"""What a page asks about tokens, answered at once: each takes one forward pass at most."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dialogpt_widget.dialogue.tokens import FILTERS
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget.answers import Answer
from dialogpt_widget.widget.questions import Request, RequestError
from dialogpt_widget.widget.rows import is_wide, pack, pieces_of, shown, tokens_state

if TYPE_CHECKING:
    from dialogpt_widget.chat.chat import Chat
    from dialogpt_widget.engine.introspection import Place

MOST_IDS = 4000  # in one question
MOST_RANKS = 200


def _tokens(chat: Chat, request: Request) -> Answer:
    turn = _anywhere(chat, _turn(request))
    model = chat.load_model()
    if turn.model != model.name:
        return Answer({"tokens": None})
    state: dict[str, Any] = {**tokens_state(turn, model)}
    return Answer({"tokens": state | {"data": 0}}, [state["data"]])


def _anywhere(chat: Chat, turn_id: int) -> Turn:
    """A turn of the tree, or one of several replies that was not picked."""
    made = None if turn_id in chat.conversation else chat.conversation.nbests.with_turn(turn_id)
    if made is None:
        return chat.conversation[turn_id]
    return next(turn for turn in made.turns if turn.id == turn_id)


def _pieces(chat: Chat, request: Request) -> Answer:
    ids = request["ids"]
    vocabulary = chat.load_model().vocabulary
    if len(ids) > MOST_IDS or not all(type(token) is int and 0 <= token < vocabulary for token in ids):
        raise RequestError(f"pieces needs ids: at most {MOST_IDS} numbers from 0 to {vocabulary - 1}")
    return Answer({"pieces": _named(chat, ids)})


def _explain(chat: Chat, request: Request) -> Answer:
    choice = chat.explain(_turn(request), _index(request), **request["values"])
    token = choice.token
    mentioned = {token.id, *token.alt_id, *(own for stage in choice.stages for own in stage.ids)}
    return Answer(
        {
            "chosen": token.id,
            "logprob": token.logprob,
            "logprob_used": _finite(token.logprob_used),
            "rank": token.rank,
            "kept": token.kept,
            "draw": _finite(token.draw),
            "stages": [
                {
                    "name": stage.name,
                    "count": stage.count,
                    "ids": list(stage.ids),
                    "shares": [round(share, 7) for share in stage.probabilities],
                }
                for stage in choice.stages
            ],
            "cut_count": dict(zip(FILTERS, token.cut_count, strict=True)),
            "cut_mass": dict(zip(FILTERS, token.cut_mass, strict=True)),
            "span": None if math.isnan(choice.span[0]) else list(choice.span),
            "lead": _finite(choice.lead),
            "pieces": _named(chat, sorted(mentioned)),
        }
    )


def _ranked(chat: Chat, request: Request) -> Answer:
    count = min(request["count"], MOST_RANKS)
    return _placed(chat, chat.ranked(_turn(request), _index(request), request["first"], count))


def _chances(chat: Chat, request: Request) -> Answer:
    return _placed(chat, chat.chances(_turn(request), _index(request), request["text"]))


def _inside(chat: Chat, request: Request) -> Answer:
    turn, index = _turn(request), _index(request)
    depth = chat.inside(turn, index)
    seen = [*chat.state.seen(turn, index), *chat.conversation[turn].ids[:index]]
    guesses, chances = depth.guesses.tolist(), depth.chances.tolist()
    layers = [
        {"ids": ids, "shares": [round(share, 5) for share in shares], "chance": chance}
        for ids, shares, chance in zip(guesses, depth.probabilities.tolist(), chances, strict=True)
    ]
    mentioned = sorted({*seen, *(token for ids in guesses for token in ids)})
    attention = depth.attention.numpy().astype("<f2")
    content = {"layers": layers, "heads": attention.shape[1], "seen": seen, "pieces": _named(chat, mentioned)}
    return Answer(content, [attention.tobytes()])


def _without(chat: Chat, request: Request) -> Answer:
    if not all(type(turn) is int for turn in request["turns"]):
        raise RequestError("without needs turns: their ids")
    less = chat.without(_turn(request), request["turns"])
    return Answer({"logprob": less.logprob, "logprob_with": less.logprob_with})


def _score(chat: Chat, request: Request) -> Answer:
    model = chat.load_model()
    rows = chat.score(request["text"], _turn(request)).rows
    lengths = np.zeros(len(rows), int)
    mentioned = dict.fromkeys(np.concatenate([rows["id"][:, None].astype(int), rows["alt_id"]], 1).ravel().tolist())
    pieces = [shown(model.piece(token)) for token in mentioned if token >= 0]
    tokens = {"wide": is_wide(rows), "full": True, "data": 0, "pieces": pieces, "differs": None}
    return Answer({"tokens": tokens}, [pack(rows, lengths.tolist())])


def _replay(chat: Chat, request: Request) -> Answer:
    again = chat.replay(_turn(request))
    return Answer(
        {
            "same": again.ok,
            "first_difference": again.first_difference,
            "max_logprob_error": again.max_logprob_error,
        }
    )


def _placed(chat: Chat, places: Iterable[Place]) -> Answer:
    model = chat.load_model()
    return Answer(
        {
            "places": [
                {"token": one.id, "piece": shown(model.piece(one.id)), "logprob": one.logprob, "rank": one.rank}
                for one in places
            ]
        }
    )


def _named(chat: Chat, ids: Sequence[int]) -> dict[str, Any]:
    return {**pieces_of(ids, chat.load_model().piece)}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _turn(request: Request) -> int:
    turn = request["turn"]
    assert turn is not None
    return turn


def _index(request: Request) -> int:
    index = request["index"]
    assert index is not None
    return index


QUESTIONS: dict[str, Callable[[Chat, Request], Answer]] = {
    "tokens": _tokens,
    "pieces": _pieces,
    "explain": _explain,
    "ranked": _ranked,
    "chances": _chances,
    "inside": _inside,
    "without": _without,
    "score": _score,
    "replay": _replay,
}
