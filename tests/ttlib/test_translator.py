"""Sentences in, sentences out: the same order, whatever the batches."""

import dataclasses

import pytest
import torch

from tests.ttlib.tiny_models import CONFIG, learn_by_heart
from ttlib.errors import InputError
from ttlib.generate.beam import beam_search
from ttlib.generate.translator import Translator
from ttlib.text.subwords import Subwords

SOURCES = ["а б в", "в", "б а б а в г", "г г", "а", "д а б в г д", "б в"]


@pytest.fixture(scope="module")
def translator() -> Translator:
    src = Subwords.train(["а б в г д"] * 3, 20)
    tgt = Subwords.train(["k l m n o p q r s t"] * 3, 24, ["<basic>", "<world>"])
    config = dataclasses.replace(CONFIG, src_vocab_size=len(src), tgt_vocab_size=len(tgt))
    pairs = []
    for edition, start in (("basic", 0), ("world", 3)):
        for i, ids in enumerate(src.encode(SOURCES)):
            (target,) = tgt.encode([" ".join("klmnopqrst"[start + j] for j in range(i))])
            pairs.append(([*ids, 2], [tgt.id_of(f"<{edition}>"), *target, 2]))
    return Translator(learn_by_heart(config, pairs), src, tgt)


@pytest.mark.parametrize("beam", [1, 4])
@pytest.mark.parametrize("batch", [1, 2, 50])
def test_order_and_batches_change_nothing(translator: Translator, beam: int, batch: int) -> None:
    found = translator.translate(SOURCES, beam=beam, batch=batch)
    assert found == [translator.translate([source], beam=beam)[0] for source in SOURCES]
    assert translator.translate(SOURCES[::-1], beam=beam, batch=batch) == found[::-1]
    assert len(set(found)) > 2


def test_a_translation_is_the_beam_searchs(translator: Translator) -> None:
    src = torch.tensor(translator.ids(SOURCES[:1]))
    assert src[0, -1] == 2
    prefix = torch.tensor([translator.tgt.id_of("<world>")])
    (ids,) = beam_search(translator.model, src, min(2 * src.size(1) + 10, 20), 4, 1.0, prefix)
    assert translator.translate(SOURCES[:1], edition="world") == [translator.tgt.decode(ids)]


def test_the_edition_changes_the_translation(translator: Translator) -> None:
    assert translator.translate(SOURCES, "basic") != translator.translate(SOURCES, "world")
    assert translator.prefix("basic").tolist() == [4]


def test_nothing_in_nothing_out(translator: Translator) -> None:
    assert translator.translate([]) == []
    assert len(translator.translate([""])) == 1


def test_wrong_input(translator: Translator) -> None:
    with pytest.raises(InputError, match="piece: got '<klingon>', need a token of this vocabulary"):
        translator.translate(SOURCES, edition="klingon")
    with pytest.raises(InputError, match=r"sequence length: got \d+, need at most max_len=20 positions"):
        translator.translate(["а " * 25])
    with pytest.raises(InputError, match="beam: got 0, need a positive number"):
        translator.translate(SOURCES, beam=0)


def test_search_gives_the_ids_of_the_translation(translator: Translator) -> None:
    found = translator.search(translator.ids(SOURCES))
    assert [translator.tgt.decode(ids) for ids in found] == translator.translate(SOURCES)
