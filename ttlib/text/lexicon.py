"""A dictionary learnt from sentence pairs alone: IBM Model 1."""

import re
from collections.abc import Sequence

import torch

from ttlib.errors import require
from ttlib.shapes import Int, Tensor

WORD = re.compile(r"[\w'-]+")


def words(text: str) -> list[str]:
    """Lower-case words, without punctuation marks."""
    return WORD.findall(text.lower())


def learn_lexicon(pairs: Sequence[tuple[str, str]], iterations: int = 5) -> dict[str, str]:
    """For each source word, the target word that most probably translates it (Brown et al. 1993, Model 1).

    Every target word of a sentence is explained by one of its source words. At first all are equally
    likely; expectation maximisation then shifts the counts to the pairs that explain most, again and again.

    Raises:
        InputError: there are no pairs, or none has words on both sides.
    """
    require(len(pairs) > 0, "pairs", 0, "at least one pair of sentences")
    src_ids: dict[str, int] = {}
    tgt_ids: dict[str, int] = {}
    f, e, group = _links(pairs, src_ids, tgt_ids)  # (N,) each: a source word, a target word, its position
    require(len(group) > 0, "pairs", pairs[0], "a pair with words on both sides")
    n_tgt = len(tgt_ids)
    kinds, link = torch.unique(f * n_tgt + e, return_inverse=True)  # each distinct pair of words once
    kind_src = kinds // n_tgt
    t = torch.ones(len(kinds))  # t(e | f), unnormalised
    for _ in range(iterations):
        p = t[link]
        total = torch.zeros(int(group[-1]) + 1).index_add_(0, group, p)  # what all source words offer
        count = torch.zeros(len(kinds)).index_add_(0, link, p / total[group])
        t = count / torch.zeros(len(src_ids)).index_add_(0, kind_src, count)[kind_src]
    order = torch.argsort(t, stable=True)  # the last one written for a word is its best
    best = dict(zip(kind_src[order].tolist(), (kinds % n_tgt)[order].tolist(), strict=True))
    names = list(tgt_ids)
    return {word: names[best[i]] for word, i in src_ids.items() if i in best}


def _links(
    pairs: Sequence[tuple[str, str]], src_ids: dict[str, int], tgt_ids: dict[str, int]
) -> tuple[Int[Tensor, " N"], Int[Tensor, " N"], Int[Tensor, " N"]]:
    """Every source word beside every target word of its sentence, and the target position's number."""
    f, e, group, position = [], [], [], 0
    for source, target in pairs:
        fs = torch.tensor([src_ids.setdefault(w, len(src_ids)) for w in words(source)], dtype=torch.long)
        es = torch.tensor([tgt_ids.setdefault(w, len(tgt_ids)) for w in words(target)], dtype=torch.long)
        f.append(fs.repeat(len(es)))
        e.append(es.repeat_interleave(len(fs)))
        group.append(torch.arange(position, position + len(es)).repeat_interleave(len(fs)))
        position += len(es) if len(fs) else 0
    return torch.cat(f), torch.cat(e), torch.cat(group)


def word_for_word(text: str, lexicon: dict[str, str]) -> str:
    """Replace each word by its entry; capitals and punctuation stay, words without an entry are left out."""

    def replace(found: re.Match[str]) -> str:
        entry = lexicon.get(found[0].lower(), "")
        return entry.capitalize() if found[0][0].isupper() else entry

    return " ".join(WORD.sub(replace, text).split())
