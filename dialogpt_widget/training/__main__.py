"""The command line of training: ``python -m dialogpt_widget.training --help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

DESCRIPTION = """\
Trains, evaluates and exports dialogue models.

  narrow     keep the short everyday windows of a corpus
  train      a GPT-2 of one's own, or fine-tune a named model
  evaluate   perplexity a token and bits a byte on held-out dialogues
  gate       answer the sixty everyday prompts
  diversity  distinct-2 and entropy-4 of greedy decoding, sampling and MMI
  export     write a run as a small model folder

Dialogues are JSONL, plain or .gz or .xz: one {"turns": ["Hello!", "Hi there."]} a line.
"""


def parser() -> argparse.ArgumentParser:
    """All commands and options."""
    main = argparse.ArgumentParser(
        prog="python -m dialogpt_widget.training",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train or fine-tune", description=TRAIN))
    narrow = commands.add_parser("narrow", help="narrow a corpus", description="Keeps short windows in common words.")
    narrow.add_argument("--data", nargs="+", required=True, metavar="FILE", help="dialogues to choose from")
    narrow.add_argument("--out", required=True, metavar="FILE", help="JSONL to write")
    narrow.add_argument("--words", type=int, default=18, help="longest turn, in words (%(default)s)")
    narrow.add_argument("--turns", type=int, default=6, help="longest window, in turns (%(default)s)")
    narrow.add_argument("--vocabulary", type=int, default=3000, help="how many words are common (%(default)s)")
    narrow.add_argument("--standalone", action="store_true", help="only windows whose opening needs nothing before it")
    instead = narrow.add_mutually_exclusive_group()
    instead.add_argument("--answers", metavar="FILE", help="JSON {stock answer: [new answers]}: answer anew instead")
    instead.add_argument("--forms", metavar="FILE", help="JSON [[form, [answers]]]: answer sentences by form instead")
    evaluate = commands.add_parser("evaluate", help="score held-out dialogues")
    evaluate.add_argument("--model", required=True, help="name or folder")
    evaluate.add_argument("--data", nargs="+", required=True, metavar="FILE", help="dialogues the model never saw")
    evaluate.add_argument("--reverse", action="store_true", help="it is a backward model")
    evaluate.add_argument("--cpu", action="store_true", help="use no GPU")
    gate = commands.add_parser("gate", help="answer the sixty prompts")
    gate.add_argument("--model", required=True, help="name or folder")
    gate.add_argument("--cpu", action="store_true", help="use no GPU")
    diversity = commands.add_parser("diversity", help="compare how varied decoders are")
    diversity.add_argument("--model", default="mini", help="name or folder (%(default)s)")
    diversity.add_argument("--data", nargs="+", required=True, metavar="FILE", help="dialogues the model never saw")
    diversity.add_argument("--contexts", type=int, default=500, help="how many are answered (%(default)s)")
    diversity.add_argument("--candidates", type=int, default=10, help="samples to choose between (%(default)s)")
    diversity.add_argument("--seed", type=int, default=0, help="of the samples (%(default)s)")
    export = commands.add_parser("export", help="write a run as a model folder")
    export.add_argument("run", help="the run's folder, or one of its checkpoints")
    export.add_argument("target", help="the folder to write")
    return main


TRAIN = """Trains with transformers' Trainer. For several GPUs or machines start it with "accelerate launch -m
dialogpt_widget.training train ..." or torchrun. Progress is printed, checkpoints go to --out, and --resume goes on from
the newest one; with other --data, --steps or --decay it goes on with those."""


def _add_train(train: argparse.ArgumentParser) -> None:
    add = train.add_argument
    add("--data", nargs="+", required=True, metavar="FILE[@N]", help="dialogues; FILE@3 is read three times")
    add("--out", required=True, help="folder for checkpoints and the result (OUT/final)")
    add("--model", help="name or folder of a model to fine-tune; default: a new GPT-2")
    add("--tokenizer", help="folder of a tokenizer for the new model; default: learn one from the data")
    add("--heldout", nargs="+", default=[], metavar="FILE", help="dialogues whose loss is printed at checkpoints")
    add("--resume", action="store_true", help="go on from the newest checkpoint in OUT")
    add("--reverse", action="store_true", help="a backward model, which MMI reranks with: each turn from its answer")
    shape = train.add_argument_group("shape of a new model").add_argument
    shape("--vocab-size", type=int, default=3584, help="byte-level BPE entries (%(default)s)")
    shape("--layers", type=int, default=6, help="(%(default)s)")
    shape("--width", type=int, default=256, help="(%(default)s)")
    shape("--heads", type=int, default=8, help="(%(default)s)")
    shape("--positions", type=int, default=1024, help="longest input, in tokens (%(default)s)")
    shape("--dropout", type=float, default=0.0, help="(%(default)s)")
    pace = train.add_argument_group("pace").add_argument
    pace("--steps", type=int, default=2000, help="updates in all (%(default)s)")
    pace("--warmup", type=int, default=50, help="updates until the full learning rate (%(default)s)")
    pace("--decay", type=int, default=400, help="updates at the end in which it falls to zero (%(default)s)")
    pace("--batch", type=int, default=32, help="blocks a step and device (%(default)s)")
    pace("--accumulate", type=int, default=1, help="steps an update (%(default)s)")
    pace("--block", type=int, default=128, help="tokens a block (%(default)s)")
    pace("--joined", type=float, default=0.25, help="share of blocks that are one chat on several topics (%(default)s)")
    pace("--passes", type=int, default=1, help="packings of the data an epoch (%(default)s)")
    pace("--optimizer", choices=["adamw", "muon"], default="adamw", help="muon for new models (%(default)s)")
    pace("--lr", type=float, help="default: 5e-5 to fine-tune, 2e-3 new with adamw, 0.02 with muon")
    pace("--save-every", type=int, default=100, help="updates between checkpoints (%(default)s)")
    pace("--keep", type=int, default=2, help="checkpoints kept (%(default)s)")
    pace("--seed", type=int, default=0, help="(%(default)s)")
    pace("--cpu", action="store_true", help="use no GPU")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    options = vars(parser().parse_args(arguments))
    command = COMMANDS[options.pop("command")]
    from .data import DataError

    try:
        command(options)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _train(options: dict[str, object]) -> None:
    from .train import Recipe, train

    recipe = Recipe(**options)  # type: ignore[arg-type]
    print(f"saved to {train(recipe)}")


def _narrow(options: dict[str, object]) -> None:
    from . import narrow
    from .data import read_mixture
    from .evaluate import prompts

    dialogues = read_mixture(list(options["data"]))  # type: ignore[call-overload]
    diet = narrow.Diet(**{name: options[name] for name in ("words", "turns", "vocabulary", "standalone")})  # type: ignore[arg-type]
    if options["answers"]:
        kept = narrow.reanswer(dialogues, narrow.read_json(str(options["answers"])))
    elif options["forms"]:
        kept = narrow.answer_forms(dialogues, narrow.read_json(str(options["forms"])), diet)
    else:
        kept = narrow.narrow(dialogues, diet)
    count = narrow.write_dialogues(narrow.without(kept, prompts()), Path(str(options["out"])))
    print(f"{count:,} dialogues kept of {len(dialogues):,}")


def _evaluate(options: dict[str, object]) -> None:
    from .data import read_mixture
    from .evaluate import load, score

    model, tokenizer = load(str(options["model"]), cpu=bool(options["cpu"]))
    dialogues = read_mixture(list(options["data"]))  # type: ignore[call-overload]
    result = score(model, tokenizer, dialogues, reverse=bool(options["reverse"]))
    print(f"{result.dialogues:,} dialogues, {result.tokens:,} tokens, {result.size:,} bytes")
    print(f"perplexity {result.perplexity:.2f} a token ({result.nats / result.tokens:.3f} nats)")
    print(f"{result.bits_per_byte:.3f} bits a byte")


def _gate(options: dict[str, object]) -> None:
    from .evaluate import answer_prompts, answers_table, load

    print(answers_table(answer_prompts(*load(str(options["model"]), cpu=bool(options["cpu"])))))


def _diversity(options: dict[str, object]) -> None:
    from dialogpt_widget.chat.chat import Chat

    from .data import read_mixture
    from .evaluate import compare_decoders

    chat = Chat(str(options["model"]))
    chat.settings = chat.settings.replace(seed=options["seed"])
    dialogues = read_mixture(list(options["data"]))  # type: ignore[call-overload]
    found = compare_decoders(chat, dialogues, int(str(options["contexts"])), int(str(options["candidates"])))
    print("| replies | distinct-2 | entropy-4 | words a reply |\n|---|---|---|---|")
    for one in found:
        print(f"| {one.name} | {one.distinct:.3f} | {one.entropy:.2f} | {one.words:.1f} |")


def _export(options: dict[str, object]) -> None:
    from .export import export

    size = export(str(options["run"]), str(options["target"]))
    print(f"{options['target']}: weights of {size / 1e6:.2f} MB")


COMMANDS = {
    "train": _train,
    "narrow": _narrow,
    "evaluate": _evaluate,
    "gate": _gate,
    "diversity": _diversity,
    "export": _export,
}


if __name__ == "__main__":
    sys.exit(main())
