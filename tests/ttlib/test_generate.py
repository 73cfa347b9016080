"""One loop writes for every model: each row as if it were alone, with a cache or without, within the limits."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ttlib.tiny_models import small_model, sources
from tests.ttlib.tiny_writers import MODELS, POSITIONS, V
from ttlib.errors import InputError
from ttlib.generate.beam import beam_generate
from ttlib.generate.greedy import greedy
from ttlib.generate.sample import Sampler, generate, greedy_choice, stream
from ttlib.generate.session import CachedSession, TranslationSession, UncachedSession
from ttlib.models.decoder_only import DecoderOnly

EACH = pytest.mark.parametrize("name", MODELS)
PROMPTS = st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=7), min_size=1, max_size=4)
SOME = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10], [4, 4], [11, 12, 13]]


@torch.no_grad()
def stepwise(model: DecoderOnly, prompt: Sequence[int], max_new: int, stop: Sequence[int] = ()) -> list[int]:
    """One text, all of it again at every step."""
    model.eval()
    ids = list(prompt)
    for _ in range(max_new):
        token = int(model(torch.tensor([ids]))[0, -1].argmax())
        if token in stop:
            break
        ids.append(token)
    model.train()
    return ids[len(prompt) :]


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@EACH
@settings(max_examples=25)
@given(
    prompts=PROMPTS, max_new=st.integers(1, 17), stop=st.sets(st.integers(0, V - 1), max_size=6), seed=st.integers(0, 3)
)
def test_a_batch_equals_every_prompt_alone(
    name: str, prompts: list[list[int]], max_new: int, stop: set[int], seed: int
) -> None:
    model = MODELS[name](seed)
    expected = [stepwise(model, prompt, max_new, tuple(stop)) for prompt in prompts]
    assert generate(model, prompts, max_new, stop=stop) == expected
    assert model.training


@EACH
def test_a_batch_mutants_differ(name: str) -> None:
    """The comparison sees one prompt token less, another order, another stop token, another weight."""
    model = MODELS[name](0)
    found = generate(model, SOME, 12)
    assert len({tuple(row) for row in found}) == len(SOME)
    assert found != [stepwise(model, prompt[:-1] or [0], 12) for prompt in SOME]
    assert found != [stepwise(model, prompt[::-1], 12) for prompt in SOME]
    assert found != [stepwise(model, prompt, 12, (found[2][3],)) for prompt in SOME]
    assert found != generate(MODELS[name](1), SOME, 12)


@EACH
def test_without_a_cache_the_same(name: str) -> None:
    model = MODELS[name](0)
    for choose in (greedy_choice, Sampler(2.0, generator=seeded())):
        cached = generate(model, SOME, 12, choose, stop=(3, 7))
        again = Sampler(2.0, generator=seeded()) if isinstance(choose, Sampler) else choose
        assert generate(model, SOME, 12, again, (3, 7), UncachedSession(model)) == cached


@EACH
@settings(max_examples=15)
@given(cuts=st.sets(st.integers(1, 11)), seed=st.integers(0, 9))
def test_caches_change_no_state(name: str, cuts: set[int], seed: int) -> None:
    """Twelve tokens in parts of any lengths; the cache has to grow several times."""
    model = MODELS[name](seed).eval()
    ids = torch.randint(0, V, (3, 12), generator=seeded(seed))
    caches, edges = model.new_caches(), [0, *sorted(cuts), 12]
    parts = [model.states(ids[:, a:b], caches) for a, b in pairwise(edges)]
    torch.testing.assert_close(torch.cat(parts, 1), model.states(ids), rtol=1e-10, atol=1e-10)
    assert all(len(cache) == 12 for cache in caches)


@EACH
def test_stop_tokens_end_a_row_and_do_not_come_out(name: str) -> None:
    model = MODELS[name](0)
    free = generate(model, SOME, 12)
    stops = {free[0][4], free[2][0]}
    found = generate(model, SOME, 12, stop=stops)
    for row, whole in zip(found, free, strict=True):
        ends = [i for i, token in enumerate(whole) if token in stops]
        assert row == whole[: ends[0] if ends else 12]
    assert found[2] == []
    assert len({len(row) for row in found}) > 2


class Watched(CachedSession):
    """Counts rows and tokens."""

    def __init__(self, model: DecoderOnly) -> None:
        super().__init__(model)
        self.shapes: list[tuple[int, ...]] = []

    def advance(self, ids: torch.Tensor) -> torch.Tensor:
        self.shapes.append(tuple(ids.shape))
        return super().advance(ids)


def test_each_token_is_read_once_and_finished_rows_leave() -> None:
    model = MODELS["gpt"](0)
    stop = generate(model, SOME, 12)[1][1]
    session = Watched(model)
    found = generate(model, SOME, 4, stop=(stop,), session=session)
    assert session.shapes[0] == (5, 1)  # the shortest prompt has one token
    assert all(shape[1] == 1 for shape in session.shapes[1:])
    steps = [len(prompt) + min(len(row) + 1, 4) - 1 for prompt, row in zip(SOME, found, strict=True)]  # tokens fed
    assert sum(rows * length for rows, length in session.shapes) == sum(steps)
    together = Watched(model)
    generate(model, [[1, 2, 3, 4]] * 3, 6, session=together)
    assert together.shapes == [(3, 4)] + [(3, 1)] * 5


@EACH
def test_stream_gives_each_id_as_it_comes(name: str) -> None:
    model = MODELS[name](0)
    for prompt in SOME:
        session = Watched(model)
        ids = stream(model, prompt, 10, session=session)
        assert session.shapes == []
        expected = stepwise(model, prompt, 10)
        for n, token in enumerate(expected, 1):
            assert next(ids) == token
            assert len(session.shapes) == n
            assert model.training
            assert not torch.is_inference_mode_enabled()
        assert next(ids, None) is None
        stop = (expected[4],)
        assert list(stream(model, prompt, 10, stop=stop)) == stepwise(model, prompt, 10, stop)


@EACH
@settings(max_examples=8)
@given(seed=st.integers(0, 20), temperature=st.sampled_from([0.5, 1.0, 3.0]))
def test_narrow_choices_are_greedy(name: str, seed: int, temperature: float) -> None:
    """The best 1, or a nucleus of next to nothing."""
    model = MODELS[name](seed % 4)
    best = generate(model, SOME, 10)
    for narrow in (Sampler(temperature, top_k=1, generator=seeded(seed)), Sampler(temperature, top_p=1e-9)):
        assert generate(model, SOME, 10, narrow) == best
    assert generate(model, SOME, 10, Sampler(1e-6, generator=seeded(seed))) == best  # so cold


@EACH
def test_the_same_generator_the_same_texts(name: str) -> None:
    model = MODELS[name](0)

    def texts(seed: int) -> list[list[int]]:
        return generate(model, SOME, 12, Sampler(2.0, 20, 0.95, seeded(seed)), stop=(3,))

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)
    one = Sampler(2.0, generator=seeded())
    assert generate(model, SOME, 12, one) != generate(model, SOME, 12, one)  # it goes on
    torch.manual_seed(4)
    first = generate(model, SOME, 12, Sampler(2.0))
    torch.manual_seed(4)
    assert generate(model, SOME, 12, Sampler(2.0)) == first  # torch's own generator


@EACH
@settings(max_examples=15)
@given(others=PROMPTS, seed=st.integers(0, 9), stop=st.sets(st.integers(0, V - 1), max_size=6))
def test_a_rows_samples_do_not_depend_on_its_neighbours(
    name: str, others: list[list[int]], seed: int, stop: set[int]
) -> None:
    model, own = MODELS[name](0), [9, 1, 4]

    def second(neighbours: list[list[int]]) -> list[int]:
        prompts = [neighbours[0], own, *neighbours[1:]]
        return generate(model, prompts, 10, Sampler(2.0, generator=seeded(seed)), stop)[1]

    assert second(others) == second([[1]])


@EACH
@settings(max_examples=10)
@given(length=st.integers(1, POSITIONS), rows=st.integers(1, 3))
def test_the_last_position_is_used_and_none_beyond(name: str, length: int, rows: int) -> None:
    model, room = MODELS[name](0), POSITIONS - length + 1
    prompts = [[7]] * (rows - 1) + [list(range(length))]
    assert {len(row) for row in generate(model, prompts, room)} == {room}
    for bad in (room + 1, 0, -1):
        for ask in (generate, lambda *x: generate(*x, Sampler()), lambda m, p, n: stream(m, p[-1], n)):
            with pytest.raises(InputError) as caught:
                ask(model, prompts, bad)
            need = f"need 1 to {room}: the model has {POSITIONS} positions, and the longest prompt takes {length}"
            assert str(caught.value) == f"max_new: got {bad}, {need}"


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([], "prompts: got [], need at least one"),
        ([[1], []], "prompts: got 'an empty one', need at least one id in each to continue from"),
        ([[1] * 25], "prompts: got 'one of 25 ids', need at most 24: the model's positions"),
        ([[1, 30]], "ids: got ids from 1 to 30, need 0 to 29 (the vocabulary)"),
    ],
)
def test_bad_prompts(prompts: list[list[int]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        generate(MODELS["gpt"](0), prompts, 3)
    assert str(caught.value) == message


@EACH
@settings(max_examples=10)
@given(seed=st.integers(0, 99), max_new=st.integers(1, 12), alpha=st.sampled_from([0.0, 1.0]))
def test_beam_of_one_is_greedy(name: str, seed: int, max_new: int, alpha: float) -> None:
    model = MODELS[name](seed % 4)
    prompts = torch.randint(0, V, (4, 3), generator=seeded(seed)).tolist()
    assert beam_generate(model, prompts, max_new, 3, 1, alpha) == generate(model, prompts, max_new, stop=(3,))


@torch.no_grad()
def logp(model: DecoderOnly, prompt: list[int], ids: list[int], max_new: int, stop: int) -> float:
    tokens = (ids + [stop])[:max_new]
    steps = model.eval()(torch.tensor([prompt + tokens]))[0].log_softmax(-1)
    return sum(steps[len(prompt) - 1 + i, token].item() for i, token in enumerate(tokens))


@EACH
def test_a_wider_beam_finds_likelier_texts(name: str) -> None:
    model = MODELS[name](0)
    prompts = torch.randint(0, V, (6, 3), generator=seeded()).tolist()

    def total(beam: int) -> float:
        found = beam_generate(model, prompts, 6, 3, beam, 0.0)
        return sum(logp(model, prompt, ids, 6, 3) for prompt, ids in zip(prompts, found, strict=True))

    assert total(1) < total(4) <= total(32)
    alone = [beam_generate(model, [prompt], 6, 3)[0] for prompt in prompts]
    assert beam_generate(model, prompts, 6, 3) == alone


def test_beam_search_of_unlike_prompts() -> None:
    with pytest.raises(InputError, match=r"prompts: got 'lengths \[1, 2\]', need one length: search the others in"):
        beam_generate(MODELS["gpt"](0), [[1], [1, 2]], 3, 3)
    with pytest.raises(InputError, match="beam: got 0, need a positive number"):
        beam_generate(MODELS["gpt"](0), [[1]], 3, 3, 0)


@pytest.mark.parametrize("choose", [greedy_choice, Sampler(top_k=1), Sampler(0.3, top_p=1e-9)])
def test_a_translator_writes_with_the_same_loop(choose: Callable[[torch.Tensor, Sequence[int]], torch.Tensor]) -> None:
    model, src = small_model(), sources(6, 6)
    session = TranslationSession(model, src)
    assert generate(model, [[1]] * 6, 10, choose, (2,), session) == greedy(model, src, 10)


def test_a_translator_samples_each_sentence_by_itself() -> None:
    model, src = small_model(), sources(6, 6)

    def sample(rows: torch.Tensor) -> list[list[int]]:
        choose = Sampler(2.0, generator=seeded())
        return generate(model, [[1]] * len(rows), 10, choose, (2,), TranslationSession(model, rows))

    together = sample(src)
    assert len({tuple(row) for row in together}) == 6
    assert sample(src[:3]) == together[:3]
