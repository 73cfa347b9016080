"""Everything that a training run may choose, and one way to change it from the command line."""

import dataclasses
import difflib
import typing
from dataclasses import dataclass
from typing import Any, TypeVar

from ttlib.errors import InputError, require

Config = TypeVar("Config")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """``max_tokens`` counts source and target with their padding, per micro-batch and over all processes.

    ``schedule``: ``cosine`` (which ends at the share ``lr_end`` of the peak) or ``inverse_sqrt``. ``beta2``: how long
    AdamW remembers squares. ``dtype``: ``float32``, ``bfloat16`` or ``auto`` (whichever
    `ttlib.train.precision.faster_dtype` measures to be quicker here). ``average``: decay of the moving
    average of the weights, which is what gets evaluated and shipped.
    """

    steps: int = 1000
    max_tokens: int = 8000
    accumulate: int = 1
    lr: float = 1.5e-3
    lr_end: float = 0.02
    warmup: int = 200
    schedule: str = "cosine"
    weight_decay: float = 0.01
    beta2: float = 0.98
    clip: float = 1.0
    smoothing: float = 0.1
    average: float = 0.995
    dtype: str = "auto"
    compile: bool = False
    seed: int = 0
    log_every: int = 50
    save_every: int = 500

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("steps", "max_tokens", "accumulate", "log_every", "save_every"):
            require(getattr(self, name) > 0, name, getattr(self, name), "a positive number")
        require(self.lr > 0, "lr", self.lr, "a positive number")
        require(self.clip > 0, "clip", self.clip, "a positive number")
        require(self.warmup >= 0, "warmup", self.warmup, "0 or more steps")
        for name in ("smoothing", "average", "beta2"):
            require(0 <= getattr(self, name) < 1, name, getattr(self, name), "0 or more, below 1")
        require(0 <= self.lr_end <= 1, "lr_end", self.lr_end, "0 to 1, a share of the peak")
        require(self.schedule in ("cosine", "inverse_sqrt"), "schedule", self.schedule, "cosine or inverse_sqrt")
        dtypes = ("auto", "float32", "bfloat16")
        require(self.dtype in dtypes, "dtype", self.dtype, f"one of {', '.join(dtypes)}")


def from_dict(kind: type[Config], content: dict[str, Any]) -> Config:
    """A tree of dataclasses from the plain values that ``dataclasses.asdict`` has made of it.

    Raises:
        InputError: a field is unknown or missing, or a value is refused.
    """
    types: dict[str, Any] = typing.get_type_hints(kind)
    nested = {name for name in content if dataclasses.is_dataclass(types.get(name))}
    values = {name: from_dict(types[name], value) if name in nested else value for name, value in content.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"config: not one of {kind.__name__}: {error}") from error


def override(config: Config, settings: list[str]) -> Config:
    """A changed copy of a tree of dataclasses: ``override(preset, ["train.steps=200", "model.d_ff=512"])``.

    Raises:
        InputError: a setting is not ``name=value``, the name is unknown (the nearest one is suggested), or
            the value is not of the field's type.
    """
    for setting in settings:
        path, equals, text = setting.partition("=")
        require(bool(equals), "setting", setting, "name=value, such as train.steps=200")
        config = _replace(config, path.split("."), text, path)
    return config


def _replace(node: Any, names: list[str], text: str, path: str) -> Any:
    fields = {f.name for f in dataclasses.fields(node)} if dataclasses.is_dataclass(node) else set()
    name, *rest = names
    if name not in fields:
        near = difflib.get_close_matches(name, sorted(fields), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(sorted(fields)) or 'nothing'}"
        raise InputError(f"setting {path}: {name!r} is unknown; {hint}")
    value = getattr(node, name)
    if rest:
        return dataclasses.replace(node, **{name: _replace(value, rest, text, path)})
    kind = typing.get_type_hints(type(node))[name]
    return dataclasses.replace(node, **{name: _parse(text, kind, path)})


def _parse(text: str, kind: type, path: str) -> Any:
    if kind is bool:
        require(text in ("true", "false"), f"setting {path}", text, "true or false")
        return text == "true"
    if kind not in (int, float, str):
        raise InputError(f"setting {path}: got {text!r}, need one of its fields, such as {path}.NAME=value")
    try:
        return kind(text)
    except ValueError as error:
        raise InputError(f"setting {path}: got {text!r}, need {kind.__name__}") from error
