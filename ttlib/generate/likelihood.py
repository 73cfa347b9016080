"""How likely a model finds given translations: what search looks for, and not what a reader asks for."""

from collections.abc import Sequence

import torch

from ttlib.data.pairs import IdPair, collate
from ttlib.errors import require
from ttlib.models.seq2seq import Seq2Seq
from ttlib.runtime import eval_mode
from ttlib.shapes import Float, Tensor


def log_probabilities(model: Seq2Seq, pairs: Sequence[IdPair], batch: int = 50) -> Float[Tensor, " N"]:
    """What each pair has as log p(target | source), in nats: the sum over its tokens, eos among them.

    Pairs are those that training sees: the source with eos, the target between its tag and eos.

    Raises:
        InputError: there are no pairs.
    """
    require(len(pairs) > 0, "pairs", 0, "at least one pair")
    device = next(model.parameters()).device
    found = []
    with eval_mode(model):
        for start in range(0, len(pairs), batch):
            part = collate(pairs[start : start + batch], model.config.pad_id).to(device)
            logp = model(part.src, part.tgt_in).float().log_softmax(-1)  # (B, T, V)
            steps = logp.gather(2, part.tgt_out[..., None])[..., 0]  # (B, T)
            found.append(steps.masked_fill(part.tgt_out == model.config.pad_id, 0).sum(1))
    return torch.cat(found).clone()
