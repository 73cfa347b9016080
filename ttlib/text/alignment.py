"""Which word of the source belongs to which word of the target: read off attention, judged by a lexicon."""

from collections.abc import Mapping, Sequence

import torch

from ttlib.errors import require
from ttlib.shapes import Bool, Float, Tensor
from ttlib.text.lexicon import words


def word_numbers(pieces: Sequence[str]) -> list[int]:
    """For each subword, the number of the word that it is a part of; ``▁`` begins a word.

    >>> word_numbers(["▁trans", "form", "ers", "▁!"])
    [0, 0, 0, 1]

    Raises:
        InputError: the first piece does not begin a word.
    """
    require(not pieces or pieces[0].startswith("▁"), "pieces", pieces[:1], "a first piece that begins with ▁")
    numbers: list[int] = []
    for piece in pieces:
        numbers.append(len(set(numbers)) if piece.startswith("▁") else numbers[-1])
    return numbers


def word_weights(
    weights: Float[Tensor, "... T S"], tgt_words: Sequence[int], src_words: Sequence[int]
) -> Float[Tensor, "... t s"]:
    """Attention between words from attention between subwords: to a word's parts summed, from them averaged.

    Clark et al. 2019, §4.1. ``tgt_words`` and ``src_words`` are those of `word_numbers`; a source's further
    positions (eos) are left out.

    Raises:
        InputError: there is no subword for each row of weights, or there are more source subwords than columns.
    """
    require(len(tgt_words) == weights.size(-2), "tgt_words", len(tgt_words), f"one per row, {weights.size(-2)}")
    require(len(src_words) <= weights.size(-1), "src_words", len(src_words), f"at most {weights.size(-1)} columns")
    into = _membership(src_words, weights)  # (S, s)
    out = _membership(tgt_words, weights)  # (T, t)
    return (out / out.sum(0)).T @ weights[..., : len(src_words)] @ into


def _membership(numbers: Sequence[int], like: Tensor) -> Float[Tensor, "N n"]:
    return torch.eye(max(numbers) + 1, dtype=like.dtype, device=like.device)[list(numbers)]


def lexicon_links(
    source: str, target: str, lexicon: Mapping[str, str]
) -> tuple[Bool[Tensor, "t s"], Bool[Tensor, "t s"]]:
    """(possible, sure) links between the words of two sentences, cut at spaces: a gold standard without annotators.

    Possible: the lexicon translates the source word by the target word. Sure: a possible link of two words that
    have no other. (Och & Ney 2003, §2.2, ask annotators for the two kinds.)
    """
    src, tgt = ([(words(word) or [""])[0] for word in text.split()] for text in (source, target))
    possible = torch.tensor([[bool(e) and lexicon.get(f) == e for f in src] for e in tgt], dtype=torch.bool)
    possible = possible.view(len(tgt), len(src))
    alone = (possible.sum(1, keepdim=True) == 1) & (possible.sum(0, keepdim=True) == 1)
    return possible, possible & alone


def alignment_error(n_found: int, n_sure: int, found_possible: int, found_sure: int) -> float:
    """1 − (|A ∩ P| + |A ∩ S|) / (|A| + |S|): 0 is perfect (Och & Ney 2003, §2.2, eq. 1).

    Raises:
        InputError: nothing was found and nothing is sure.
    """
    require(n_found + n_sure > 0, "n_found", n_found, "a link that was found or one that is sure")
    return 1 - (found_possible + found_sure) / (n_found + n_sure)
