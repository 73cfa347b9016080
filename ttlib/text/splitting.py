"""How a text is cut into words before byte-pair encoding, and put together again after it.

A merge never crosses the border of a word, so a text is only counted through its distinct words. Each class here
has ``words`` (text to words), ``symbols`` (one word to its first symbols), ``join`` (tokens to text), ``alphabet``
(symbols that are there before any text is read), and its two lines in Hugging Face's ``tokenizer.json``.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol, runtime_checkable

from ttlib.errors import require

SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Unicode's White_Space
SURROGATE = re.compile("[\ud800-\udfff]")


@runtime_checkable
class Splitter(Protocol):
    """What `ttlib.text.tokeniser.BPE` needs to know about words."""

    alphabet: tuple[str, ...]

    def words(self, text: str) -> list[str]:
        """The words of a text."""

    def symbols(self, word: str) -> list[str]:
        """The symbols that a word consists of before the first merge."""

    def join(self, tokens: Sequence[str]) -> str:
        """The text of some tokens."""

    def to_json(self) -> dict[str, Any]:
        """The entries ``pre_tokenizer``, ``decoder`` and ``suffix`` of a file."""


def check_text(text: str) -> str:
    """The text itself, if it has a UTF-8 form.

    Raises:
        InputError: it holds half of a surrogate pair, which stands for no character.
    """
    found = SURROGATE.search(text)
    if found is not None:
        at = f"{found[0]!r} at position {found.start()}"
        require(False, "text", at, "characters only: a lone surrogate is half of one and has no UTF-8 form")
    return text


class EndMark:
    """Words between white space; the last symbol of each carries an end mark (Sennrich et al. 2015, section 3.2)."""

    alphabet: tuple[str, ...] = ()

    def __init__(self, mark: str = "</w>") -> None:
        self.mark = mark

    def words(self, text: str) -> list[str]:
        """``"low lower"`` to ``low``, ``lower``; how much white space there was is lost.

        Raises:
            InputError: the text holds the mark itself.
        """
        require(self.mark not in check_text(text), "text", self.mark, "a text without the end-of-word mark")
        return re.findall(f"[^{SPACE}]+", text)

    def symbols(self, word: str) -> list[str]:
        """``low`` to ``l``, ``o``, ``w</w>``."""
        return [*word[:-1], word[-1] + self.mark]

    def join(self, tokens: Sequence[str]) -> str:
        """A mark becomes a space, but for the last."""
        return "".join(tokens).replace(self.mark, " ").removesuffix(" ")

    def to_json(self) -> dict[str, Any]:
        """Split at white space; the model's own ``end_of_word_suffix``."""
        decoder = {"type": "BPEDecoder", "suffix": self.mark}
        return {"pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": decoder, "suffix": self.mark}


class Spaces:
    """Each space becomes ``▁`` and begins a word (as in SentencePiece; the library's Metaspace).

    Single spaces inside a text come back as they were. The mark is an ordinary character: a ``▁`` in the text
    comes back as a space, and a space at the very beginning is lost.
    """

    alphabet: tuple[str, ...] = ()

    def words(self, text: str) -> list[str]:
        """``"low lower"`` to ``▁low``, ``▁lower``."""
        marked = check_text(text).replace(" ", "▁")
        return re.findall("▁?[^▁]+|▁", marked if marked.startswith("▁") or not marked else "▁" + marked)

    def symbols(self, word: str) -> list[str]:
        """The characters, the mark included."""
        return list(word)

    def join(self, tokens: Sequence[str]) -> str:
        """The mark becomes a space, but for the first."""
        return "".join(tokens).replace("▁", " ").removeprefix(" ")

    def to_json(self) -> dict[str, Any]:
        """The library's Metaspace."""
        both = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
        return {"pre_tokenizer": both, "decoder": both, "suffix": None}


class Letters:
    """Each character is a word of its own: nothing can merge, and the tokens are the characters."""

    alphabet: tuple[str, ...] = ()

    def words(self, text: str) -> list[str]:
        """``"a b"`` to ``a``, a space, ``b``."""
        return list(check_text(text))

    def symbols(self, word: str) -> list[str]:
        """The one character."""
        return [word]

    def join(self, tokens: Sequence[str]) -> str:
        """One after another."""
        return "".join(tokens)

    def to_json(self) -> dict[str, Any]:
        """The library's Split, at every character."""
        split = {"type": "Split", "pattern": {"Regex": "[\\s\\S]"}, "behavior": "Isolated", "invert": False}
        return {"pre_tokenizer": split, "decoder": {"type": "Fuse"}, "suffix": None}


def byte_characters() -> list[str]:
    """One printable character for each of the 256 bytes (Radford et al. 2019).

    Printable ones of Latin-1 stand for themselves, the other 68 bytes for the characters from ``Ā`` on, in order:
    the space is ``Ġ``, the line feed ``Ċ``.
    """
    own = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    rest = iter(range(256, 512))
    return [chr(byte if byte in own else next(rest)) for byte in range(256)]


class Bytes:
    """GPT-2's way: words by its pattern, then the bytes of their UTF-8 form. Nothing is lost, nothing unknown."""

    alphabet: tuple[str, ...] = tuple(sorted(byte_characters()))

    def __init__(self) -> None:
        self.to_character = dict(enumerate(byte_characters()))
        self.to_byte = {ord(character): byte for byte, character in self.to_character.items()}

    def words(self, text: str) -> list[str]:
        """``"low lower"`` to ``low``, ``" lower"``: a space belongs to the word after it."""
        return gpt2_pattern().findall(check_text(text))

    def symbols(self, word: str) -> list[str]:
        """``" low"`` to ``Ġ``, ``l``, ``o``, ``w``: one character for each byte."""
        return list(word.encode().decode("latin-1").translate(self.to_character))

    def join(self, tokens: Sequence[str]) -> str:
        """Bytes that are no UTF-8, as part of a character may be, become U+FFFD."""
        return "".join(tokens).translate(self.to_byte).encode("latin-1").decode(errors="replace")

    def to_json(self) -> dict[str, Any]:
        """The library's ByteLevel."""
        both = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        return {"pre_tokenizer": both, "decoder": both, "suffix": None}


class BytesAndDigits(Bytes):
    """GPT-2's way after every digit has been set apart: 2017 is four tokens in every text (SmolLM, Llama 1)."""

    def words(self, text: str) -> list[str]:
        """``"in 2017"`` to ``in``, ``" "``, ``2``, ``0``, ``1``, ``7``."""
        parts = digit_pattern().split(check_text(text))
        return [word for part in parts if part for word in gpt2_pattern().findall(part)]

    def to_json(self) -> dict[str, Any]:
        """The library's Digits, then its ByteLevel."""
        parts = super().to_json()
        steps = [{"type": "Digits", "individual_digits": True}, parts["pre_tokenizer"]]
        return {**parts, "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}}


@cache
def digit_pattern() -> re.Pattern[str]:
    """One number character, kept when a text is split at it."""
    return re.compile(f"([{character_class('N')}])")


@cache
def gpt2_pattern() -> re.Pattern[str]:
    r"""GPT-2's ``'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+``.

    Python's ``re`` knows no ``\p{L}`` (letters) and ``\p{N}`` (numbers): their ranges come from ``unicodedata``.
    """
    letters, numbers = character_class("L"), character_class("N")
    words = rf" ?[{letters}]+| ?[{numbers}]+| ?[^{SPACE}{letters}{numbers}]+"
    return re.compile(rf"'(?:s|t|re|ve|m|ll|d)|{words}|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+")


def character_class(category: str) -> str:
    """The inside of a ``[…]`` that matches all characters of a Unicode category, such as L."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == category:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
