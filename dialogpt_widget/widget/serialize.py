"""Turns the kernel's objects into the values that a page shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dialogpt_widget.chat.reranking import RERANKERS, Reranking
from dialogpt_widget.dialogue.context import Context
from dialogpt_widget.dialogue.nbest import NBest, logprob, mean_logprob
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.loading.names import KNOWN, MINI, about, recommended, title_of
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import PRESETS, Settings
from dialogpt_widget.widget import protocol

if TYPE_CHECKING:
    from dialogpt_widget.chat.chat import Chat
    from dialogpt_widget.engine.model import ChatModel


class Ran(NamedTuple):
    """What was loaded: the model's name, the precision that was asked for, and the one that it got."""

    name: str
    asked: str
    precision: str


DIGITS = 4  # after the point
SAFETY = {
    "mini": (
        "Trained on some four million words: licensed dialogues that a word list filtered, and our own. It makes "
        "things up."
    ),
    "DialoGPT": (
        "Trained on 147 million Reddit dialogues from 2005 to 2017, in English. It can be offensive and false, and it "
        "agrees with offensive remarks more often than with safe ones."
    ),
    "": "It can be offensive and false. What it learned from is for its own model card to say.",
}


def turn(settled: Turn, nbest: int | None = None) -> protocol.TurnState:
    """A settled turn as the view needs it; `nbest` is the list that it was chosen from."""
    return {
        "id": settled.id,
        "parent": settled.parent,
        "role": settled.role,
        "text": settled.text,
        "stop": settled.stop,
        "tokens": len(settled.ids),
        "created": round(settled.created, 3),
        "model": settled.model,
        "made": _made(settled, nbest),
    }


def _made(settled: Turn, nbest: int | None) -> protocol.Made | None:
    if settled.settings is None or settled.reply is None:
        return None
    usual = Settings().to_dict()
    changed = {name: value for name, value in settled.settings.to_dict().items() if value != usual[name]}
    return {
        "settings": changed,
        "reply": settled.reply,
        "revision": settled.revision,
        "precision": settled.precision,
        "first": next(iter(settled.context), None),
        "seen": settled.seen,
        "nbest": nbest,
    }


def schema(model: str) -> list[dict[str, Any]]:
    """What may be set, with the defaults that suit a model; `usual` is that of `Settings()` where it is another."""
    own = recommended(model).to_dict()
    rows = Settings.schema()
    others = {row["name"]: {"usual": row["default"]} for row in rows if row["default"] != own[row["name"]]}
    return [row | {"default": own[row["name"]]} | others.get(row["name"], {}) for row in rows]


def presets() -> list[protocol.Preset]:
    """The settings known by a name."""
    return [{"name": preset.name, "help": preset.help, "values": preset.values} for preset in PRESETS]


PRECISIONS = {
    "cpu": {
        "float32": "Exact: nothing that is stored is rounded.",
        "bfloat16": "Weights and inputs rounded to 16 bits.",
        "int8": "The fastest. Weights and inputs rounded to 8 bits.",
    },
    "gpu": {
        "bfloat16": "16 bits with float32's range.",
        "float16": "16 bits, finer than bfloat16.",
        "float32": "Exact, slower, and twice the memory.",
    },
}


def precisions(loaded: ChatModel | None) -> list[protocol.Choice]:
    """The precisions to choose from where the model runs; none before it is loaded."""
    if loaded is None:
        return []
    there = PRECISIONS["cpu" if loaded.device.type == "cpu" else "gpu"]
    return [{"name": name, "title": name, "help": about} for name, about in there.items()]


def models(current: str) -> list[protocol.Choice]:
    """The models to choose from, the current one among them."""
    names = [*KNOWN] if current in KNOWN else [*KNOWN, current]
    return [{"name": name, "title": title_of(name), "help": _size(name)} for name in names]


def _size(name: str) -> str:
    if name not in KNOWN:
        return about(name)
    known = KNOWN[name]
    megabytes = known.download / 1e6
    size = f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.2f} GB"
    return f"{known.parameters / 1e6:.0f} M parameters, {f'{size} to download' if megabytes else 'no download'}"


def status(
    phase: protocol.Phase,
    detail: str,
    *,
    progress: float | None = None,
    turn: int | None = None,
    parent: int | None = None,
    ahead: int = 0,
    speed: float | None = None,
    drafts: int = 0,
) -> protocol.Status:
    """What the kernel is doing."""
    return {
        "phase": phase,
        "detail": detail,
        "progress": progress,
        "turn": turn,
        "parent": parent,
        "ahead": ahead,
        "speed": speed,
        "drafts": drafts,
    }


def waiting(ahead: int, turn: int | None = None, parent: int | None = None) -> protocol.Status:
    """Replies of other chats on the same model come first."""
    others = "another reply" if ahead == 1 else f"{ahead} other replies"
    return status("waiting", f"Waiting for {others} on this model", ahead=ahead, turn=turn, parent=parent)


def info(name: str, loaded: ChatModel | None = None) -> protocol.Info:
    """The model; `loaded` is there once it is."""
    return {
        "name": name,
        "title": title_of(name),
        "about": about(name),
        "parameters": getattr(loaded, "parameters", None),
        "device": getattr(loaded, "device_name", None),
        "precision": getattr(loaded, "precision", None),
        "revision": getattr(loaded, "revision", None),
        "positions": getattr(loaded, "positions", None),
        "notes": [*_remarks(loaded), next(note for part, note in SAFETY.items() if part in name)],
    }


def _remarks(loaded: ChatModel | None) -> Iterator[str]:
    """What slows it down, and what its precision costs where that was measured."""
    if loaded is None:
        return
    if loaded.remark:
        yield loaded.remark
    cost = loaded.exactness
    if cost:
        yield f"In {loaded.precision} its distributions are {cost}, measured on these weights."
        if cost.notable:
            yield "That is much: its probabilities are not float32's. Choose float32 where they matter."


def meter(context: Context | None, reused: int | None = None) -> protocol.Meter | None:
    """How full the window is, and what of it the cache had; None before a model is loaded."""
    if context is None:
        return None
    first = next(iter(context.turns), None)
    return {"used": len(context.ids), "window": context.window, "first": first, "cut": context.cut, "reused": reused}


def error(problem: BaseException, back: protocol.Action | None = None) -> protocol.Error:
    """An error with its ways out.

    Args:
        problem: what went wrong.
        back: the way to what ran before.
    """
    again: protocol.Action = {"label": "Try again", "op": "retry", "arguments": {}}
    if not isinstance(problem, ModelError):
        why = f"{type(problem).__name__}: {problem} What was said is kept; the kernel's log has the details."
        return {"kind": "failed", "title": "The reply failed.", "message": why, "actions": [again]}
    known = back["arguments"].get("model") if back else None
    offers: list[protocol.Action] = [
        {"label": _offer(name), "op": "use_model", "arguments": {"model": name}}
        for name in problem.offers
        if name != known
    ]
    ways = [again, *([back] if back else []), *offers]
    return {"kind": problem.kind, "title": problem.title, "message": problem.message, "actions": ways}


def way_back(ran: Ran | None, chat: Chat) -> protocol.Action | None:
    """The way from a model or precision that failed to what was loaded before; None if that is not another."""
    if ran is None or (ran.name, ran.asked) == (chat.model_name, chat.precision):
        return None
    if ran.name != chat.model_name:
        title = title_of(ran.name).partition(":")[0]
        return {"label": f"Go back to {title}", "op": "use_model", "arguments": {"model": ran.name}}
    return {"label": f"Go back to {ran.precision}", "op": "use_precision", "arguments": {"precision": ran.asked}}


def _offer(name: str) -> str:
    return "Chat with the embedded model" if name == MINI else f"Use {title_of(name)}"


def nbest_state(made: NBest, note: str = "") -> protocol.NBestState:
    """A list of replies; `note` is a line for people."""
    ranking = made.ranking
    scores = list(ranking.scores.values()) if ranking else []
    return {
        "id": made.id,
        "parent": made.parent,
        "kind": made.kind,
        "candidates": [
            {
                "turn": turn.id,
                "text": turn.text,
                "tokens": len(turn.ids),
                "stop": turn.stop,
                "logprob": _number(logprob(turn)),
                "mean": _number(mean_logprob(turn)),
                "scores": [_number(row[place]) for row in scores],
                "total": _number(ranking.total[place]) if ranking else None,
                "dropped": ranking.dropped[place] if ranking else None,
                "rank": ranking.rank[place] if ranking else 0,
                "label": made.labels[place] if made.labels else "",
                "beam": _number(made.beams[place]) if made.beams else None,
            }
            for place, turn in enumerate(made.turns)
        ],
        "scorers": list(ranking.scores) if ranking else [],
        "weights": list(ranking.weights.values()) if ranking else [],
        "spared": ranking.spared if ranking else False,
        "temperature": ranking.temperature if ranking else 0.0,
        "cross": [[_number(one) for one in row] for row in made.cross] if made.cross else None,
        "note": note,
    }


def rerank_state(reranking: Reranking, model: str) -> protocol.RerankState:
    """How one of several replies is chosen."""
    rules = reranking.rules
    return {
        "name": reranking.name_for(model),
        "temperature": reranking.temperature,
        "words": list(rules.words),
        "urls": rules.urls,
        "repeats": rules.repeats,
        "echo": rules.echo,
        "empty": rules.empty,
    }


def rerankers(reranking: Reranking) -> list[protocol.Choice]:
    """What can choose, and what code has set beside."""
    choices: list[protocol.Choice] = [
        {"name": name, "title": title, "help": about} for name, (title, about) in RERANKERS.items()
    ]
    if reranking.name_for("") == "own":
        choices.append({"name": "own", "title": reranking.title_for(""), "help": "What code has set."})
    return choices


def _number(number: float) -> float | None:
    return round(float(number), DIGITS) if math.isfinite(number) else None
