"""The checks that chapters run must pass for twins and fail for anything else; so must the shapes' checks."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from ttlib.check import expect, first, same_output
from ttlib.errors import InputError, require
from ttlib.models.config import Seq2SeqConfig
from ttlib.models.embedding import TokenEmbedding, check_ids
from ttlib.models.seq2seq import Seq2Seq
from ttlib.nn.blocks import EncoderBlock
from ttlib.nn.feedforward import FeedForward
from ttlib.nn.multihead import MultiHeadAttention

X = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
SIZES = {"src_vocab_size": 30, "tgt_vocab_size": 25, "d_model": 32, "n_heads": 4, "d_ff": 48, "max_len": 8}
GOOD = torch.full((2, 3), 4)


class Plain(FeedForward):
    """Feed-forward with a choice of activation."""

    def __init__(self, activation: Callable[[torch.Tensor], torch.Tensor] = torch.relu) -> None:
        super().__init__(32, 48)
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w_2(self.activation(self.w_1(x)))


class Unscaled(MultiHeadAttention):
    """Forgets √d_head."""

    def forward(self, x: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        k, v = self.keys_values(memory)
        heads = (self.split_heads(self.w_q(x)) @ k.mT).softmax(-1) @ v
        return self.w_o(heads.transpose(1, 2).flatten(2))


def test_twins_pass_and_stay_as_they_are() -> None:
    ours, theirs = Plain(), FeedForward(32, 48)
    before = [copy.deepcopy(m.state_dict()) for m in (ours, theirs)]
    assert 0 <= same_output(ours, theirs, (X,)) <= 1e-10
    for module, old in zip((ours, theirs), before, strict=True):
        assert all(torch.equal(old[name], value) for name, value in module.state_dict().items())
        assert module.training
        assert next(module.parameters()).dtype == torch.float32


def test_several_inputs_and_outputs() -> None:
    a, b = MultiHeadAttention(32, 4), MultiHeadAttention(32, 4)
    assert same_output(a, b, (X, X[:, :2])) == 0
    assert same_output(TokenEmbedding(9, 32), TokenEmbedding(9, 32), (GOOD,)) == 0  # ids stay ids


def test_dropout_is_off() -> None:
    assert same_output(EncoderBlock(32, 4, 48, 0.5), EncoderBlock(32, 4, 48, 0.0), (X,)) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "inputs"),
    [
        (Plain(nn.functional.gelu), FeedForward(32, 48), (X,)),
        (Plain(nn.functional.leaky_relu), FeedForward(32, 48), (X,)),
        (Unscaled(32, 4), MultiHeadAttention(32, 4), (X, X)),
        (MultiHeadAttention(32, 2), MultiHeadAttention(32, 4), (X, X)),
    ],
)
def test_mutants_fail(ours: nn.Module, theirs: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    with pytest.raises(InputError, match=r"outputs: differ by \d.\d\de[+-]\d\d, need at most 1e-10"):
        same_output(ours, theirs, inputs)


def test_the_tolerance_counts() -> None:
    near = Plain(lambda x: torch.relu(x) + 1e-7)
    with pytest.raises(InputError, match="outputs: differ by"):
        same_output(near, FeedForward(32, 48), (X,))
    assert 1e-8 < same_output(near, FeedForward(32, 48), (X,), tolerance=1e-5) < 1e-5


def test_nan_and_other_shapes_fail() -> None:
    for wrong in (lambda x: x.log(), lambda x: x.relu()[:, :1]):
        with pytest.raises(InputError, match="outputs: differ by"):
            same_output(Plain(wrong), FeedForward(32, 48), (X,))


@pytest.mark.parametrize("theirs", [FeedForward(32, 40), nn.Linear(32, 32), nn.Identity()])
def test_other_parameters_fail(theirs: nn.Module) -> None:
    with pytest.raises(InputError, match=f"state_dict: ours does not load into {type(theirs).__name__}"):
        same_output(Plain(), theirs, (X,))


def test_the_first_of_several_outputs() -> None:
    assert first((X, None)) is X
    assert first(X) is X


def test_expect(capsys: pytest.CaptureFixture[str]) -> None:
    expect("loss", 1.25, (1.0, 0.25))
    assert capsys.readouterr().out == "loss: 1.25, expected 1 ± 0.25 ✓\n"
    expect("loss", 1.25, None)
    assert capsys.readouterr().out == "loss: 1.25 (not measured at this preset before: yours is the first)\n"
    for wrong in (1.3, 0.7, float("nan")):
        with pytest.raises(AssertionError, match=rf"loss: {wrong}, expected 1 ± 0.25"):
            expect("loss", wrong, (1.0, 0.25))


def test_require() -> None:
    require(True, "n", 3, "anything")
    with pytest.raises(InputError, match=r"^n: got '3', need a number$"):
        require(False, "n", "3", "a number")
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [(name, 0, "need a positive number") for name in (*SIZES, "n_encoder_layers", "n_decoder_layers")]
    + [("d_ff", -1, "got -1"), ("n_heads", 5, "need a divisor of d_model=32"), ("dropout", -0.1, "need a probability")]
    + [("dropout", 1.0, "need a probability below 1"), ("d_model", 30, "n_heads: got 4, need a divisor of d_model=30")],
)
def test_a_config_is_checked(name: str, value: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Seq2SeqConfig(**SIZES | {name: value})


def test_an_odd_width_is_refused_when_the_model_is_made() -> None:
    with pytest.raises(InputError, match="d_model: got 33, need an even number"):
        Seq2Seq(Seq2SeqConfig(**SIZES | {"d_model": 33, "n_heads": 3}))


@pytest.mark.parametrize(
    ("src", "tgt", "message"),
    [
        (GOOD + 26, GOOD, r"src: got ids from 30 to 30, need 0 to 29 \(the vocabulary\)"),
        (GOOD, GOOD + 21, "tgt: got ids from 25 to 25, need 0 to 24"),
        (GOOD - 5, GOOD, "src: got ids from -1 to -1"),
        (GOOD[:0], GOOD[:0], r"src: got shape \(0, 3\), need \(batch, length\), neither of them 0"),
        (GOOD[:, :0], GOOD, r"src: got shape \(2, 0\)"),
        (GOOD, GOOD[:, :0], r"tgt: got shape \(2, 0\)"),
        (GOOD.repeat(1, 3), GOOD, "sequence length: got 9, need at most max_len=8 positions"),
        (GOOD, GOOD.repeat(1, 3), "sequence length: got 9, need at most max_len=8 positions"),
    ],
)
def test_ids_are_checked(src: torch.Tensor, tgt: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Seq2Seq(Seq2SeqConfig(**SIZES))(src, tgt)


@pytest.mark.parametrize("ids", [GOOD.float(), GOOD == 4])
def test_ids_are_integers(ids: torch.Tensor) -> None:
    with pytest.raises(InputError, match=rf"src: got dtype {ids.dtype}, need integer ids"):
        check_ids(ids, 30, "src")
    with pytest.raises(InputError, match=r"src: got shape \(3,\), need \(batch, length\)"):
        check_ids(ids[0], 30, "src")


def test_the_whole_vocabulary_is_taken() -> None:
    ids = torch.tensor([[0, 29]], dtype=torch.int32)
    check_ids(ids, 30, "src")
    with pytest.raises(InputError, match="src: got ids from 0 to 29, need 0 to 28"):
        check_ids(ids, 29, "src")


def test_shapes_and_types_in_signatures_are_checked() -> None:
    model = Seq2Seq(Seq2SeqConfig(**SIZES))
    for src, tgt in ((GOOD.float(), GOOD), (GOOD[0], GOOD), (GOOD, GOOD[:1]), (GOOD, GOOD == 4)):
        with pytest.raises(TypeError, match="Type-check error"):
            model(src, tgt)
