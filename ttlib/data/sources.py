"""A corpus is a description of a file, which is checked before it is read, plus a function that yields records.

Nothing is fetched at import, and nothing by surprise: a missing file gives a message that says what to
run. Files come from pip packages (read without importing the package) or from the cache folder
(``TTLIB_DATA``, by default ``~/.cache/ttlib``) where an explicit command has put them.
"""

import hashlib
import importlib.util
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ttlib.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a file is, where it comes from, and how to know that it is the right one."""

    name: str
    title: str
    licence: str
    path: str  # inside the package, or inside the cache folder
    n_bytes: int
    sha256: str
    install: str  # the command that brings it
    package: str = ""  # the pip package that holds it; empty: the cache folder does


def cache_folder() -> Path:
    """Where explicitly fetched files are kept."""
    return Path(os.environ.get("TTLIB_DATA") or Path.home() / ".cache" / "ttlib")


def locate(source: Source) -> Path:
    """Where the file must be.

    Raises:
        DataError: the package is not installed; the message says what to run.
    """
    if not source.package:
        return cache_folder() / source.path
    spec = importlib.util.find_spec(source.package)
    if spec is None or spec.origin is None:
        raise DataError(f"{source.name}: the package {source.package!r} is not installed; run: {source.install}")
    return Path(spec.origin).parent / source.path


def keep(source: Source, file: Path) -> Path:
    """Copy a file into the cache folder, once it is known to be the right one; what is there stays until then.

    Raises:
        DataError: it is another file.
    """
    check_file(source, file)
    target = cache_folder() / source.path
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    shutil.copyfile(file, partial)
    partial.replace(target)
    return verified(source)


def verified(source: Source) -> Path:
    """The file's path, once its size and sha256 are right (checked once per process).

    Raises:
        DataError: it is missing, cut short or changed; the message says what to run.
    """
    return check_file(source, locate(source))


@cache
def check_file(source: Source, path: Path) -> Path:
    """The path, if it holds the file that the source describes."""
    again = f"run: {source.install}"
    if not path.is_file():
        raise DataError(f"{source.name}: no file {path.name!r} in {path.parent}; {again}")
    if path.stat().st_size != source.n_bytes:
        raise DataError(f"{source.name}: {path} has {path.stat().st_size} bytes, need {source.n_bytes}; {again}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != source.sha256:
        raise DataError(f"{source.name}: {path} has sha256 {found}, need {source.sha256}; {again}")
    return path
