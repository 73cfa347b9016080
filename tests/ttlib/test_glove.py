"""Published vectors, and the little that is needed to read their words."""

import pytest
import torch

from ttlib.data.glove import load_glove, read_words, strings, struct, unsnap, varint
from ttlib.errors import DataError, InputError
from ttlib.text.neighbours import WordVectors


@pytest.fixture(scope="module")
def glove():
    return load_glove(60_000)


def test_words_and_vectors_belong_together(glove):
    table, words = glove
    assert (table.shape, table.dtype, len(words)) == ((60_000, 50), torch.float32, 60_000)
    assert words[:8] == ["the", ",", ".", "of", "to", "and", "in", "a"]
    assert len(set(words)) == len(words)
    torch.testing.assert_close(table[0, :3], torch.tensor([0.418, 0.24968, -0.41242]))  # from the published file
    vectors = WordVectors(words, table)
    assert "toad" in [word for word, _ in vectors.nearest("frog", 5)]
    assert vectors.analogy("man", "king", "woman")[0][0] == "queen"


@pytest.mark.slow
def test_words_of_the_plain_pages_belong_to_their_vectors_too():
    """The dictionary holds some 95,000 words; the others stand in plain pages."""
    table, words = load_glove()
    assert len(set(words)) == len(words) == len(table) == 400_000
    assert words[-1] == "sandberger"  # the last line of the published file
    vectors = WordVectors(words, table)
    assert words.index("sinulog") > 100_000
    assert "sinulog" in [word for word, _ in vectors.nearest("guelaguetza", 5)]  # a feast beside a feast


def test_snappy_copies_repeat_themselves():
    # 3 bytes of text, then: copy 9 bytes from 3 before (kind 1), 4 from 12 before (kind 2), 5 from 1 before (kind 3)
    data = bytes([21, 2 << 2, *b"abc", 5 << 2 | 1, 3, 3 << 2 | 2, 12, 0, 4 << 2 | 3, 1, 0, 0, 0])
    assert unsnap(data) == b"abcabcabcabc" + b"abca" + b"aaaaa"
    long = bytes(range(256)) * 2
    assert unsnap(bytes([128, 4, 61 << 2, 255, 1]) + long) == long
    with pytest.raises(DataError, match="unpacked to 3 bytes, need 9"):
        unsnap(bytes([9, 2 << 2, *b"abc"]))


def test_thrift_numbers_and_structs():
    assert varint(bytes([0xAC, 0x02]), 0) == (300, 2)
    # field 1: -2; field 2: true; field 5: a struct with field 1 = 1; field 6: two bytes of text
    data = bytes([0x15, 3, 0x11, 0x3C, 0x15, 2, 0, 0x18, 2, *b"ab", 0])
    assert struct(data, 0) == ({1: -2, 2: True, 5: {1: 1}, 6: b"ab"}, len(data))
    with pytest.raises(DataError, match="a field of type 9"):
        struct(bytes([0x19, 0]), 0)


def test_strings():
    assert strings(b"??\x02\0\0\0\xd1\x8f\x00\0\0\0", 2) == ["я", ""]


def test_bad_input():
    with pytest.raises(DataError, match="not of the Parquet kind"):
        read_words(b"PAR1 but not to the end", 3)
    with pytest.raises(InputError, match="n: got 0, need 1 to 400,000 words"):
        load_glove(0)
