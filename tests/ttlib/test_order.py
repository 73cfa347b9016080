"""What a block can tell about order: nothing without positions; with them all, but for the mirror image in ALiBi."""

from collections.abc import Callable

import pytest
import torch

from tests.ttlib.torch_twins import double_tensor, randomise
from ttlib.nn.blocks import EncoderBlock
from ttlib.nn.positions import AttentionPositions, LearnedPositions, SinusoidalPositions
from ttlib.nn.relative import Alibi, OneSidedAlibi, T5Bias
from ttlib.nn.rope import RotaryPositions

INSIDE: dict[str, Callable[[], AttentionPositions]] = {
    "neutral": AttentionPositions,
    "rope": lambda: RotaryPositions(8),
    "t5": lambda: randomise(T5Bias(4)),
    "alibi": lambda: Alibi(4),
    "one-sided alibi": lambda: OneSidedAlibi(4),
}
BLIND, MIRROR_BLIND = {"neutral"}, {"neutral", "alibi"}


def difference(name: str, order: torch.Tensor) -> float:
    """How far f(P x) is from P f(x)."""
    block = randomise(EncoderBlock(32, 4, 64, 0.0)).eval()
    block.self_attention.positions = INSIDE[name]()
    x = double_tensor(2, 9, 32).detach()
    return (block(x[:, order]) - block(x)[:, order]).abs().max().item()


@pytest.mark.parametrize("name", INSIDE)
def test_only_a_block_without_positions_is_blind_to_order(name: str) -> None:
    found = difference(name, torch.randperm(9, generator=torch.Generator().manual_seed(0)))
    assert (found < 1e-10) == (name in BLIND)
    assert name in BLIND or found > 1e-2


@pytest.mark.parametrize("name", INSIDE)
def test_symmetric_alibi_is_blind_to_the_reading_direction(name: str) -> None:
    found = difference(name, torch.arange(8, -1, -1))
    assert (found < 1e-10) == (name in MIRROR_BLIND)
    assert name in MIRROR_BLIND or found > 1e-2


@pytest.mark.parametrize("kind", [SinusoidalPositions, LearnedPositions])
def test_positions_at_the_input_make_order_visible(kind: type[SinusoidalPositions] | type[LearnedPositions]) -> None:
    block, positions = randomise(EncoderBlock(32, 4, 64, 0.0)).eval(), randomise(kind(9, 32))
    x, order = double_tensor(1, 9, 32).detach(), torch.arange(8, -1, -1)
    assert (block(positions(x[:, order])) - block(positions(x))[:, order]).abs().max() > 1e-2


@pytest.mark.parametrize("name", ["rope", "t5", "alibi", "one-sided alibi"])
def test_a_relative_scheme_does_not_know_where_a_text_begins(name: str) -> None:
    """Nine tokens alone, and the same nine behind others that nobody may look at."""
    block = randomise(EncoderBlock(32, 4, 64, 0.0)).eval()
    block.self_attention.positions = INSIDE[name]()
    x = double_tensor(1, 14, 32).detach()
    hidden = torch.arange(14) >= 5
    torch.testing.assert_close(block(x, hidden)[:, 5:], block(x[:, 5:]), rtol=1e-10, atol=1e-10)
