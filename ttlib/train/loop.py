"""The training loop: read it from top to bottom."""

import dataclasses
import math
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ttlib import runtime
from ttlib.errors import require
from ttlib.train import checkpoint
from ttlib.train.config import TrainConfig
from ttlib.train.dist import ALONE, World
from ttlib.train.objective import Batches, Objective, TranslationLoss, compile_parts
from ttlib.train.optim import MovingAverage, adamw
from ttlib.train.precision import faster_dtype
from ttlib.train.progress import Progress
from ttlib.train.schedule import learning_rate

Point = dict[str, float]  # one line of the history: step, loss, lr, tokens_per_second


class Trainer:
    """A model (with a ``config``), its optimiser and its place in the data: all that a resumed run needs.

    ``objective`` says what is minimised: one of `ttlib.train.objective`, or another function of its kind.
    """

    def __init__(
        self,
        model: Any,
        batches: Batches,
        config: TrainConfig,
        world: World = ALONE,
        objective: Objective = TranslationLoss,
    ) -> None:
        self.model, self.batches, self.world = model.to(world.device), batches, world
        dtype = faster_dtype(world.device) if config.dtype == "auto" else config.dtype
        self.config = dataclasses.replace(config, dtype=dtype)
        self.optimiser = adamw(model, config)
        self.average = MovingAverage(model, config.average)
        self.step = self.epoch = self.batch = 0
        self.history: list[Point] = []
        self.recent: list[float] = []  # losses since the history's last line
        loss = objective(model, config.smoothing, dtype)
        if config.compile:
            compile_parts(model)
        self.loss = DistributedDataParallel(loss) if world.size > 1 else loss

    def run(self, out: Path | None = None, show: bool = True, until: int | None = None) -> list[Point]:
        """Train to ``config.steps`` (or stop ``until`` a step); save to ``out``; return the history."""
        last = self.config.steps if until is None else min(until, self.config.steps)
        self.model.train()
        tokens, since = 0, time.perf_counter()
        stream = self.stream()
        with Progress("training", last, enabled=show and self.world.is_first) as progress:
            while self.step < last:
                micro = list(islice(stream, self.config.accumulate))
                self.recent.append(self.update(micro))
                tokens += sum(n for _, n in micro)
                if self.step % self.config.log_every == 0 or self.step == last:
                    speed = tokens / (time.perf_counter() - since)
                    mean = sum(self.recent) / len(self.recent)
                    lr = learning_rate(self.step - 1, self.config)
                    self.history.append({"step": float(self.step), "loss": mean, "lr": lr, "tokens_per_second": speed})
                    self.recent, tokens, since = [], 0, time.perf_counter()
                note = f"loss {self.history[-1]['loss']:.3f}" if self.history else ""
                progress.update(self.step, note)
                if out and (self.step % self.config.save_every == 0 or self.step == last):
                    self.save(out)
        return self.history

    def stream(self) -> Iterator[tuple[Any, int]]:
        """Batches from the place where we are, epoch after epoch; moves that place."""
        while True:
            for batch, n in self.batches.epoch(self.epoch, self.batch):
                self.batch += 1
                yield batch, n
            self.epoch, self.batch = self.epoch + 1, 0

    def update(self, micro: list[tuple[Any, int]]) -> float:
        """One optimiser step on a few micro-batches; returns the mean loss per target token.

        The sum over this process's tokens is divided by the tokens of *all* processes and micro-batches;
        DistributedDataParallel averages over processes, hence the factor.

        Raises:
            InputError: a gradient is infinite or not a number; the weights stay as they were.
        """
        total = sum(n for _, n in micro)
        summed = torch.zeros((), device=self.world.device)
        for batch, _ in micro:
            loss = self.loss(batch.to(self.world.device))
            (loss * (self.world.size / total)).backward()
            summed += loss.detach()
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip))
        need = f"finite gradients at step {self.step + 1}: try a lower train.lr; the last checkpoint is kept"
        require(math.isfinite(norm), "loss", float(summed) / total, need)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.config)
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.average.update(self.model, self.step)
        self.step += 1
        if self.world.size > 1:
            torch.distributed.all_reduce(summed)
        return float(summed) / total

    def save(self, out: Path) -> None:
        """Write a checkpoint from which `resume` goes on as if nothing had happened."""
        if not self.world.is_first:
            return
        state = {"optimiser": self.optimiser.state_dict(), "place": [self.step, self.epoch, self.batch]}
        state |= {"history": self.history, "recent": self.recent, **runtime.random_state()}
        config = {"model": self.model.config.to_dict(), "train": dataclasses.asdict(self.config)}
        checkpoint.save_checkpoint(out, self.model.state_dict(), self.average.values, state, config)

    def resume(self, out: Path) -> None:
        """Go back to a checkpoint: weights, average, optimiser, place in the data, random generators.

        One process alone goes on bit for bit as if it had never stopped. Of several, each draws new
        dropout masks: the states of all their generators are not saved.
        """
        folder = checkpoint.find_checkpoint(out)
        weights = checkpoint.read_weights(folder / checkpoint.MODEL)
        average = checkpoint.read_weights(folder / checkpoint.AVERAGE)
        state = checkpoint.read_state(folder)
        checkpoint.check_names(self.average.values, average, "checkpoint")
        checkpoint.load_weights(self.model, weights)
        self.average.load(average)
        decays = [group["weight_decay"] for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])
        for group, decay in zip(self.optimiser.param_groups, decays, strict=True):
            group["weight_decay"] = decay  # the rate too is set anew, at every step
        self.step, self.epoch, self.batch = state["place"]
        self.history, self.recent = state["history"], state["recent"]
        if self.world.size > 1:  # each process drops out on its own
            runtime.seed_everything(hash((self.config.seed, self.step, self.world.rank)))
        else:
            runtime.restore_random_state(state)
