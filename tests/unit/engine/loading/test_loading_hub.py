"""Models from a hub: progress, the cache, and a network that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from builders import byte_tokenizer, random_gpt2
from IPython.core.interactiveshell import InteractiveShell
from local_hub import COMMIT, Hub


@pytest.fixture
def hub(folder: Path, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(folder, tmp_path / "cache")
    yield hub
    hub.close()


def test_a_download_shows_its_bytes_grow_to_all_of_them_and_is_kept(hub: Hub) -> None:
    first, second = hub.load("someone/model", "someone/model")
    assert (first["name"], first["revision"]) == ("someone/model", COMMIT)
    assert first["ids"] == byte_tokenizer()("Hi!")["input_ids"]
    assert first["told"][0] == ["Looking up someone/model", None]
    shares = [share for what, share in first["told"] if what.startswith("Downloading someone/model")]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(set(shares)) > 4
    assert second["revision"] == COMMIT
    assert not [what for what, _ in second["told"] if what.startswith("Downloading")]
    fetched = [path.rpartition("/")[2] for method, path in hub.requests if method == "GET" and "/resolve/" in path]
    assert sorted(fetched) == sorted(set(fetched))
    assert fetched[-1] == "model.safetensors"
    asked = len(hub.requests)
    (third,) = hub.load("someone/model")
    assert third["revision"] == COMMIT
    assert len(hub.requests) == asked


def test_a_model_that_the_hub_does_not_know(hub: Hub) -> None:
    (error,) = hub.load("someone/typo")
    assert error["kind"] == "not_found"
    assert "'someone/typo'" in error["message"]
    assert error["offers"] == ["mini"]


def test_a_model_without_weights_is_refused_before_anything_is_fetched(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    (error,) = hub.load("someone/model")
    assert error["kind"] == "unsupported"
    assert not [path for _, path in hub.requests if "/resolve/" in path]


@pytest.mark.parametrize("fragile", ["model.safetensors", "tokenizer.json"])
def test_a_hub_that_dies_halfway_can_be_tried_again(hub: Hub, fragile: str) -> None:
    hub.fragile, hub.dies_after = fragile, 2000
    (error,) = hub.load("someone/model")
    assert error["kind"] == "offline"
    assert error["offers"] == ["mini"]
    hub.dead, hub.dies_after = False, None
    (loaded,) = hub.load("someone/model")
    assert loaded["revision"] == COMMIT


def test_a_sharded_download_that_dies_between_shards_can_be_tried_again(hub: Hub, tmp_path: Path) -> None:
    random_gpt2().save_pretrained(tmp_path / "shards", max_shard_size="30KB")
    del hub.files["model.safetensors"]
    hub.files |= {file.name: file.read_bytes() for file in (tmp_path / "shards").iterdir()}
    hub.fragile = max(name for name in hub.files if name.startswith("model-"))
    hub.dies_after = 100
    (error,) = hub.load("someone/model")
    assert error["kind"] == "offline"
    hub.dead, hub.dies_after = False, None
    (loaded,) = hub.load("someone/model")
    assert loaded["revision"] == COMMIT


def test_a_hub_that_does_not_answer(hub: Hub) -> None:
    hub.dead = True
    (error,) = hub.load("someone/model")
    assert error["kind"] == "offline"
    assert "did not answer" in error["message"]


def test_a_notebook_shows_the_words_and_no_traceback() -> None:
    shell = InteractiveShell()
    with redirect_stdout(StringIO()) as shown:
        shell.run_cell("from dialogpt_widget import ModelError\nraise ModelError('disk', 'It is full.', 'Free some.')")
    assert shown.getvalue().split("\n") == ["ModelError: It is full. Free some.", ""]


def test_offline_mode_asks_nobody(hub: Hub) -> None:
    (error,) = hub.load("someone/model", HF_HUB_OFFLINE="1")
    assert error["kind"] == "offline"
    assert hub.requests == []


def test_a_disk_that_is_full(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    import huggingface_hub
    from huggingface_hub import HfApi

    from dialogpt_widget.engine.loading import hub as product
    from dialogpt_widget.errors import ModelError

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    class Found:
        siblings = (type("File", (), {"rfilename": "pytorch_model.bin", "size": 10})(),)

    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: Found())
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(ModelError) as caught:
        product.download("someone/model", None, lambda *_: None, lambda size, mapped: None)
    assert caught.value.kind == "disk"


def test_the_size_is_checked_before_the_weights_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import HfApi

    from dialogpt_widget.engine.loading import hub as product

    class Found:
        siblings = (type("File", (), {"rfilename": "pytorch_model.bin", "size": 10**12})(),)

    def check(size: int, *, mapped: bool) -> None:
        raise MemoryError(f"{size} {mapped}")

    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: Found())
    with pytest.raises(MemoryError, match="1000000000000 False"):
        product.download("someone/model", None, lambda *_: None, check)
