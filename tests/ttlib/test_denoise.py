"""Corrupted texts: the papers' examples, exact rates, and that nothing is lost where nothing may be lost."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ttlib.data import denoise
from ttlib.errors import InputError
from ttlib.nn import masks

SENTENCE = "Thank you for inviting me to your party last week ."
WORDS = SENTENCE.split()
X, Y, Z = 101, 102, 103
MASK = 99
SENTINELS = list(range(1000, 1400))


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_words(ids: list[int]) -> str:
    names = dict(enumerate(WORDS)) | {X: "<X>", Y: "<Y>", Z: "<Z>"}
    return " ".join(names[i] for i in ids)


def runs(marks: list[bool]) -> list[int]:
    """Lengths of the runs of True."""
    return [len(run) for run in "".join("x" if mark else " " for mark in marks).split()]


def test_the_example_of_the_t5_paper() -> None:
    """Raffel et al. 2019, figure 2: "for inviting" and "last" are removed."""
    removed = torch.tensor([word in ("for", "inviting", "last") for word in WORDS])
    example = denoise.corrupt_spans(range(len(WORDS)), removed, [X, Y, Z])
    assert by_words(example.source) == "Thank you <X> me to your party <Y> week ."
    assert by_words(example.target) == "<X> for inviting <Y> last <Z>"
    assert denoise.fill_spans(example, [X, Y, Z]) == list(range(len(WORDS)))


@given(n=st.integers(2, 300), rate=st.floats(0.01, 0.99), mean=st.floats(1, 20), seed=st.integers(0, 999))
def test_spans_give_the_text_back(n: int, rate: float, mean: float, seed: int) -> None:
    ids = torch.randint(0, 50, (n,), generator=rng(seed)).tolist()
    removed = denoise.span_mask(n, rate, mean, rng(seed))
    example = denoise.corrupt_spans(ids, removed, SENTINELS)
    assert denoise.fill_spans(example, SENTINELS) == ids
    spans = runs(removed.tolist())
    assert len(example.source) + len(example.target) == n + 2 * len(spans) + 1
    assert [i for i in example.source if i >= 1000] == SENTINELS[: len(spans)]
    assert [i for i in example.target if i >= 1000] == SENTINELS[: len(spans) + 1]
    assert [i for i in example.target if i < 1000] == [i for i, gone in zip(ids, removed, strict=True) if gone]


@given(n=st.integers(2, 600), rate=st.floats(0.01, 0.99), mean=st.floats(1, 20), seed=st.integers(0, 999))
def test_as_many_tokens_and_spans_as_asked_for(n: int, rate: float, mean: float, seed: int) -> None:
    removed = denoise.span_mask(n, rate, mean, rng(seed))
    n_removed = min(max(round(n * rate), 1), n - 1)
    assert int(removed.sum()) == n_removed
    assert len(runs(removed.tolist())) == min(max(round(n_removed / mean), 1), n - n_removed + 1)


def test_t5s_own_numbers() -> None:
    """512 tokens, 15 %, mean 3: 77 tokens in 26 spans, so source and target have 462 and 104 with sentinels."""
    example = denoise.corrupt_spans(range(512), denoise.span_mask(512, generator=rng(0)), SENTINELS + [1400])
    assert (len(example.source), len(example.target)) == (512 - 77 + 26, 77 + 26 + 1)


def test_every_cut_is_equally_likely() -> None:
    """5 into 3 parts: six ways. 3,000 draws: each within five standard deviations of 500."""
    generator = rng(0)
    found = [tuple(denoise.cut_into(5, 3, generator)) for _ in range(3000)]
    assert set(found) == {(1, 1, 3), (1, 3, 1), (3, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1)}
    deviation = (3000 * (1 / 6) * (5 / 6)) ** 0.5
    assert all(abs(found.count(way) - 500) < 5 * deviation for way in set(found))


def test_every_mask_is_equally_likely() -> None:
    """3 of 6 tokens in 2 spans: 2 ways to cut the removed ones, 6 to place them. 6,000 draws: 500 each."""
    generator = rng(0)
    found = [tuple(denoise.span_mask(6, 0.5, 1.5, generator).tolist()) for _ in range(6000)]
    assert len(set(found)) == 12
    deviation = (6000 * (1 / 12) * (11 / 12)) ** 0.5
    assert all(abs(found.count(way) - 500) < 5 * deviation for way in set(found))


@given(n=st.integers(2, 40), rows=st.integers(1, 5), seed=st.integers(0, 99))
def test_prefix_batch_scores_exactly_what_follows_the_prefix(n: int, rows: int, seed: int) -> None:
    ids = torch.randint(0, 50, (rows, n), generator=rng(seed))
    batch = denoise.prefix_batch(ids, rng(seed))
    for row, length, scored, targets in zip(ids, batch.lengths.tolist(), batch.scored, batch.targets, strict=True):
        assert 1 <= length < n
        assert targets[scored].tolist() == row[length:].tolist()
    assert torch.equal(batch.inputs, ids[:, :-1])


def test_prefix_batch_never_shows_a_scored_target_to_the_query_that_predicts_it() -> None:
    batch = denoise.prefix_batch(torch.arange(40).view(4, 10), rng(0))
    mask = masks.prefix(batch.lengths, 9)
    for b, t in batch.scored.nonzero().tolist():
        assert not mask[b, 0, t, t + 1 :].any()  # target t is input t + 1
    assert mask[:, 0, 0].sum() == batch.lengths.sum()  # … and the prefix is seen whole from its first token on


@given(n=st.integers(1, 200), rate=st.floats(0, 0.9), mean=st.floats(0.1, 9), seed=st.integers(0, 999))
def test_infilling_keeps_the_rest_in_order(n: int, rate: float, mean: float, seed: int) -> None:
    noisy = denoise.infill(range(n), MASK + 1000, rate, mean, rng(seed))
    kept = [i for i in noisy if i != MASK + 1000]
    assert kept == sorted(kept)
    assert len(kept) == n - round(n * rate)
    assert all((a, b) != (MASK + 1000,) * 2 for a, b in pairwise(noisy))
    gaps = sum(b > a + 1 for a, b in zip([-1, *kept], [*kept, n], strict=True))
    assert gaps <= len(noisy) - len(kept)  # every gap has its mask; masks without a gap are insertions


def test_infilling_draws_poisson_lengths() -> None:
    """Over 2,000 texts of 200 tokens: 60 removed, and about 60/3 masks of which exp(-3) = 5 % stand for nothing."""
    generator, n_masks, empty = rng(0), 0, 0
    for _ in range(2000):
        noisy = denoise.infill(range(200), 999, generator=generator)
        kept = [i for i in noisy if i != 999]
        gaps = sum(b > a + 1 for a, b in zip([-1, *kept], [*kept, 200], strict=True))
        n_masks, empty = n_masks + noisy.count(999), empty + noisy.count(999) - gaps
    assert n_masks / 2000 == pytest.approx(20.5, abs=0.5)  # the last span is cut short, hence a little over 20
    assert empty / n_masks == pytest.approx(0.0498, abs=0.01)


@given(n=st.integers(0, 100), rate=st.floats(0, 0.99), seed=st.integers(0, 99))
def test_deletion_leaves_no_mark(n: int, rate: float, seed: int) -> None:
    left = denoise.delete(range(n), rate, rng(seed))
    assert left == sorted(set(left))
    assert len(left) == n - round(n * rate)


def test_permutation_keeps_every_sentence() -> None:
    sentences = [f"Sentence {i}." for i in range(30)]
    mixed = denoise.permute(sentences, rng(0))
    assert mixed != sentences
    assert sorted(mixed) == sorted(sentences)


def test_the_generator_decides() -> None:
    for noise in (
        lambda g: denoise.span_mask(50, generator=g).tolist(),
        lambda g: denoise.infill(range(50), 99, generator=g),
        lambda g: denoise.delete(range(50), generator=g),
        lambda g: denoise.permute(range(50), g),
        lambda g: denoise.prefix_batch(torch.zeros(50, 9, dtype=torch.long), g).lengths.tolist(),
    ):
        assert noise(rng(1)) == noise(rng(1)) != noise(rng(2))


EXAMPLE = denoise.Example([5, X], [X, 6, Y])
REFUSED = {
    "parts": (lambda: denoise.cut_into(3, 4), "parts: got 4, need 1 to total=3"),
    "one token": (lambda: denoise.span_mask(1), "n: got 1, need at least 2 tokens"),
    "rate": (lambda: denoise.span_mask(9, 1.0), "rate: got 1.0, need a share between 0 and 1"),
    "span": (lambda: denoise.span_mask(9, mean_span=0.5), "mean_span: got 0.5, need at least 1 token"),
    "marks": (lambda: denoise.corrupt_spans([1, 2], torch.tensor([True]), [X, Y]), "removed: got 1, need one mark"),
    "sentinels": (lambda: denoise.corrupt_spans([1], torch.tensor([True]), [X]), "sentinels: got 1, need at least 2"),
    "clash": (
        lambda: denoise.corrupt_spans([X], torch.tensor([True]), [X, Y]),
        r"sentinels: got \[101\], need ids that no text has",
    ),
    "headless": (lambda: denoise.fill_spans(denoise.Example([X], [6]), [X]), "target: got 6, need a sentinel at its"),
    "unanswered": (
        lambda: denoise.fill_spans(EXAMPLE._replace(source=[Z]), [X, Y, Z]),
        "an entry for the sentinel 103",
    ),
    "rows": (lambda: denoise.prefix_batch(torch.zeros(2, 1, dtype=torch.long)), "at least 2 tokens in a row"),
    "infill rate": (lambda: denoise.infill([1], 9, 1.5), "rate: got 1.5, need a share below 1"),
    "infill mean": (lambda: denoise.infill([1], 9, mean_span=0.0), "mean_span: got 0.0, need a positive number"),
    "deletion": (lambda: denoise.delete([1], -0.1), "rate: got -0.1, need a share below 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        call()
