"""Hugging Face's ``tokenizer.json`` for byte-pair encoding: written, and read as far as our own class goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from ttlib.errors import InputError, require
from ttlib.text.bpe import Pair
from ttlib.text.splitting import Bytes, BytesAndDigits, EndMark, Letters, Spaces, Splitter

OFF: dict[str, tuple[Any, ...]] = {  # settings of the library's model that ours does not have
    "dropout": (None, 0.0),
    "continuing_subword_prefix": (None, ""),
    "fuse_unk": (None, False),
    "byte_fallback": (None, False),
    "ignore_merges": (None, False),
}


def to_json(
    splitter: Splitter, vocab: Mapping[str, int], merges: Sequence[Pair], specials: Sequence[str], unk: str | None
) -> dict[str, Any]:
    """The file's content."""
    parts = splitter.to_json()
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    model = {name: values[-1] if values[-1] is False else None for name, values in OFF.items()}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": vocab[token], "content": token, **flags} for token in specials],
        "normalizer": None,
        "pre_tokenizer": parts["pre_tokenizer"],
        "post_processor": None,
        "decoder": parts["decoder"],
        "model": {
            "type": "BPE",
            **model,
            "unk_token": unk,
            "end_of_word_suffix": parts["suffix"],
            "vocab": dict(vocab),
            "merges": [list(pair) for pair in merges],
        },
    }


def from_json(content: Any) -> tuple[Splitter, dict[str, int], list[Pair], list[str], str | None]:
    """Splitter, vocabulary, merges, specials and unk of a file's content.

    Raises:
        InputError: it is not BPE, or has a setting that would give other ids than ours.
    """
    kind = content.get("model", {}).get("type", "BPE") if isinstance(content, dict) else None
    require(kind == "BPE", "model", kind, "a tokenizer.json whose model is BPE")
    try:
        model = content["model"]
        merges = [tuple(pair.split(" ") if isinstance(pair, str) else pair) for pair in model["merges"]]
        added = {entry["content"]: entry["id"] for entry in content.get("added_tokens") or []}
        vocab = {**model["vocab"], **added}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"model: got no {error}, need vocab and merges") from error
    for name, values in OFF.items():
        require(model.get(name) in values, name, model.get(name), f"{values[-1]!r}: nothing else is built here")
    require(content.get("normalizer") is None, "normalizer", content.get("normalizer"), "none")
    post = (content.get("post_processor") or {}).get("type")
    require(post in (None, "ByteLevel"), "post_processor", post, "none: it would add tokens")
    return _splitter(content, model), vocab, merges, list(added), model.get("unk_token")


def _splitter(content: Mapping[str, Any], model: Mapping[str, Any]) -> Splitter:
    """The splitter whose own entry is the file's."""
    suffix = model.get("end_of_word_suffix") or None
    given = _without_offsets(content.get("pre_tokenizer") or {})
    known: tuple[Splitter, ...] = (Bytes(), BytesAndDigits(), Spaces(), Letters(), EndMark(suffix or "</w>"))
    for splitter in known:
        parts = splitter.to_json()
        wanted = _without_offsets(parts["pre_tokenizer"])
        if {**wanted, **given} == wanted and parts["suffix"] == suffix and given:
            return splitter
    need = "ByteLevel, Metaspace or Split with the settings known here, or WhitespaceSplit with an end_of_word_suffix"
    raise InputError(f"pre_tokenizer: got {given!r} with suffix {suffix!r}, need {need}")


def _without_offsets(entry: Any) -> Any:
    """The same without ``trim_offsets``, which moves reported positions, never ids."""
    if isinstance(entry, list):
        return [_without_offsets(each) for each in entry]
    if isinstance(entry, Mapping):
        return {key: _without_offsets(value) for key, value in entry.items() if key != "trim_offsets"}
    return entry
