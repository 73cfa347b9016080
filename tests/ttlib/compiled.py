"""Run as a script: in tests, shapes are checked at every call, which a compiler cannot see through."""

import dataclasses
import json
from functools import partialmethod

import torch
from torch._dynamo.testing import CompileCounter

from tests.ttlib.tiny_training import EXACT, TRAIN, make_trainer
from ttlib.models.seq2seq import Seq2Seq


def count_graphs(pre_norm: bool) -> int:
    """How many graphs five shapes of batches need."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    model = Seq2Seq(dataclasses.replace(EXACT, dropout=0.1, pre_norm=pre_norm)).train()
    graphs = CompileCounter()
    model.encoder.compile(dynamic=True, backend=graphs, fullgraph=True)
    model.decoder.compile(dynamic=True, backend=graphs, fullgraph=True)
    for rows, length in ((3, 8), (5, 8), (3, 16), (7, 24), (4, 32)):
        src, tgt = torch.randint(3, 20, (rows, length)), torch.randint(3, 20, (rows, length - 3))
        src[0, -2:] = 0
        model.states(src, tgt).sum().backward()
    return int(graphs.frame_count)


def difference(steps: int) -> float:
    """How far apart the weights of a compiled and an eager run are, and whether the first was compiled."""
    torch._dynamo.reset()
    plain = make_trainer(model=EXACT)
    # The compiler's front end and its derivatives; its C++ back end would take a minute here.
    torch.nn.Module.compile = partialmethod(torch.nn.Module.compile, backend="aot_eager")  # type: ignore[assignment]
    compiled = make_trainer(dataclasses.replace(TRAIN, compile=True), model=EXACT)
    for run in (plain, compiled):
        run.run(show=False, until=steps)
    assert compiled.model.encoder._compiled_call_impl is not None
    pairs = zip(plain.model.parameters(), compiled.model.parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


if __name__ == "__main__":
    print(json.dumps({"pre": count_graphs(True), "post": count_graphs(False), "difference": difference(6)}))
