"""The loop that writes: the same for every model, and for every way to choose the next token."""

from collections.abc import Callable, Collection, Iterator, Sequence

import torch

from ttlib.errors import require
from ttlib.generate.session import Session
from ttlib.shapes import Float, Int, Tensor

# From logits (B, V) and the numbers of these rows in the batch to a token each, (B,).
Choose = Callable[[Float[Tensor, "B V"], Sequence[int]], Int[Tensor, " B"]]
Step = list[tuple[int, int]]  # (row, token) of every row that has written


def grow(
    session: Session, prompts: Sequence[Sequence[int]], max_new: int, choose: Choose, stop: Collection[int]
) -> Iterator[Step]:
    """Continue every prompt, and give after each step what was written in it.

    A row ends with a token of ``stop``, which is not given, or after ``max_new`` tokens; then it leaves the batch.

    Prompts may differ in length. The first step reads as many tokens of each as the shortest has; from then on every
    row gets a token at a time: its own next one while its prompt lasts, then the one that it has chosen. So all
    rows always stand at the same position, and there is nothing to pad or to mask: each row is computed as if alone.
    """
    device = next(session.model.parameters()).device
    rows, known = list(range(len(prompts))), min(map(len, prompts))
    new = [list(prompt[:known]) for prompt in prompts]
    while rows:
        logits = session.advance(torch.tensor(new, device=device))  # (B, V)
        free = [i for i, row in enumerate(rows) if len(prompts[row]) <= known]  # these have read their prompts
        writers = [rows[i] for i in free]
        tokens = choose(logits if len(free) == len(rows) else logits[free], writers).tolist() if free else []
        written = [(row, token) for row, token in zip(writers, tokens, strict=True) if token not in stop]
        yield written
        known += 1
        following = {row: token for row, token in written if known - len(prompts[row]) < max_new}
        following |= {row: prompts[row][known - 1] for row in rows if len(prompts[row]) >= known}
        keep = [i for i, row in enumerate(rows) if row in following]
        if keep and len(keep) < len(rows):
            session.select(torch.tensor(keep, device=device))
        rows = [rows[i] for i in keep]
        new = [[following[row]] for row in rows]


def check_prompts(prompts: Sequence[Sequence[int]], max_new: int, max_len: int) -> None:
    """Refuse prompts that cannot be continued by ``max_new`` tokens within ``max_len`` positions.

    Raises:
        InputError: there is no prompt, one is empty, or they are too long.
    """
    require(len(prompts) > 0, "prompts", prompts, "at least one")
    longest = max(map(len, prompts))
    require(min(map(len, prompts)) > 0, "prompts", "an empty one", "at least one id in each to continue from")
    require(longest <= max_len, "prompts", f"one of {longest} ids", f"at most {max_len}: the model's positions")
    room = max_len - longest + 1  # the last token is never fed
    need = f"1 to {room}: the model has {max_len} positions, and the longest prompt takes {longest}"
    require(0 < max_new <= room, "max_new", max_new, need)
