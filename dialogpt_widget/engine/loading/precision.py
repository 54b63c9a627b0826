"""What a precision costs, and float32 copies of weights that are kept between kernels.

The cost is how far distributions are from float32's, on contexts that are always the same. What is kept lies beside the
user's other caches; where nothing can be kept, nothing is lost.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dialogpt_widget.engine.loading.names import check_names
from dialogpt_widget.engine.models.base import GPT2Shape
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.tokenizer import ChatTokenizer
from dialogpt_widget.errors import ModelError


def cache_path(name: str) -> Path:
    """Where something of that name is kept."""
    return Path(platformdirs.user_cache_dir("dialogpt-widget")) / name


def store(file: Path, write: Callable[[Path], object]) -> bool:
    """Has a file written beside its cache_path and moves it there, so that readers never see half of one.

    Returns:
        Whether it could be kept.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            new = Path(folder, file.name)
            write(new)
            new.replace(file)
    except OSError:
        return False
    return True


LARGEST = 16_000_000  # parameters: 64 MB of the user's disk; larger ones stay as they are stored


def widened(weights: Mapping[str, Tensor], files: Iterable[Path]) -> dict[str, Tensor] | None:
    """The same weights in float32, mapped from a file that is written the first time; None where it cannot be.

    Args:
        weights: by name, in any dtype.
        files: that they come from, which name the copy by what is in them.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    copy = cache_path(f"{digest.hexdigest()[:32]}.safetensors")
    try:
        return _fitting(weights, load_file(copy))
    except (OSError, SafetensorError, ValueError):  # not there yet, or damaged
        wide = {name: weight.float().contiguous() for name, weight in weights.items()}
        return load_file(copy) if store(copy, lambda new: save_file(wide, new)) else None


def _fitting(weights: Mapping[str, Tensor], found: dict[str, Tensor]) -> dict[str, Tensor]:
    if {name: weight.shape for name, weight in weights.items()} != {name: kept.shape for name, kept in found.items()}:
        raise ValueError("It is a copy of something else.")
    return found


NOTABLE = 0.05  # nat; what is above is said where the user looks
LONGEST = 64  # tokens of a context, so that mini can read it too
CONTEXTS = (
    ("Hello! How are you today?", "I'm fine, thanks. How about you?", "A bit tired, but it's Friday."),
    ("What do you think of the new film?", "I liked the music more than the story.", "Who wrote it?"),
    ("My dog ran away this morning.", "Oh no! Where did you see him last?", "Near the old bridge, by the river."),
    ("Can you help me with my homework?", "Sure, what is it about?", "Fractions. I never know which part goes on top."),
    ("Does money buy happiness?", "It buys time, which is close.", "Then why are so many rich people unhappy?"),
    ("It has been raining for 3 days :(", "Same here. My garden is a lake now lol"),
)


@dataclass(frozen=True, slots=True)
class Exactness:
    """How far a model's distributions are from those of the same weights in float32.

    Attributes:
        kl: mean over positions of the Kullback-Leibler divergence from float32's distribution, in nat.
        agreement: share of the positions whose most probable token is the same.
        positions: how many were compared.
    """

    kl: float
    agreement: float
    positions: int

    @property
    def notable(self) -> bool:
        """Whether a reader of probabilities should know."""
        return self.kl > NOTABLE

    def __str__(self) -> str:
        return (
            f"{self.kl:.2g} nat from float32 on average, the same first choice at {self.agreement:.0%} "
            f"of {self.positions} places"
        )


def measured(
    shape: GPT2Shape, weights: Mapping[str, Tensor], tokenizer: ChatTokenizer, precision: str
) -> tuple[GPT2, Exactness]:
    """A GPT-2 in another precision than float32 on a CPU, and what that costs on these weights.

    What was measured once is kept beside the user's other caches, by the weights' hash.
    """
    key = _key(weights, precision)
    known = _recall(key)
    if known:
        return GPT2(shape, weights, precision), known
    contexts = [_ids(turns, tokenizer)[: min(LONGEST, shape.positions)] for turns in CONTEXTS]
    exact = _distributions(GPT2(shape, weights), contexts)
    network = GPT2(shape, weights, precision)
    found = compare(exact, _distributions(network, contexts))
    _remember(key, found)
    return network, found


def compare(exact: Tensor, other: Tensor) -> Exactness:
    """Compares log-probabilities `[n, vocabulary]`."""
    apart = (exact.exp() * (exact - other)).sum(-1)
    same = exact.argmax(-1) == other.argmax(-1)
    return Exactness(max(0.0, float(apart.mean())), float(same.float().mean()), len(exact))


@torch.inference_mode()
def _distributions(network: GPT2, contexts: list[list[int]]) -> Tensor:
    return torch.cat([torch.log_softmax(network.unembed(network.states(ids)).float(), -1) for ids in contexts])


def _ids(turns: tuple[str, ...], tokenizer: ChatTokenizer) -> list[int]:
    return [token for turn in turns for token in (*tokenizer.encode(turn), tokenizer.eos)]


def _key(weights: Mapping[str, Tensor], precision: str) -> str:
    """Names these weights in this precision, by this build of PyTorch on this kind of processor."""
    digest = hashlib.sha256(f"{precision} {torch.__version__} {torch.backends.cpu.get_cpu_capability()}".encode())
    digest.update(repr(CONTEXTS).encode())
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(weights[name].contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]


def _file() -> Path:
    return cache_path("exactness.json")


def _recall(key: str) -> Exactness | None:
    try:
        return Exactness(**json.loads(_file().read_text("utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):  # nothing is kept, or what is kept is damaged
        return None


def _remember(key: str, found: Exactness) -> None:
    try:
        kept = dict(json.loads(_file().read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        kept = {}
    store(_file(), lambda new: new.write_text(json.dumps(kept | {key: asdict(found)}), "utf-8"))


def pick_device(device: str = "auto") -> torch.device:
    """The device to run on: the one asked for, else CUDA, else Apple's MPS, else the CPU.

    Raises:
        ModelError: the device that was asked for is not there.
        ValueError: that is not a device.
    """
    check_names(device, "auto")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    wanted = torch.device(device)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(wanted.type, False) or (wanted.index or 0) >= max(1, torch.cuda.device_count()):
        raise ModelError("unsupported", f"There is no device {device!r} here.", 'Use device="auto" or device="cpu".')
    return wanted


def pick_precision(precision: str, device: torch.device) -> str:
    """The dtype to run in: the one asked for, else float32 on a CPU and the 16 bits that a GPU has natively.

    Raises:
        ValueError: that is not a precision.
    """
    check_names("auto", precision)
    if precision == "int8" and device.type != "cpu":
        raise ValueError(f'precision="int8" is for the CPU; a GPU ({device}) runs in bfloat16, float16 or float32.')
    if precision != "auto":
        return precision
    if device.type == "cpu":
        return "float32"
    if device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8:
        return "bfloat16"
    return "float16"
