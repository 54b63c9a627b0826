"""What the unit tests share: random GPT-2s of two narrow layers, the embedded model, GPT-2's own tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from builders import byte_tokenizer, chat_model, gpt2_tokenizer, random_gpt2, save_folder
from hypothesis import HealthCheck, settings

from dialogpt_widget import ChatWidget
from dialogpt_widget.engine.model import ChatModel

settings.register_profile(
    "tests", deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile("tests")


# Models this small only wait for a second thread. And a model keeps the number of threads that it was loaded with, so
# that those made while tests are collected would differ in their last digits from those made in tests.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """The same after a test that has set another number."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A byte-level tokenizer of 300 ids, EOS `<|endoftext|>` the last."""
    return byte_tokenizer()


@pytest.fixture(scope="session")
def gpt2() -> Any:
    """The tokenizer that GPT-2 and DialoGPT share."""
    return gpt2_tokenizer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tiny model as safetensors, and its tokenizer."""
    return save_folder(tmp_path / "tiny", random_gpt2(), byte_tokenizer())


@pytest.fixture(scope="session")
def make_model() -> Callable[..., ChatModel]:
    """Makes tiny models; see `builders.chat_model`."""
    return chat_model


@pytest.fixture
def model() -> ChatModel:
    """A tiny model of 256 positions whose replies end now and then."""
    return chat_model()


@pytest.fixture(scope="session")
def mini() -> ChatModel:
    """The embedded model."""
    return ChatModel.from_pretrained("mini", device="cpu", precision="float32")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Models by name: one that loads, or an error. `loads` counts."""
    known: dict[str, Any] = {"loads": []}

    def make(name: str, **_: Any) -> ChatModel:
        known["loads"].append(name)
        found = known[name]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    monkeypatch.setattr(ChatModel, "from_pretrained", staticmethod(make))
    yield known
    ChatWidget.close_all()
