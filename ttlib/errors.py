"""One way to refuse wrong input: name the argument, say what was given and what is needed."""


class InputError(ValueError):
    """Raised when an argument cannot be used. The message names the argument, the value and the need."""


class DataError(RuntimeError):
    """Raised when a file is missing, damaged or of another kind. The message says how to get a good one."""


def require(ok: bool, argument: str, given: object, needed: str) -> None:
    """Raise `InputError` unless ``ok``.

    >>> require(8 % 2 == 0, "n_heads", 2, "a divisor of d_model=8")
    """
    if not ok:
        raise InputError(f"{argument}: got {given!r}, need {needed}")
