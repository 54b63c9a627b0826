"""What people call stays as it is: names, signatures without annotations, defaults, first lines of docstrings.

The documented names are listed here; what they are is stored in `snapshots/public_surface.json`. Where a change is
meant, `UPDATE_SNAPSHOT=1 pytest tests/unit/test_public_surface.py` stores it, and its diff tells the reviewer.
Nothing here knows where a class is kept, but for the import paths that are documented.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import snapshot

import dialogpt_widget
from dialogpt_widget import Chat, ChatModel, ChatWidget, Conversation, ModelError, Settings, TokenTable, Turn

VERBS = """
    send asend say stop regenerate edit continue_ fork turns path conversation= messages select siblings undo clear
    forget tokens explain score without ranked chances inside replay code candidates pick rank rerank compare step
    force back guess finish pace= share open settings use on_turn on_token save load export_markdown export_messages
    export_dataset export_tokens model saved
"""
DOCUMENTED: dict[type, str] = {  # with `=`: an attribute; whether it is a property with a docstring is not told
    Chat: f"""{VERBS} reply_many load_model unload context running reranking differences= stranger= summary model_name=
        device= precision= revision=""",
    ChatWidget: f"{VERBS} export_html page selected status error height close",
    ChatModel: """from_pretrained encode decode piece text_stream generate generate_many generate_batch beam score
        states unembed log_likelihoods inside forget name= revision= device= device_name= precision= eos= vocabulary=
        positions= parameters= exactness= compact= fingerprint= reused= remark=""",
    Conversation: """turns path tokens leaf next_id find children siblings path_to select undo can_undo clear forget
        copy __getitem__ __contains__""",
    Settings: "replace to_dict from_dict schema bounds",
    TokenTable: "rows= to_pandas to_arrow to_csv to_parquet __getitem__ __len__",
    Turn: "seen",
}
IMPORTED = {  # documented paths, each with the names of members that are documented too
    "dialogpt_widget.chat.Chat": "",
    "dialogpt_widget.settings.PRESETS": "",
    "dialogpt_widget.settings.Preset": "name= help= values= applied",
    "dialogpt_widget.reranking.RERANKERS": "",
    "dialogpt_widget.reranking.Reranking": "rerank= rules= temperature= changed",
    "dialogpt_widget.engine.rerank.Scorer": "name= score",
    "dialogpt_widget.engine.rerank.Likelihood": "name= score",
    "dialogpt_widget.engine.rerank.MMI": "name= score",
    "dialogpt_widget.engine.rerank.DialogRPT": "name= score",
    "dialogpt_widget.engine.rules.Rules": "",
    "dialogpt_widget.many.reply_many": "",
}
PACE = "run pause play mode rate guessing waiting"
COMMANDS = {
    "dialogpt_widget": [[]],
    "dialogpt_widget.training": [
        [],
        ["train"],
        ["narrow"],
        ["evaluate"],
        ["gate"],
        ["diversity"],
        ["export"],
    ],
}


def signature(made: Any) -> str:
    """Names, kinds and defaults of parameters."""
    found = inspect.signature(made)
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values()]
    return str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def first_line(made: Any) -> str | None:
    return (inspect.getdoc(made) or "").partition("\n")[0] or None


def member(owner: type, name: str, example: Any) -> dict[str, Any]:
    """What a name of a class is; an attribute may as well be set on its instances, such as `example`."""
    name, attribute, _ = name.partition("=")
    if attribute:
        assert hasattr(example, name) or name in inspect.get_annotations(owner), f"{owner.__name__} has no {name}"
        return {"kind": "value"}
    static, there = inspect.getattr_static(owner, name), getattr(owner, name)
    trait = hasattr(static, "get_metadata")
    if callable(there) and not trait:
        way = "classmethod" if inspect.ismethod(there) else "method"
        kind = f"async {way}" if inspect.iscoroutinefunction(there) else way
        return {"kind": kind, "signature": signature(there), "doc": first_line(there)}
    assigned = trait or getattr(static, "fset", None) is not None
    return {"kind": "value", "assigned": assigned, "doc": static.help if trait else first_line(static)}


def described(owner: type, names: str, example: Any = None) -> dict[str, Any]:
    """A class, called and looked at."""
    members = {name.removesuffix("="): member(owner, name, example) for name in names.split()}
    made = {"doc": first_line(owner), "names": members}
    if owner is ChatModel or getattr(owner, "_is_protocol", False):
        return made  # made by `from_pretrained`, or by others
    return made | {"signature": signature(owner)} | fields_of(owner)


def fields_of(owner: type) -> dict[str, Any]:
    if not dataclasses.is_dataclass(owner):
        return {}
    return {"fields": [one.name for one in dataclasses.fields(owner)]}


def refused(act: Callable[[], Any]) -> Exception:
    with pytest.raises(Exception) as caught:
        act()
    return caught.value


@pytest.fixture(scope="module")
def chat(mini: ChatModel) -> Chat:
    """A chat in which there is something to look at."""
    chat = Chat(mini, settings=Settings(seed=1, max_new_tokens=8, max_context=128, candidates=2))
    chat.send("Hello!")
    return chat


def test_public_names(mini: ChatModel, chat: Chat, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    """The whole surface at once, so that a diff shows all that has changed."""
    widget = ChatWidget(mini)
    examples = {Chat: chat, ChatWidget: widget, ChatModel: mini, TokenTable: chat.tokens}
    found = {
        "exported": sorted(dialogpt_widget.__all__),
        "classes": {
            owner.__name__: described(owner, names, examples.get(owner)) for owner, names in DOCUMENTED.items()
        },
        "imported": {path: imported(path, names, mini) for path, names in IMPORTED.items()},
        "results": results(chat),
        "errors": errors(chat),
        "settings": Settings.schema(),
        "tokens": {
            "rows": [f"{name} {chat.tokens.rows.dtype[name]}" for name in chat.tokens.rows.dtype.names or ()],
            "arrow": {column.name: str(column.type) for column in chat.tokens.to_arrow().schema},
            "pandas": list(chat.tokens.to_pandas().columns),
        },
        "options": {
            " ".join([module, *command]): options(module, command, capsys, monkeypatch)
            for module, commands in COMMANDS.items()
            for command in commands
        },
    }
    widget.close()
    snapshot.check("public_surface.json", found)


def test_every_verb_of_the_readme_is_among_them() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    table = readme.partition("## The chat's verbs")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"[`.](\w+)", row)}
    told = {f"export{name}" if name.startswith("_") else name for name in told} - {"await", "Chat", "ChatWidget"}
    listed = {name.removesuffix("=") for owner in (Chat, ChatWidget) for name in DOCUMENTED[owner].split()}
    assert len(told) > 40
    assert told - listed == set()


def imported(path: str, names: str, model: ChatModel) -> Any:
    module, _, name = path.rpartition(".")
    there = getattr(importlib.import_module(module), name)
    if name == "Likelihood":
        return described(there, names, there(model))
    if isinstance(there, type):
        example = {"Reranking": there, "MMI": lambda: there("x"), "DialogRPT": there}.get(name)
        return described(there, names, example and example())
    if callable(there):
        return {"signature": signature(there), "doc": first_line(there)}
    if isinstance(there, dict):
        return {key: list(value) for key, value in there.items()}
    return [dataclasses.asdict(one) for one in there]


def results(chat: Chat) -> dict[str, Any]:
    """What verbs return, by the name of its class; found by calling them."""
    reply = chat.path[-1]
    choice, made = chat.explain(reply, 0), chat.candidates()
    slow = Chat(chat.load_model(), settings=Settings(seed=1, max_new_tokens=8))
    slow.say("Hello!")
    slow.step()
    slow.pace.guessing = True
    guess = slow.guess(" a")
    slow.finish()
    widget = ChatWidget(chat.load_model(), conversation=chat.conversation)
    widget._handle_custom_msg({"op": "pin", "id": "p", "turn": reply.id, "index": 0}, [])
    pinned = widget.selected
    widget.close()
    values: list[Any] = [
        reply,
        choice,
        choice.stages[0],
        choice.token,
        chat.ranked(reply, 0)[0],
        chat.inside(reply, 0),
        chat.without(reply, [reply.parent]),
        chat.replay(reply),
        made,
        made.ranking,
        guess,
        chat.context,
        pinned,
        ChatModel.from_pretrained("mini", device="cpu", precision="int8").exactness,
    ]
    found = {}
    for value in values:
        owner = type(value)
        names = [one.name for one in dataclasses.fields(owner)] if dataclasses.is_dataclass(owner) else owner._fields
        found[owner.__name__] = {"doc": first_line(owner), "fields": list(names)}
    pace = described(type(chat.pace), PACE, chat.pace)
    return found | {type(chat.pace).__name__: {"doc": pace["doc"], "names": pace["names"]}}


def errors(chat: Chat) -> dict[str, Any]:
    """What verbs raise, by the name of its class, with the built-in errors that it is one of."""
    raised = [
        refused(lambda: chat.select(99)),
        refused(lambda: chat.pick(99, 0)),
        refused(lambda: ChatModel.from_pretrained("nobody/nothing")),
    ]
    assert isinstance(raised[-1], ModelError)
    assert all(getattr(raised[-1], name) for name in ("kind", "title", "message"))
    assert isinstance(raised[-1].offers, tuple)
    return {
        type(error).__name__: [one.__name__ for one in type(error).__mro__ if one.__module__ == "builtins"]
        for error in raised
    }


def options(module: str, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> list[str]:
    """The options of a command line, as its help tells them."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.argv", [module, *command, "--help"])
    with pytest.raises(SystemExit):
        runpy.run_module(module, run_name="__main__")
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", capsys.readouterr().out)))
