"""What stands on an encoder to answer a question about the whole text, or about each of its tokens."""

import torch
from torch import nn

from ttlib.errors import require
from ttlib.models.embedding import check_ids
from ttlib.models.encoder import Encoder
from ttlib.models.init import init_weights
from ttlib.nn import masks
from ttlib.nn.norms import LayerNorm
from ttlib.shapes import Bool, Float, Int, Tensor


class MeanHead(nn.Module):
    """logits = W · (mean of the real tokens' states) + b: every word has its say, padding has none."""

    def __init__(self, d_model: int, n_classes: int) -> None:
        super().__init__()
        require(n_classes > 0, "n_classes", n_classes, "a positive number")
        self.linear = nn.Linear(d_model, n_classes)

    def forward(self, states: Float[Tensor, "B S D"], real: Bool[Tensor, "B S"]) -> Float[Tensor, "B C"]:
        """Scores of the classes; ``real`` is True where there is a token. A row of padding alone counts as zeros."""
        return self.linear(masked_mean(states, real))


class FirstTokenHead(nn.Module):
    """logits = W₂ · tanh(W₁ · state of the first token + b₁) + b₂: that token, [CLS], has to gather what matters.

    Devlin et al. 2018, §3: "the final hidden state corresponding to this token is used as the aggregate
    sequence representation"; the layer with the tanh, the *pooler*, is that of their code.
    """

    def __init__(self, d_model: int, n_classes: int) -> None:
        super().__init__()
        require(n_classes > 0, "n_classes", n_classes, "a positive number")
        self.pooler = nn.Linear(d_model, d_model)
        self.linear = nn.Linear(d_model, n_classes)

    def forward(self, states: Float[Tensor, "B S D"], real: Bool[Tensor, "B S"] | None = None) -> Float[Tensor, "B C"]:
        """Scores of the classes; ``real`` is not needed: the first token is always there."""
        return self.linear(self.pooler(states[:, 0]).tanh())


class TokenHead(nn.Module):
    """logits = W · state + b, at every token: the tag that this token has.

    Devlin et al. 2018, §5.3: of a word in several pieces, only the first piece is asked.
    """

    def __init__(self, d_model: int, n_tags: int) -> None:
        super().__init__()
        require(n_tags > 0, "n_tags", n_tags, "a positive number")
        self.linear = nn.Linear(d_model, n_tags)

    def forward(
        self, states: Float[Tensor, "B T D"], real: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T C"]:
        """Scores of the tags; ``real`` is not needed: padding is not asked."""
        return self.linear(states)


class SpanHead(nn.Module):
    """start(i) = s · state of token i, end(i) = e · state of token i: where an answer begins, and where it ends.

    Devlin et al. 2018, §4.2: two vectors are all that is learnt anew. `best_spans` makes an answer of the scores.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.linear = nn.Linear(d_model, 2, bias=False)

    def forward(self, states: Float[Tensor, "B T D"], real: Bool[Tensor, "B T"]) -> Float[Tensor, "B 2 T"]:
        """Scores of the first and of the last token of the answer; −∞ where ``real`` says that there is padding."""
        scores = self.linear(states).transpose(1, 2)
        return scores.masked_fill(~real[:, None], -torch.inf)


def best_spans(
    logits: Float[Tensor, "B 2 T"], allowed: Bool[Tensor, "B T"], longest: int | None = None
) -> Int[Tensor, "B 2"]:
    """First and last token of the span with the largest start + end score (Devlin et al. 2018, §4.2).

    Both lie where ``allowed`` is True, the first is not behind the last, and there are at most ``longest`` tokens.

    Raises:
        InputError: a row allows no token, or ``longest`` is not positive.
    """
    require(bool(allowed.any(1).all()), "allowed", allowed.sum(1).tolist(), "a token in every row")
    require(longest is None or longest > 0, "longest", longest, "a positive number or None")
    n = allowed.size(1)
    start, end = logits.masked_fill(~allowed[:, None], -torch.inf).unbind(1)
    forward = torch.ones(n, n, dtype=torch.bool, device=logits.device).triu()
    if longest is not None:
        forward = forward.tril(longest - 1)
    scores = (start[:, :, None] + end[:, None, :]).masked_fill(~forward, -torch.inf)  # (B, T, T)
    best = scores.flatten(1).argmax(1)
    return torch.stack((best // n, best % n), 1)


class MaskedTokenHead(nn.Module):
    """logits = E · LayerNorm(gelu(W · state + b)) + c: which token stands here? E is the encoder's own token table.

    Devlin et al. 2018, §3.1, task 1; the layer before the table, its activation and its norm are those of their
    code (``get_masked_lm_output``). Besides the table, which is passed in, one number per token is learnt: c.
    """

    def __init__(self, d_model: int, vocab_size: int, eps: float = 1e-12) -> None:
        super().__init__()
        self.dense = nn.Linear(d_model, d_model)
        self.norm = LayerNorm(d_model, eps)
        self.bias = nn.Parameter(torch.zeros(vocab_size))

    def forward(self, states: Float[Tensor, "... D"], table: Float[Tensor, "V D"]) -> Float[Tensor, "... V"]:
        """Scores of all tokens for each state. In training, only the states of selected places are worth the work."""
        x = self.norm(nn.functional.gelu(self.dense(states)))
        return nn.functional.linear(x, table, self.bias)


class Classifier(nn.Module):
    """Ids → encoder → head → logits. Padding changes nothing.

    Raises:
        InputError: ids outside the vocabulary, an empty batch, or a sequence beyond max_len.
    """

    def __init__(self, encoder: Encoder, head: MeanHead | FirstTokenHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        init_weights(self)

    def forward(self, ids: Int[Tensor, "B S"]) -> Float[Tensor, "B C"]:
        """Scores of the classes for each row of ids."""
        config = self.encoder.config
        check_ids(ids, config.vocab_size, "ids")
        mask = masks.padding(ids, config.pad_id)  # (B, 1, 1, S)
        return self.head(self.encoder(ids, mask), mask[:, 0, 0])


def masked_mean(x: Float[Tensor, "B S D"], real: Bool[Tensor, "B S"]) -> Float[Tensor, "B D"]:
    """The mean of the rows that are real; zeros where none is."""
    shares = real.to(x.dtype) / real.sum(1, keepdim=True).clamp(min=1)
    return (shares[:, None] @ x)[:, 0]
