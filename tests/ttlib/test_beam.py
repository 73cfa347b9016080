"""Beam search: greedy at its narrowest, exhaustive at its widest."""

import dataclasses
import itertools
import math

import pytest
import torch

from tests.ttlib.tiny_models import CONFIG, small_model, sources, unpadded
from ttlib.errors import InputError
from ttlib.generate.beam import Beams, beam_search, length_penalty
from ttlib.generate.greedy import greedy
from ttlib.models.seq2seq import Seq2Seq

FEW_WORDS = dataclasses.replace(CONFIG, src_vocab_size=9, tgt_vocab_size=5, max_len=16)
EOS = 2


@torch.no_grad()
def logp(model: Seq2Seq, src: torch.Tensor, ids: list[int], max_len: int) -> float:
    """Log-probability of a sentence: its eos counts unless it was cut at max_len."""
    tokens = (ids + [EOS])[:max_len]
    model.eval()
    steps = model(src, torch.tensor([[1, *tokens[:-1]]])).log_softmax(-1)[0]
    model.train()
    return sum(steps[i, token].item() for i, token in enumerate(tokens))


@pytest.mark.parametrize("max_len", [1, 4, 10])
def test_beam_of_one_equals_greedy(max_len: int) -> None:
    model, src = small_model(), sources(6, 6)
    assert beam_search(model, src, max_len, beam=1) == greedy(model, src, max_len)
    prefix = torch.tensor([1, 9])
    assert beam_search(model, src, max_len, beam=1, prefix=prefix) == greedy(model, src, max_len, prefix)


def test_beam_of_one_mutant_differs() -> None:
    model, src = small_model(), sources(6, 6, seed=1)
    assert beam_search(model, src, 10, beam=4) != greedy(model, src, 10)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_the_best_of_all_sentences(seed: int, alpha: float) -> None:
    """Every sentence of at most three tokens from a vocabulary of five: 1 + 4 + 16 that end, 64 that are cut."""
    model, src = small_model(FEW_WORDS), sources(1, 4, 9, seed)
    words = [0, 1, 3, 4]
    every = [list(ids) for n in range(4) for ids in itertools.product(words, repeat=n)]
    logps = {tuple(ids): logp(model, src, ids, 3) for ids in every}
    assert sum(math.exp(value) for value in logps.values()) == pytest.approx(1.0)
    scores = {ids: value / length_penalty(len(ids) + 1, alpha) for ids, value in logps.items()}
    beams = Beams(1, 1, alpha, EOS, torch.device("cpu"))
    beams.finish(0, logps[3, 4], [3, 4])
    assert beams.done[0][0] == pytest.approx(scores[3, 4])  # scored as the search does
    (found,) = beam_search(model, src, 3, beam=128, alpha=alpha)
    if alpha == 0:
        assert found == list(max(scores, key=scores.__getitem__))
    else:  # it stops when the best living one is behind: never worse than what it has found first
        (narrow,) = greedy(model, src, 3)
        assert scores[tuple(found)] >= scores[tuple(narrow)]


def test_a_wider_beam_finds_likelier_sentences() -> None:
    model, src = small_model(), sources(8, 6, seed=1)  # not those it has learnt

    def total(beam: int) -> float:
        found = beam_search(model, src, 8, beam, alpha=0.0)
        return sum(logp(model, unpadded(src, row), ids, 8) for row, ids in enumerate(found))

    assert total(1) < total(4) <= total(16)


@pytest.mark.parametrize(("length", "alpha", "value"), [(1, 0.6, 1.0), (7, 1.0, 2.0), (19, 0.5, 2.0), (9, 0.0, 1.0)])
def test_length_penalty_is_the_papers(length: int, alpha: float, value: float) -> None:
    assert length_penalty(length, alpha) == pytest.approx(value)


def test_a_larger_alpha_prefers_longer_sentences() -> None:
    model, src = small_model(), sources(12, 6, seed=1)
    lengths = [sum(map(len, beam_search(model, src, 10, 4, alpha))) for alpha in (0.0, 2.0)]
    assert lengths[0] < lengths[1]


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    model, src = small_model(), sources(6, 6)
    together = beam_search(model, src, 10)
    assert [beam_search(model, src[row : row + 1], 10)[0] for row in range(6)] == together


def test_the_last_step_ends_every_hypothesis() -> None:
    model = small_model(towards_eos=-50.0)  # would never end by itself
    for length in (1, 2, 20):
        assert [len(row) for row in beam_search(model, sources(2, 4), length)] == [length, length]
    short = beam_search(small_model(towards_eos=50.0), sources(2, 4), 5)
    assert short == [[], []]
    assert model.training


def advance(beams: Beams, probabilities: list[list[float]], last: bool = False) -> tuple[list[int], list[int]]:
    parents, tokens = beams.advance(torch.tensor(probabilities).log(), last)
    return parents.tolist(), tokens.tolist()


def test_two_steps_by_hand() -> None:
    """Tokens 0, 1 and 2 = eos; two hypotheses; no length penalty."""
    beams = Beams(1, 2, 0.0, EOS, torch.device("cpu"))
    assert advance(beams, [[0.5, 0.4, 0.1]] * 2) == ([0, 0], [0, 1])
    assert beams.tokens == [[[0], [1]]]
    assert beams.n_done == [0]  # eos was third: not one of the best two
    # From [0]: 0.05, 0.25, 0.2; from [1]: 0.04, 0.36 and eos 0.0: the best two are [1, 1] and [0, 1].
    assert advance(beams, [[0.1, 0.5, 0.4], [0.1, 0.9, 0.0]]) == ([1, 0], [1, 1])
    assert beams.tokens == [[[1, 1], [0, 1]]]
    assert beams.logp.exp().tolist() == [pytest.approx([0.36, 0.25])]
    advance(beams, [[0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    assert beams.best() == [[1, 1]]  # 0.288 has ended, and the next best, 0.1, cannot overtake it
    assert beams.finished()


def test_impossible_hypotheses_do_not_count_as_finished() -> None:
    """A beam wider than the vocabulary has slots that stand for nothing at first."""
    beams = Beams(1, 8, 0.0, EOS, torch.device("cpu"))
    advance(beams, [[0.1, 0.2, 0.3, 0.2, 0.2]] * 8)
    assert beams.n_done == [1]


def test_wrong_input() -> None:
    model = small_model()
    with pytest.raises(InputError, match="beam: got 0, need a positive number"):
        beam_search(model, sources(1, 4), 5, beam=0)
    with pytest.raises(InputError, match="max_len: got 21, need 1 to 20: the model has 20 positions"):
        beam_search(model, sources(1, 4), 21)
