"""How large a model is, and where its weights sit."""

from torch import nn


def count_parameters(model: nn.Module) -> int:
    """Trained numbers; a table that is used twice (tied) counts once."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def parameters_by_kind(model: nn.Module) -> dict[str, int]:
    """The same by the class of the layer that owns them, largest first."""
    kinds: dict[str, int] = {}
    for module in model.modules():
        own = sum(p.numel() for p in module.parameters(recurse=False) if p.requires_grad)
        if own:
            kinds[type(module).__name__] = kinds.get(type(module).__name__, 0) + own
    return dict(sorted(kinds.items(), key=lambda item: -item[1]))
