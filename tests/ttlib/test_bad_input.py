"""Wrong input gets one clear message that names the argument, what was given and what is needed."""

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ttlib import runtime
from ttlib.__main__ import main
from ttlib.data.bible import verse_pairs
from ttlib.data.pairs import batches_by_tokens, pad_rows
from ttlib.errors import DataError, InputError
from ttlib.generate.greedy import greedy
from ttlib.models.config import EncoderConfig, Seq2SeqConfig
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn import masks
from ttlib.nn.attention import check_shapes
from ttlib.nn.dropout import Dropout
from ttlib.nn.multihead import MultiHeadAttention
from ttlib.nn.positions import LearnedPositions, SinusoidalPositions, sinusoids
from ttlib.text.subwords import Subwords
from ttlib.train.checkpoint import load_weights, read_weights, save_checkpoint
from ttlib.train.config import TrainConfig, override

CONFIG = Seq2SeqConfig(src_vocab_size=30, tgt_vocab_size=25, d_model=16, n_heads=4, d_ff=32, max_len=8)
X = torch.randn(2, 3, 16)
LONG = torch.full((2, 9), 4)
GOOD = torch.full((2, 3), 4)


def net() -> Seq2Seq:
    return Seq2Seq(CONFIG).eval()


CASES: dict[str, tuple[Callable[[], object], str]] = {
    "heads": (lambda: MultiHeadAttention(16, 3), "n_heads: got 3, need a divisor of d_model=16"),
    "config heads": (lambda: dataclasses.replace(CONFIG, n_heads=5), "n_heads: got 5, need a divisor of d_model=16"),
    "config size": (lambda: dataclasses.replace(CONFIG, d_ff=0), "d_ff: got 0, need a positive number"),
    "config dropout": (
        lambda: dataclasses.replace(CONFIG, dropout=1.0),
        "dropout: got 1.0, need a probability below 1",
    ),
    "pad outside the smaller vocabulary": (
        lambda: dataclasses.replace(CONFIG, pad_id=25),
        "pad_id: got 25, need 0 to 24, an id of tgt_vocab_size=25",
    ),
    "pad outside the source's": (
        lambda: dataclasses.replace(CONFIG, tgt_vocab_size=40, pad_id=30),
        "pad_id: got 30, need 0 to 29, an id of src_vocab_size=30",
    ),
    "bos": (
        lambda: dataclasses.replace(CONFIG, bos_id=-1),
        "bos_id: got -1, need 0 to 24, an id of tgt_vocab_size=25",
    ),
    "eos": (
        lambda: dataclasses.replace(CONFIG, eos_id=25),
        "eos_id: got 25, need 0 to 24, an id of tgt_vocab_size=25",
    ),
    "encoder pad": (
        lambda: EncoderConfig(vocab_size=9, pad_id=9),
        "pad_id: got 9, need 0 to 8, an id of vocab_size=9",
    ),
    "encoder size": (lambda: EncoderConfig(vocab_size=0), "vocab_size: got 0, need a positive number"),
    "encoder layers": (lambda: EncoderConfig(vocab_size=9, n_layers=0), "n_layers: got 0, need a positive number"),
    "encoder heads": (
        lambda: EncoderConfig(vocab_size=9, d_model=16, n_heads=3),
        "n_heads: got 3, need a divisor of d_model=16",
    ),
    "encoder dropout": (
        lambda: EncoderConfig(vocab_size=9, dropout=-0.1),
        "dropout: got -0.1, need a probability below 1",
    ),
    "mask shape": (
        lambda: MultiHeadAttention(16, 4)(X, X, torch.ones(2, 4, dtype=torch.bool)),
        r"mask: got \(2, 4\), need a shape that broadcasts to \(B, H, T, S\) = \(2, 4, 3, 3\)",
    ),
    "keys": (lambda: check_shapes(torch.ones(2, 4), torch.ones(2, 6)), r"k: got \(2, 6\), need the queries' last"),
    "values": (
        lambda: check_shapes(torch.ones(2, 4), torch.ones(3, 4), torch.ones(2, 4)),
        r"v: got \(2, 4\), need one",
    ),
    "causal": (lambda: masks.causal(4, 2), "n_keys: got 2, need at least n_queries=4"),
    "odd": (lambda: sinusoids(4, 7), "d_model: got 7, need an even number"),
    "positions": (lambda: SinusoidalPositions(8, 16)(torch.ones(1, 9, 16)), "length: got 9, need at most max_len=8"),
    "positions later": (lambda: LearnedPositions(8, 16)(torch.ones(1, 2, 16), 7), "got 9, need at most max_len=8"),
    "too long": (lambda: net()(LONG, GOOD), "sequence length: got 9, need at most max_len=8 positions"),
    "ids above": (lambda: net()(GOOD + 26, GOOD), "src: got ids from 30 to 30, need 0 to 29"),
    "ids below": (lambda: net()(GOOD, GOOD - 5), "tgt: got ids from -1 to -1, need 0 to 24"),
    "empty": (lambda: net()(GOOD[:0], GOOD[:0]), r"src: got shape \(0, 3\), need \(batch, length\)"),
    "no rows": (lambda: pad_rows([]), "rows"),
    "budget": (
        lambda: batches_by_tokens([([3] * 9, [1] * 9)], 10, torch.Generator()),
        "max_tokens: got 10, need at least 17",
    ),
    "generation": (lambda: greedy(net(), GOOD, 9), "max_len: got 9, need 1 to 8"),
    "dropout": (lambda: Dropout(1.0), "p: got 1.0, need a probability below 1"),
    "edition": (lambda: next(verse_pairs(tgt="klingon")), "tgt: got 'klingon', need one of synodal"),
    "vocabulary": (lambda: Subwords.train(["абвгдежз"], 6), "vocab_size: got 6, need at least"),
    "no text": (lambda: Subwords.train([], 50), "texts: got 'nothing', need some text"),
    "piece": (lambda: Subwords.train(["aa bb"], 50).id_of("<tag>"), "piece: got '<tag>', need a token"),
    "setting": (lambda: override(TrainConfig(), ["stepz=3"]), "'stepz' is unknown; did you mean 'steps'"),
    "value": (lambda: override(TrainConfig(), ["steps=many"]), "setting steps: got 'many', need int"),
    "form": (lambda: override(TrainConfig(), ["steps"]), "setting: got 'steps', need name=value"),
    "range": (lambda: override(TrainConfig(), ["steps=0"]), "steps: got 0, need a positive number"),
    "schedule": (lambda: TrainConfig(schedule="flat"), "schedule: got 'flat', need cosine or inverse_sqrt"),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name: str) -> None:
    call, message = CASES[name]
    with pytest.raises(InputError, match=message):
        call()


def test_float_mask() -> None:
    with pytest.raises(InputError, match=r"mask: got torch\.float32, need torch.bool with True = may attend"):
        masks.check_mask(torch.zeros(3, 3), (2, 4, 3, 3))


def test_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTLIB_PRESET", "huge")
    with pytest.raises(InputError, match="TTLIB_PRESET: got 'huge', need one of ci, cpu, gpu"):
        runtime.preset()


def test_source_and_target_of_different_rows() -> None:
    model = net()
    memory, mask = model.encode(GOOD)
    decode = inspect.unwrap(Seq2Seq.decode)  # in tests, the annotated shapes would stop it first
    with pytest.raises(InputError, match=r"tgt: got \(4, 3\), need as many rows as the source, 2"):
        decode(model, GOOD.repeat(2, 1), memory, mask)


def test_shapes_are_checked_in_tests() -> None:
    with pytest.raises(TypeError):
        MultiHeadAttention(16, 4)(torch.randn(3, 16), X)


def test_checkpoints(tmp_path: Path) -> None:
    model = net()
    save_checkpoint(tmp_path / "c", model.state_dict(), model.state_dict(), {}, {})
    weights = tmp_path / "c" / "model.safetensors"
    other = Seq2Seq(dataclasses.replace(CONFIG, d_ff=40))
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(InputError, match=r"of another configuration.*w_1.weight is \(32, 16\) there, \(40, 16\) here"):
        load_weights(other, read_weights(weights))
    assert all(torch.equal(before[name], value) for name, value in other.state_dict().items())
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match="truncated or damaged"):
        read_weights(weights)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "translate_ru_de", "--out", "x"], "preset: got 'translate_ru_de', need one of translate_fr_en"),
        (["train", "translate_ru_en"], "--out: got nothing, need the folder of the run"),
        (["train", "translate_ru_en", "train.stepz=1", "--out", "x"], "did you mean 'steps'"),
        (["train", "--resume", "nowhere"], "no file nowhere/run.json"),
        (["score", "nowhere"], "checkpoint: no config.json in nowhere"),
        (["data", "cataclysm", "--deb", "nowhere.deb"], "--deb: got 'nowhere.deb', need the package file"),
    ],
)
def test_command_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
