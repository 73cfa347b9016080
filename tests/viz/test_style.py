"""Pictures follow the page's ink, carry their text, and do not disturb each other."""

import re

import pytest

from ttlib.errors import InputError
from ttlib.viz import lines
from ttlib.viz.style import INK, Picture, canvas, shorten


def draw(height: float, alt: str = "A line.") -> Picture:
    with canvas() as (figure, ax):
        ax.plot([0, 1], [0, height])
        ax.set(xlabel="steps")
        return Picture(figure, alt)


def ids(page: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', page))


def test_ink_is_the_pages_text_colour():
    page = draw(1)._repr_html_()
    assert "currentColor" in page
    assert INK not in page


def test_text_stays_text():
    assert re.search(r">\s*steps\s*</text>", draw(1)._repr_html_())


def test_the_text_alternative_is_there_and_escaped():
    picture = draw(1, 'Rises <fast> & "far"')
    assert 'role="img" aria-label="Rises &lt;fast&gt; &amp; &quot;far&quot;"' in picture._repr_html_()
    assert repr(picture) == 'Rises <fast> & "far"'


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_picture_without_text_is_refused(alt):
    with pytest.raises(InputError, match=r"alt: got .* need a sentence"):
        draw(1, alt)


def test_the_same_figure_gives_the_same_bytes():
    assert draw(1)._repr_html_() == draw(1)._repr_html_() != draw(2)._repr_html_()


def test_references_stay_inside_and_never_meet_those_of_another_picture():
    first, second = draw(1)._repr_html_(), draw(2)._repr_html_()
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', first))
    assert used
    assert used <= ids(first)
    assert not ids(first) & ids(second)


def test_nothing_comes_from_outside():
    page = re.sub(r'xmlns(:\w+)?="[^"]+"', "", draw(1)._repr_html_())
    assert not re.search(r"https?://|<metadata|<!DOCTYPE", page)


def test_it_shrinks_to_the_page():
    (size,) = re.findall(r"<svg [^>]*>", draw(1)._repr_html_())
    assert "max-width:422px" in size
    assert not re.search(r' (width|height)="', size)


def test_two_side_by_side_keep_both_texts():
    both = draw(1, "One.") | draw(2, "Two.")
    assert repr(both) == "One. Two."
    assert both._repr_html_().count("<svg ") == 2
    assert "flex-wrap:wrap" in both._repr_html_()


def test_the_look_does_not_leak():
    import matplotlib

    before = dict(matplotlib.rcParams)
    lines({"a": ([1], [1])}, x="x", y="y")
    assert dict(matplotlib.rcParams) == before


def test_shorten():
    assert shorten("word", 4) == "word"
    assert shorten("words", 4) == "wor…"
