"""How weights begin."""

from torch import nn


def init_weights(model: nn.Module) -> None:
    """Xavier-uniform matrices (Glorot & Bengio 2010) and zero biases for every linear layer.

    Embeddings keep the standard deviation 1/√D that they draw for themselves.
    """
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
