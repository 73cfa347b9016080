"""How the learning rate moves."""

import math

from ttlib.train.config import TrainConfig


def learning_rate(step: int, config: TrainConfig) -> float:
    """The rate of step 0, 1, …: a linear warm-up to ``lr``, then down.

    ``inverse_sqrt`` falls as 1/√step (Vaswani et al. 2017, §5.3, eq. 3, scaled so that the peak is ``lr``);
    ``cosine`` falls to ``lr_end`` times the peak at the last step (Loshchilov & Hutter 2016, eq. 5).
    """
    warm = max(config.warmup, 1)
    if step < config.warmup:
        return config.lr * (step + 1) / warm
    if config.schedule == "inverse_sqrt":
        return config.lr * math.sqrt(warm / (step + 1))
    done = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    return config.lr * (config.lr_end + (1 - config.lr_end) * 0.5 * (1 + math.cos(math.pi * done)))
