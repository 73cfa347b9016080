"""How well a text is predicted: every token once, and the same number whatever the tokens are."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ttlib.data.language import START
from ttlib.errors import InputError
from ttlib.generate.likelihood import TextScore, bits_per_byte, score_texts, token_nats
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.text.splitting import Bytes, Letters
from ttlib.text.tokeniser import BPE

TEXT = "the cat sat on the mat, and the dog sat on the cat.\n" * 4
LETTERS = BPE.train([TEXT], 1000, Letters(), [START])
BYTES = BPE.train([TEXT], 300, Bytes(), [START])


class Counter(nn.Module):
    """Predicts every token alike: −ln p = ln V."""

    def __init__(self, vocab_size: int, max_len: int = 8) -> None:
        super().__init__()
        self.config = GPTConfig(vocab_size=vocab_size, d_model=8, n_heads=1, d_ff=8, n_layers=1, max_len=max_len)
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.nothing + torch.zeros(*ids.shape, self.config.vocab_size)


def loud_model(tokeniser: BPE = LETTERS, max_len: int = 8) -> GPT:
    model = GPT(GPTConfig(vocab_size=len(tokeniser), d_model=32, n_heads=4, d_ff=64, n_layers=2, max_len=max_len))
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 0.3)
    return model.train()


def test_a_model_that_knows_nothing_takes_the_logarithm_of_its_vocabulary() -> None:
    for tokeniser in (LETTERS, BYTES):
        found = score_texts(Counter(len(tokeniser)), tokeniser, [TEXT, "the"])
        n = len(tokeniser.encode(TEXT)) + len(tokeniser.encode("the"))
        assert len(found.nats) == n  # the first token of each text, too
        assert found.bits_per_byte == pytest.approx(n * math.log2(len(tokeniser)) / (len(TEXT) + 3))
        assert found.perplexity == pytest.approx(len(tokeniser))


def test_bytes_are_counted_not_characters() -> None:
    text = "Über"
    tokeniser = BPE.train([TEXT], 257, Bytes(), [START])
    found = score_texts(Counter(257), tokeniser, [text])
    assert (found.n_characters, found.n_bytes, len(found.nats)) == (4, 5, 5)
    assert found.bits_per_byte == pytest.approx(math.log2(257))
    assert found.per_character == pytest.approx(5 / 4 * math.log(257))


def test_token_nats_equals_one_pass_where_the_text_fits() -> None:
    model = loud_model(max_len=40).double()
    ids = torch.tensor(LETTERS.encode(TEXT))[:41]
    logits = model.eval()(ids[None, :-1])
    model.train()
    expected = F.cross_entropy(logits[0], ids[1:], reduction="none").float()
    torch.testing.assert_close(token_nats(model, ids).double(), expected.double(), rtol=1e-5, atol=1e-5)
    assert model.training


def test_token_nats_equals_a_loop_over_places() -> None:
    """With stride 1, each token has as many before it as the model can see."""
    model = loud_model().double().eval()
    ids = torch.tensor(LETTERS.encode(TEXT))[:30]
    expected = []
    for place in range(1, 30):
        start = max(0, place - 8) if place >= 8 else 0
        logits = model(ids[None, start:place])[0, -1]
        expected.append(F.cross_entropy(logits[None], ids[place : place + 1]).item())
    torch.testing.assert_close(
        token_nats(model, ids, stride=1).double(), torch.tensor(expected).double(), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("mutant", ["no overlap", "shorter windows", "shifted"])
def test_token_nats_mutants_differ(mutant: str) -> None:
    model = loud_model().double().eval()
    ids = torch.tensor(LETTERS.encode(TEXT))[:30]
    right = token_nats(model, ids, stride=1)
    wrong = {
        "no overlap": lambda: token_nats(model, ids, stride=8),
        "shorter windows": lambda: token_nats(model, ids, length=4, stride=1),
        "shifted": lambda: token_nats(model, ids, stride=1).roll(1),
    }[mutant]()
    assert (wrong - right).abs().max() > 0.01


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batches_change_nothing(batch: int) -> None:
    model, ids = loud_model(), torch.tensor(LETTERS.encode(TEXT))
    torch.testing.assert_close(token_nats(model, ids, batch=batch), token_nats(model, ids), rtol=1e-4, atol=1e-4)


def test_texts_are_judged_apart_and_added_up() -> None:
    model, texts = loud_model(), [TEXT, "a cat"]
    together, first, second = (score_texts(model, LETTERS, part) for part in (texts, texts[:1], texts[1:]))
    torch.testing.assert_close(together.nats, torch.cat([first.nats, second.nats]))
    assert together.n_bytes == first.n_bytes + second.n_bytes
    assert bits_per_byte(model, LETTERS, TEXT) == first.bits_per_byte


def test_the_three_numbers_of_a_score() -> None:
    score = TextScore(torch.full((10,), math.log(8)), n_characters=20, n_bytes=30)
    assert score.bits_per_byte == pytest.approx(1.0)
    assert score.per_character == pytest.approx(math.log(8) / 2)
    assert score.perplexity == pytest.approx(8)


def test_what_cannot_be_judged() -> None:
    model = loud_model()
    with pytest.raises(InputError, match="texts: got 0, need at least one text"):
        score_texts(model, LETTERS, [])
    with pytest.raises(InputError, match="ids: got 1, need at least 2 tokens"):
        score_texts(model, LETTERS, [""])
    with pytest.raises(InputError, match="text: got 'Z', need characters seen in training"):
        score_texts(model, LETTERS, ["Zebra"])
    with pytest.raises(InputError, match="length: got 9, need 1 to 8, the model's positions"):
        token_nats(model, torch.arange(5), length=9)
    with pytest.raises(InputError, match=r"tokeniser: got \(\), need a tokeniser with the token <start>"):
        score_texts(model, BPE.train([TEXT], 1000, Letters()), [TEXT])
