"""Training of a GPT-2 of one's own, or fine-tuning of a named one, with transformers' Trainer.

The Trainer brings checkpoints, resuming and several GPUs or machines: start the same command with ``accelerate launch``
or ``torchrun``. The matrices inside the blocks are trained by Muon, Keller Jordan's algorithm
(https://kellerjordan.github.io/posts/muon/), in float32, as CPUs want it: momentum whose updates are made orthogonal,
with GPT-2's fused query-key-value matrix treated as three; everything else by AdamW. A small model needs markedly fewer
tokens that way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    default_data_collator,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from .data import (
    DataError,
    PackedDialogues,
    encode_dialogue,
    learn_vocabulary,
    pack,
    path_and_repeats,
    read_dialogues,
    read_mixture,
    reverse_pairs,
)


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrix, roughly (singular values between 0.7 and 1.2), by Newton-Schulz iteration.

    Args:
        matrix: [..., rows, columns].
        steps: Iterations of the quintic.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.size(-2) > matrix.size(-1)
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.mT if tall else x
    return result


class Muon(torch.optim.Optimizer):
    """Muon and AdamW in one optimizer; parameter groups with ``muon=True`` hold the matrices.

    Args:
        model: A GPT-2 whose parameters are divided between the two.
        lr: Step size of the matrices, in units of their spectral norm.
        adam_lr: Step size of embeddings, norms and biases.
        momentum: Of the matrices.
        betas: Of AdamW.
    """

    def __init__(
        self,
        model: nn.Module,
        lr: float = 0.02,
        adam_lr: float = 2e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.95),
    ) -> None:
        matrices: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in model.named_parameters():
            inside = ".h." in name and parameter.ndim == 2
            (matrices if inside else others).append(parameter)
        groups = [
            {"params": matrices, "lr": lr, "muon": True},
            {"params": others, "lr": adam_lr, "muon": False},
        ]
        super().__init__([group for group in groups if group["params"]], {"momentum": momentum, "betas": betas})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._muon if group["muon"] else self._adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    update(parameter, parameter.grad, group)
        return loss

    def _muon(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(state["momentum"], group["momentum"])
        rows, columns = direction.shape  # GPT-2's Conv1D: input x output
        parts = 3 if columns == 3 * rows else 1
        stacked = direction.view(rows, parts, columns // parts).transpose(0, 1)
        step = orthogonalised(stacked).transpose(0, 1).reshape(rows, columns)
        parameter.add_(step, alpha=-group["lr"] * max(1.0, columns / parts / rows) ** 0.5)

    def _adam(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["count"] = torch.zeros(())
            state["mean"] = torch.zeros_like(parameter)
            state["square"] = torch.zeros_like(parameter)
        first, second = group["betas"]
        state["count"] += 1
        count = float(state["count"])
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient * gradient, 1 - second)
        scale = (state["square"] / (1 - second**count)).sqrt_().add_(1e-8)
        parameter.addcdiv_(state["mean"], scale, value=-group["lr"] / (1 - first**count))


@dataclass
class Recipe:
    """Everything that decides a run.

    Attributes:
        data: Files of dialogues, each optionally ``@N`` to read it N times.
        out: Folder for checkpoints and the result.
        model: Name or folder of a model to fine-tune; None trains a new one.
        tokenizer: Folder of a tokenizer for a new model; None learns one from the data.
        heldout: Dialogues for the loss printed while training.
        vocab_size, layers, width, heads, positions: Shape of a new model.
        block: Tokens a training block.
        joined: Share of blocks whose dialogues follow each other as one chat; none with ``reverse``.
        passes: Packings of the data that make one epoch.
        batch: Blocks a step and device.
        accumulate: Steps whose gradients make one update.
        steps: Updates in all.
        warmup, decay: Updates in which the learning rate rises and, at the end, falls to zero; constant between.
        optimizer: "adamw", or "muon" for new models.
        lr: Learning rate; None takes 5e-5 to fine-tune, 2e-3 (adamw) or 0.02 (muon's matrices) otherwise.
        dropout: Of a new model.
        save_every: Updates between checkpoints.
        keep: Checkpoints kept.
        resume: Go on from the newest checkpoint in ``out``.
        seed: Of weights and order.
        reverse: Train a backward model: each turn from the one that answers it, pair by pair.
        cpu: Use no GPU.
    """

    data: list[str]
    out: str
    model: str | None = None
    tokenizer: str | None = None
    heldout: list[str] = field(default_factory=list)
    vocab_size: int = 3584
    layers: int = 6
    width: int = 256
    heads: int = 8
    positions: int = 1024
    block: int = 128
    joined: float = 0.25
    passes: int = 1
    batch: int = 32
    accumulate: int = 1
    steps: int = 2000
    warmup: int = 50
    decay: int = 400
    optimizer: str = "adamw"
    lr: float | None = None
    dropout: float = 0.0
    save_every: int = 100
    keep: int = 2
    resume: bool = False
    seed: int = 0
    reverse: bool = False
    cpu: bool = False

    @property
    def learning_rate(self) -> float:
        """``lr``, or what suits the kind of run."""
        if self.lr is not None:
            return self.lr
        if self.optimizer == "muon":
            return 0.02
        return 5e-5 if self.model else 2e-3


def prepare(recipe: Recipe) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads the model to fine-tune, or makes a new one, with its tokenizer."""
    if recipe.model:
        try:
            tokenizer = AutoTokenizer.from_pretrained(recipe.model)
            model = AutoModelForCausalLM.from_pretrained(recipe.model, dtype=torch.float32)
        except (OSError, ValueError) as error:
            raise DataError(f"{recipe.model}: cannot be loaded as a model ({error})") from error
        return model, tokenizer
    tokenizer = new_tokenizer(recipe)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=recipe.positions,
        n_embd=recipe.width,
        n_layer=recipe.layers,
        n_head=recipe.heads,
        resid_pdrop=recipe.dropout,
        embd_pdrop=recipe.dropout,
        attn_pdrop=recipe.dropout,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=True,
    )
    return GPT2LMHeadModel(config), tokenizer


def new_tokenizer(recipe: Recipe) -> PreTrainedTokenizerBase:
    """The given tokenizer, that of an earlier start of this run, or one learned from the data."""
    earlier = Path(recipe.out, "tokenizer")
    if recipe.tokenizer or earlier.is_dir():
        return AutoTokenizer.from_pretrained(recipe.tokenizer or earlier)
    files = [path_and_repeats(source)[0] for source in recipe.data]
    turns = (turn for path in files for dialogue in read_dialogues(path) for turn in dialogue)
    return learn_vocabulary(turns, recipe.vocab_size, recipe.positions)


def packed(
    recipe: Recipe, tokenizer: PreTrainedTokenizerBase, sources: list[str], positions: int, passes: int = 1
) -> PackedDialogues:
    """Reads, encodes and packs files of dialogues."""
    memo: dict[tuple[str, ...], list[int]] = {}
    encoded = []
    dialogues = read_mixture(sources)
    for turns in reverse_pairs(dialogues) if recipe.reverse else dialogues:
        key = tuple(turns)
        if key not in memo:
            memo[key] = encode_dialogue(tokenizer, turns)
        encoded.append(memo[key])
    if not encoded:
        raise DataError("nothing to train on: a backward model needs dialogues of at least two turns")
    return PackedDialogues(
        pack(
            encoded,
            tokenizer.eos_token_id,
            recipe.block,
            positions=positions,
            joined=0.0 if recipe.reverse else recipe.joined,
            passes=passes,
            seed=recipe.seed,
            opening_given=recipe.reverse,
        )
    )


def train(recipe: Recipe) -> Path:
    """Trains as the recipe says and saves the model with its tokenizer.

    Returns:
        The folder of the finished model, ``out/final``.

    Raises:
        DataError: The data, model or recipe cannot be used.
    """
    set_seed(recipe.seed)
    out = Path(recipe.out)
    checkpoint = get_last_checkpoint(recipe.out) if out.is_dir() else None
    if recipe.resume and checkpoint is None:
        raise DataError(f"{out}: holds no checkpoint to resume from")
    if checkpoint and not recipe.resume:
        raise DataError(f"{out}: holds checkpoints already; add --resume to go on, or choose another --out")
    args = arguments(recipe)
    with args.main_process_first(desc="reading"):
        model, tokenizer = prepare(recipe)
        longest = int(getattr(model.config, "n_positions", recipe.block))
        if recipe.block > longest:
            raise DataError(f"--block {recipe.block} is more than the model's {longest} positions")
        training = packed(recipe, tokenizer, recipe.data, longest, recipe.passes)
        heldout = packed(recipe, tokenizer, recipe.heldout, longest) if recipe.heldout else None
        if args.process_index == 0:
            tokenizer.save_pretrained(out / "tokenizer")
            (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1), encoding="utf-8")
            parameters = sum(parameter.numel() for parameter in model.parameters())
            print(f"{parameters:,} parameters; {len(training):,} blocks of {recipe.block} tokens", flush=True)
    muon = Muon(model, recipe.learning_rate) if recipe.optimizer == "muon" else None
    trainer = Trainer(
        model=model,
        args=args,
        train_dataset=training,
        eval_dataset=heldout,
        data_collator=default_data_collator,
        processing_class=tokenizer,
        optimizers=(muon, None),
        callbacks=[NewPace()],
    )
    trainer.train(resume_from_checkpoint=checkpoint)
    final = out / "final"
    trainer.save_model(str(final))
    return final


class NewPace(TrainerCallback):  # type: ignore[misc]
    """Lets a resumed run log, evaluate and save as often as it is told now, not as it was told at first."""

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, _: TrainerControl, **__: Any) -> None:
        """Called by the Trainer once the checkpoint's state is read."""
        state.logging_steps, state.eval_steps, state.save_steps = args.logging_steps, args.eval_steps, args.save_steps


def arguments(recipe: Recipe) -> TrainingArguments:
    """The recipe in the Trainer's words."""
    return TrainingArguments(
        output_dir=recipe.out,
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.batch,
        per_device_eval_batch_size=recipe.batch,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": min(recipe.decay, max(0, recipe.steps - recipe.warmup))},
        warmup_steps=recipe.warmup,
        weight_decay=0.01,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        logging_steps=min(20, recipe.save_every),
        save_steps=recipe.save_every,
        save_total_limit=recipe.keep,
        eval_strategy="steps" if recipe.heldout else "no",
        eval_steps=recipe.save_every,
        prediction_loss_only=True,
        include_num_input_tokens_seen="all",
        disable_tqdm=True,
        report_to="none",
        seed=recipe.seed,
        use_cpu=recipe.cpu,
    )
