"""``python -m ttlib``: train, score, export, translate, and fetch data.

train PRESET [name=value …] --out DIR     a new run; torchrun --nproc-per-node=N -m ttlib train … for several processes
train --resume DIR [name=value …]         go on where a run stopped, or with other settings from there on
score DIR [--part test] [--limit N] [--src synodal]   BLEU and chrF on held-out verses
export DIR FOLDER                         averaged weights in bfloat16, with provenance
translate TEXT …                          with the shipped model
data NAME [--deb FILE]                    put a corpus into the cache folder
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttlib.errors import DataError, InputError, require

if TYPE_CHECKING:
    from ttlib.presets.translate import TranslationRun


def train(args: argparse.Namespace) -> None:
    """Start or resume a run."""
    from ttlib.train.dist import join_world
    from ttlib.train.translation import begin, prepare

    out, run, command = _resumed(args) if args.resume else _new(args)
    with join_world() as world:
        prepared = prepare(run.data, run.model, run.train, world, out if args.resume else None)
        if args.resume:
            prepared.trainer.resume(out / "checkpoint")
        if world.is_first:
            begin(out, {"command": command, "config": dataclasses.asdict(run)}, prepared)
        history = prepared.trainer.run(out / "checkpoint")
        if world.is_first:
            print(json.dumps(history[-1]))


def _new(args: argparse.Namespace) -> tuple[Path, "TranslationRun", str]:
    from ttlib import presets
    from ttlib.train.config import override

    names = [name for name in presets.__all__ if name.startswith("translate")]
    if args.preset not in names:
        raise InputError(f"preset: got {args.preset!r}, need one of {', '.join(names)}")
    if args.out is None:
        raise InputError("--out: got nothing, need the folder of the run, such as --out runs/a")
    if (args.out / "run.json").exists():
        raise InputError(f"--out: {args.out} holds a run already, need a new folder, or --resume {args.out}")
    command = " ".join(["python -m ttlib train", args.preset, *args.settings])
    return args.out, override(getattr(presets, args.preset)(), args.settings), command


def _resumed(args: argparse.Namespace) -> tuple[Path, "TranslationRun", str]:
    from ttlib.data.translation import TranslationData
    from ttlib.models.config import Seq2SeqConfig
    from ttlib.presets.translate import TranslationRun
    from ttlib.train.config import TrainConfig, override

    settings = [*filter(None, [args.preset]), *args.settings]
    record = _record(args.resume / "run.json")
    config = record["config"]
    run = TranslationRun(
        data=TranslationData(**config["data"]),
        model=Seq2SeqConfig(**config["model"]),
        train=TrainConfig(**config["train"]),
    )
    resumed = " ".join([f"{record['command']}; python -m ttlib train --resume", *settings])
    return args.resume, override(run, settings), resumed if settings else record["command"]


def score(args: argparse.Namespace) -> None:
    """Translate a held-out part and print the scores."""
    from ttlib.data.translation import TranslationData, load_split
    from ttlib.generate.score import score as compute
    from ttlib.pretrained.shipped import load_translator

    translator = load_translator(args.folder)
    pairs = getattr(load_split(TranslationData(src=args.src)), args.part)[: args.limit]
    hypotheses = translator.translate([p.src for p in pairs], beam=args.beam)
    for result in compute(hypotheses, [p.tgt for p in pairs]):
        print(result, result.signature)


def export(args: argparse.Namespace) -> None:
    """Write a shippable folder."""
    from ttlib.pretrained.shipped import export as write

    for note in args.notes:
        require("=" in note, "note", note, "name=value, such as minutes=68")
    print(write(args.run_folder, args.folder, dict(note.split("=", 1) for note in args.notes)))


def translate(args: argparse.Namespace) -> None:
    """Translate the sentences given."""
    from ttlib.pretrained.shipped import load_translator

    for line in load_translator().translate(args.text, edition=args.edition, beam=args.beam):
        print(line)


def data(args: argparse.Namespace) -> None:
    """Fetch a corpus."""
    from ttlib.data.cataclysm import fetch

    print(fetch(args.deb))


def _record(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"no file {path}; need the folder of a training run")
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from error


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser("ttlib", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    p = commands.add_parser("train", help="train a model")
    p.add_argument("preset", nargs="?")
    p.add_argument("settings", nargs="*", metavar="name=value")
    p.add_argument("--out", type=Path)
    p.add_argument("--resume", type=Path)
    p.set_defaults(run=train)
    p = commands.add_parser("score", help="BLEU and chrF of a shipped or exported model")
    p.add_argument("folder", type=Path)
    p.add_argument("--part", choices=["valid", "test"], default="test")
    p.add_argument("--limit", type=int)
    p.add_argument("--beam", type=int, default=4)
    p.add_argument("--src", default="synodal", help="the edition to translate from, such as segond (French)")
    p.set_defaults(run=score)
    p = commands.add_parser("export", help="averaged weights in bfloat16")
    p.add_argument("run_folder", type=Path)
    p.add_argument("folder", type=Path)
    p.add_argument("notes", nargs="*", metavar="name=value", help="written into provenance.json")
    p.set_defaults(run=export)
    p = commands.add_parser("translate", help="translate with the shipped model")
    p.add_argument("text", nargs="+")
    p.add_argument("--edition", default="basic")
    p.add_argument("--beam", type=int, default=4)
    p.set_defaults(run=translate)
    p = commands.add_parser("data", help="put a corpus into the cache folder")
    p.add_argument("name", choices=["cataclysm"])
    p.add_argument("--deb", type=Path, help="Debian's package file, where apt is not at hand")
    p.set_defaults(run=data)
    return top


def main(arguments: list[str]) -> int:
    """Run one command; wrong input ends with one line, not a traceback."""
    args = parser().parse_args(arguments)
    try:
        args.run(args)
    except (InputError, DataError) as error:
        print(f"ttlib: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
