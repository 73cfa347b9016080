"""The ``tokenizers`` library with the settings of our splitters."""

import json
from collections.abc import Iterable
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from ttlib.text.splitting import Bytes, EndMark, Letters, Spaces, Splitter


def library(splitter: Splitter, unk: str | None = None) -> Tokenizer:
    """An untrained tokeniser of the library."""
    tokenizer = Tokenizer(models.BPE(unk_token=unk))
    if isinstance(splitter, Bytes):
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    elif isinstance(splitter, Spaces):
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
    elif isinstance(splitter, Letters):
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
        tokenizer.decoder = decoders.Fuse()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    return tokenizer


def trained(
    splitter: Splitter, texts: Iterable[str], vocab_size: int, specials: Iterable[str] = (), unk: str | None = None
) -> Tokenizer:
    """The same trained, with the settings of `BPE.train`."""
    tokenizer = library(splitter, unk)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(specials),
        initial_alphabet=list(splitter.alphabet),
        show_progress=False,
        **({"end_of_word_suffix": splitter.mark} if isinstance(splitter, EndMark) else {}),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges_of(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    """Its merges, in order."""
    model: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return [tuple(pair) for pair in model["merges"]]
