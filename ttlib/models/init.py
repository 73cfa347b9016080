"""How weights begin."""

import math

from torch import nn

from ttlib.nn.positions import LearnedPositions


def init_weights(model: nn.Module) -> None:
    """Xavier-uniform matrices (Glorot & Bengio 2010) and zero biases for every linear layer.

    Embeddings keep the standard deviation 1/√D that they draw for themselves.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def init_gpt2(model: nn.Module, n_layers: int, std: float = 0.02) -> None:
    """Normal matrices and tables of one standard deviation, zero biases (Radford et al. 2019, §2.3; their code).

    What a sublayer adds to the residual path (``w_o`` and ``w_2``) is divided by √(2 · n_layers), so that the
    sum of all 2 · n_layers of them begins no larger than one.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            adds = name.rpartition(".")[2] in ("w_o", "w_2")
            nn.init.normal_(module.weight, std=std / math.sqrt(2 * n_layers) if adds else std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=std)
        elif isinstance(module, LearnedPositions):
            nn.init.normal_(module.table, std=std)
