"""A translation's log-probability, token by token."""

import pytest
import torch

from tests.ttlib.tiny_models import small_model, sources
from ttlib.data.pairs import IdPair
from ttlib.errors import InputError
from ttlib.generate.likelihood import log_probabilities
from ttlib.models.seq2seq import Seq2Seq


def pairs() -> list[IdPair]:
    targets = [[1, 5, 9, 2], [1, 2], [1, 7, 7, 7, 7, 2], [1, 4, 2], [1, 9, 8, 2]]
    rows = [[token for token in row if token] for row in sources(5, 6, seed=4).tolist()]
    return list(zip(rows, targets, strict=True))


@torch.no_grad()
def one_by_one(model: Seq2Seq, pair: IdPair, shift: int = 1) -> float:
    """The sum over the tokens of one sentence alone, without padding."""
    model.eval()
    src, tgt = pair
    logp = model(torch.tensor([src]), torch.tensor([tgt])).log_softmax(-1)[0]
    return sum(logp[i, tgt[i + shift]].item() for i in range(len(tgt) - shift))


@pytest.mark.parametrize("batch", [1, 2, 50])
def test_log_probability_equals_its_sum(batch: int) -> None:
    model = small_model()
    found = log_probabilities(model, pairs(), batch)
    assert model.training
    expected = [one_by_one(model, pair) for pair in pairs()]
    assert found.tolist() == pytest.approx(expected, abs=1e-5)


def test_log_probability_mutants_differ() -> None:
    """A target read against itself instead of its next token; another source."""
    model = small_model()
    found = log_probabilities(model, pairs())
    itself = torch.tensor([one_by_one(model, pair, 0) for pair in pairs()])
    other = [(b[0], a[1]) for a, b in zip(pairs(), [*pairs()[1:], pairs()[0]], strict=True)]
    assert (found - itself).abs().min() > 1e-2
    assert (found - log_probabilities(model, other)).abs().min() > 1e-4


def test_wrong_input() -> None:
    with pytest.raises(InputError, match="pairs: got 0, need at least one pair"):
        log_probabilities(small_model(), [])
