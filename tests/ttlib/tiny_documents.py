"""Two collections of random documents: every id tells which sentence it is from."""

import torch

from ttlib.data.documents import Corpus

VOCAB = 3000


def corpus(n: int = 12, seed: int = 0, longest: int = 12, fewest: int = 1) -> Corpus:
    """Documents of ``fewest`` to ``fewest`` + 11 sentences; a sentence is 1 to ``longest`` times 10 + its number."""
    generator = torch.Generator().manual_seed(seed)
    ids, starts, first = [], [0], [0]
    for _ in range(n):
        for _ in range(int(torch.randint(fewest, fewest + 12, (), generator=generator))):
            length = int(torch.randint(1, longest + 1, (), generator=generator))
            ids += [9 + len(starts)] * length
            starts.append(len(ids))
        first.append(len(starts) - 1)
    half = n // 2
    return Corpus(torch.tensor(ids, dtype=torch.int16), starts, first, [list(range(half)), list(range(half, n))])
