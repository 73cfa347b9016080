"""CBOW and skip-gram: equal to the formula pair by pair, noise and windows as they should be, reproducible."""

import pytest
import torch
from torch.nn import functional as F

from ttlib.errors import InputError
from ttlib.text.vocab import keep_probability, noise_distribution
from ttlib.text.word2vec import CBOW, SKIP_GRAM, Word2Vec, Word2VecConfig, in_window

WINDOW, T, D, K = 2, 5, 32, 3
CONFIG = Word2VecConfig(d_model=D, window=WINDOW, negatives=K, epochs=2, stretch=T, stretches=3, subsample=0.0)


@pytest.fixture
def near():
    """Two stretches with sentences that end inside, and the end of the text."""
    sentence = torch.tensor([[-1, -1, 0, 0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 2, 3, 3, -1, -1]])
    return in_window(sentence, torch.tensor([[2, 1, 2, 1, 2], [2, 2, 2, 1, 2]]), WINDOW)


def rows(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 0.3).requires_grad_()


def read(objective):
    """Rows as the step reads them: in, out, noise."""
    around, centre = rows(2, T + 2 * WINDOW, D), rows(2, T, D)
    return (*((around, centre) if objective.reads_around else (centre, around)), rows(2, 4, D))


def one_pair(h, u, noise, k):
    """−log σ(u·h) − k · mean over the noise of log σ(−n·h)."""
    return -F.logsigmoid(u @ h) - k * F.logsigmoid(-(noise @ h)).mean()


def pair_by_pair(objective, v, u, noise, near, k, mean=torch.mean, pair=one_pair):
    """The formula as the papers have it, one pair after another."""
    total = torch.zeros((), dtype=torch.float64)
    for b in range(2):
        for i in range(T):
            js = near[b, i].nonzero().flatten()
            if objective.reads_around and len(js):
                total = total + pair(mean(v[b, js], 0), u[b, i], noise[b], k)
            elif not objective.reads_around:
                total = total + sum(pair(v[b, i], u[b, j], noise[b], k) for j in js)
    return total


@pytest.mark.parametrize("objective", [SKIP_GRAM, CBOW])
def test_word2vec_step_equals_autograd(objective, near):
    parts = read(objective)
    loss = pair_by_pair(objective, *parts, near, K)
    gradients = torch.autograd.grad(loss, parts)
    ours, *ours_gradients = objective.step(*(part.detach() for part in parts), near, K)
    torch.testing.assert_close(ours, loss.detach(), rtol=0, atol=1e-10)
    for a, b in zip(ours_gradients, gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("objective", [SKIP_GRAM, CBOW])
@pytest.mark.parametrize(
    "pair",
    [
        lambda h, u, noise, k: -F.logsigmoid(u @ h) - F.logsigmoid(-(noise @ h)).mean(),  # k dropped
        lambda h, u, noise, k: -F.logsigmoid(u @ h) - F.logsigmoid(-(noise @ h)).sum(),  # not weighted by k / M
        lambda h, u, noise, k: -F.logsigmoid(u @ h) - k * F.logsigmoid(noise @ h).mean(),  # noise attracts
        lambda h, u, noise, k: -F.logsigmoid(u @ h / 32**0.5) - k * F.logsigmoid(-(noise @ h)).mean(),  # scaled
        lambda h, u, noise, k: -F.logsigmoid(u @ h),  # no noise
    ],
)
def test_word2vec_mutants_differ(objective, near, pair):
    parts = read(objective)
    loss = pair_by_pair(objective, *parts, near, K, pair=pair)
    gradients = torch.autograd.grad(loss, parts[:2])
    ours, *ours_gradients = objective.step(*(part.detach() for part in parts), near, K)
    assert (ours - loss).abs() > 1e-2
    assert max((a - b).abs().max() for a, b in zip(ours_gradients, gradients, strict=False)) > 1e-3


def test_word2vec_mutant_sum_is_not_cbows_mean(near):
    parts = read(CBOW)
    wrong = pair_by_pair(CBOW, *parts, near, K, mean=torch.sum)
    assert (CBOW.step(*(part.detach() for part in parts), near, K)[0] - wrong).abs() > 1e-2


def test_windows_equal_their_definition_and_a_mutant_does_not(near):
    sentence = [[-1, -1, 0, 0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 2, 3, 3, -1, -1]]
    reach = [[2, 1, 2, 1, 2], [2, 2, 2, 1, 2]]

    def seen(b, i, j, across=False):
        centre = i + WINDOW
        same = sentence[b][j] == sentence[b][centre] or across
        return 0 < abs(j - centre) <= reach[b][i] and same and sentence[b][centre] >= 0

    for across in (False, True):
        expected = [[[seen(b, i, j, across) for j in range(9)] for i in range(T)] for b in range(2)]
        assert (near.tolist() == expected) is not across
    assert near[1, 2].sum() == 0  # a sentence of one word


def test_one_step_changes_only_the_rows_that_were_read():
    model = Word2Vec(SKIP_GRAM, torch.full((50,), 7), CONFIG)
    model.out.normal_()
    before = model.table.clone(), model.out.clone()
    around = torch.tensor([[0, 0, 1, 2, 3, 4, 5, 0, 0]])
    near = in_window(torch.tensor([[-1, -1, 0, 0, 0, 0, 0, -1, -1]]), torch.full((1, T), 2), WINDOW)
    model._step(around, torch.tensor([[7, 8]]), near, 0.1)
    changed = [
        (a != b).any(-1).nonzero().flatten().tolist() for a, b in zip(before, (model.table, model.out), strict=True)
    ]
    assert changed == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 7, 8]]


def test_a_row_read_twice_gets_both_gradients():
    model = Word2Vec(SKIP_GRAM, torch.full((9,), 7), CONFIG)
    model.table, model.out = (torch.randn(9, D, dtype=torch.float64) * 0.3 for _ in range(2))
    table, out = (t.clone().requires_grad_() for t in (model.table, model.out))
    around, noise = torch.tensor([[3, 3, 1, 2, 1, 4, 1, 2, 3]]), torch.tensor([[2, 2, 5]])
    near = in_window(torch.zeros(1, 9, dtype=torch.long), torch.full((1, T), 2), WINDOW)
    loss, *_ = SKIP_GRAM.step(table[around[:, 2:7]], out[around], out[noise], near, K)
    gradients = torch.autograd.grad(loss, (table, out))
    model._step(around, noise, near, 0.1)
    for after, before, gradient in zip((model.table, model.out), (table, out), gradients, strict=True):
        torch.testing.assert_close(after, (before - 0.1 * gradient).detach(), rtol=0, atol=1e-10)


def test_noise_and_thinning_have_the_closed_forms_frequencies():
    counts = torch.tensor([5_000, 900, 90, 10])
    model = Word2Vec(CBOW, counts, Word2VecConfig(subsample=1e-2))
    ids = torch.repeat_interleave(torch.arange(4), counts * 20)
    noise = model._stretches(ids, torch.zeros_like(ids))[3].flatten()
    shares = torch.bincount(noise, minlength=4) / len(noise)
    torch.testing.assert_close(shares, noise_distribution(counts), rtol=0, atol=0.006)
    assert (shares - noise_distribution(counts, 1.0)).abs().max() > 0.05
    kept = torch.bincount(ids[model._thinned(ids)], minlength=4) / (counts * 20)
    torch.testing.assert_close(kept, keep_probability(counts, 1e-2), rtol=0, atol=0.03)


def test_every_word_is_a_centre_once_and_reach_is_uniform():
    model = Word2Vec(CBOW, torch.full((1000,), 3), CONFIG)
    ids = torch.arange(1000)
    around, sentence, reach, _ = model._stretches(ids, ids // 10)
    centres, inside = around[:, WINDOW:-WINDOW], sentence[:, WINDOW:-WINDOW] >= 0
    assert centres[inside].tolist() == ids.tolist()
    assert (around // 10 == sentence)[sentence >= 0].all()
    assert abs((reach == 1).float().mean() - 0.5) < 0.06
    assert set(reach.flatten().tolist()) == {1, 2}


def corpus():
    """Two topics: words 0–9 stand together, and so do 10–19."""
    generator = torch.Generator().manual_seed(1)
    topics = torch.randint(0, 2, (600, 1), generator=generator)
    ids = torch.randint(0, 10, (600, 6), generator=generator) + 10 * topics
    return ids.flatten(), torch.arange(600).repeat_interleave(6)


@pytest.mark.parametrize("objective", [SKIP_GRAM, CBOW])
def test_words_of_one_topic_come_together(objective):
    ids, places = corpus()
    lr = 0.2 if objective is CBOW else 0.02
    config = Word2VecConfig(d_model=16, epochs=20, lr=lr, subsample=0.0, stretches=1)
    model = Word2Vec(objective, torch.bincount(ids), config)
    losses = model.fit(ids, places)
    unit = F.normalize(model.table, dim=-1)
    cosines = unit @ unit.T
    assert losses[-1] < losses[0]
    assert cosines[:10, :10].mean() > cosines[:10, 10:].mean() + 0.5


def test_equal_seeds_give_equal_tables_and_others_do_not():
    ids, places = corpus()
    counts = torch.bincount(ids)
    tables = []
    for seed in (0, 0, 1):
        torch.manual_seed(len(tables))  # the global generator plays no part
        model = Word2Vec(SKIP_GRAM, counts, Word2VecConfig(d_model=8, epochs=1, seed=seed))
        model.fit(ids, places)
        tables.append(model.table)
    assert torch.equal(tables[0], tables[1])
    assert not torch.allclose(tables[0], tables[2])


def test_progress_is_reported_in_words():
    ids, places = corpus()
    told = []
    Word2Vec(CBOW, torch.bincount(ids), CONFIG).fit(ids, places, lambda words, note: told.append((words, note)))
    assert [words for words, _ in told][-1] == 2 * len(ids)
    assert [words for words, _ in told] == sorted(words for words, _ in told)
    assert all(note.startswith("loss ") for _, note in told)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_it_trains_on_cuda():
    ids, places = corpus()
    model = Word2Vec(SKIP_GRAM, torch.bincount(ids), CONFIG, "cuda")
    losses = model.fit(ids, places)
    assert losses[-1] < losses[0]
    assert model.table.is_cuda


def test_a_learning_rate_too_great_is_told():
    ids, places = corpus()
    with pytest.raises(InputError, match="lr: got 1000.0, need a smaller one: the loss is no longer a number"):
        Word2Vec(SKIP_GRAM, torch.bincount(ids), Word2VecConfig(lr=1000.0)).fit(ids, places)


@pytest.mark.parametrize(
    ("ids", "places", "message"),
    [
        ([1], [0], "ids: got 1, need at least two words"),
        ([1, 2], [0], r"places: got 1, need one per word \(2\)"),
        ([1, 9], [0, 0], r"ids: got \(1, 9\), need numbers from 0 to 4"),
        ([-1, 3], [0, 0], r"ids: got \(-1, 3\), need numbers from 0 to 4"),
    ],
)
def test_bad_text(ids, places, message):
    with pytest.raises(InputError, match=message):
        Word2Vec(CBOW, torch.ones(5, dtype=torch.long), CONFIG).fit(torch.tensor(ids), torch.tensor(places))


@pytest.mark.parametrize("name", ["d_model", "window", "negatives", "epochs", "stretch", "stretches"])
def test_bad_config(name):
    with pytest.raises(InputError, match=f"{name}: got 0, need at least 1"):
        Word2VecConfig(**{name: 0})
    with pytest.raises(InputError, match="lr: got 0.0, need a positive number"):
        Word2VecConfig(lr=0.0)
