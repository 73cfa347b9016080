"""Text in, text out: what is streamed is what is written, and characters come whole."""

import pytest
import torch

from ttlib.data.language import START, with_start
from ttlib.errors import InputError
from ttlib.generate.sample import Sampler, generate
from ttlib.generate.writer import Writer, as_text
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.text.splitting import Bytes
from ttlib.text.tokeniser import BPE

TOKENISER = BPE.train(["a – b — c ü"] * 3, 262, Bytes(), [START])


@pytest.fixture(scope="module")
def writer() -> Writer:
    torch.manual_seed(3)
    model = GPT(GPTConfig(vocab_size=len(TOKENISER), d_model=32, n_heads=4, d_ff=64, n_layers=2, max_len=40))
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, 0.3)
    return Writer(model.eval(), TOKENISER)


def test_it_writes_what_generate_gives(writer: Writer) -> None:
    (ids,) = generate(writer.model, [with_start(TOKENISER, "a b")], 20, stop=[TOKENISER.vocab[START]])
    assert writer.write("a b", 20) == TOKENISER.decode(ids)


@pytest.mark.parametrize("text", ["", "a b c"])
def test_streamed_is_written(writer: Writer, text: str) -> None:
    pieces = list(writer.stream(text, 20, Sampler(generator=torch.Generator().manual_seed(5))))
    assert "".join(pieces) == writer.write(text, 20, Sampler(generator=torch.Generator().manual_seed(5)))
    assert len(pieces) > 3


def test_a_character_of_several_tokens_comes_when_it_is_whole() -> None:
    single = BPE.train(["a"], 257, Bytes(), [START])
    ids = single.encode("a–ü!")
    assert len(ids) == 1 + 3 + 2 + 1
    assert list(as_text(single, iter(ids))) == ["a", "–", "ü", "!"]
    assert list(as_text(single, iter(ids[:2]))) == ["a", "\ufffd"]  # cut off in the middle


def test_the_next_work_is_the_end(writer: Writer) -> None:
    start = TOKENISER.vocab[START]

    def choose(logits: torch.Tensor, rows: list[int]) -> torch.Tensor:
        written.append(len(written))
        return torch.full((len(logits),), start if len(written) == 3 else TOKENISER.vocab["b"])

    written: list[int] = []
    assert writer.write("a", 20, choose) == "bb"


def test_a_text_beyond_the_positions(writer: Writer) -> None:
    with pytest.raises(InputError, match=r"max_new: got 41, need 1 to 40: the model has 40 positions"):
        writer.write("", 41)
    with pytest.raises(InputError, match=r"prompts: got 'one of 46 ids', need at most 40"):
        writer.stream("b" * 45)
