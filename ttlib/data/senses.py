"""Words with several senses in real sentences: verses of the World English Bible, with labels of our own.

The verses were found by searching for typical contexts, read, and labelled by us. Where the sense was in
doubt, the verse was left out. The table holds the numbers of verses (book:chapter:verse); the texts come from
the package that `ttlib.data.bible` describes.
"""

import re
from typing import NamedTuple

from ttlib.data.bible import verse_texts
from ttlib.errors import require

SENSES: dict[str, dict[str, str]] = {
    "bear": {
        "carry": "2:37:5 3:17:16 4:14:33 20:9:12 24:10:19 25:3:27 26:16:54 38:5:10 45:2:17 46:15:49 48:6:5 48:6:17",
        "animal": "9:17:34 9:17:36 20:17:12 23:11:7 25:3:10 27:7:5 28:13:8 30:5:19 66:13:2",
    },
    "bow": {
        "bend": "1:49:8 2:23:24 17:3:5 19:31:2 19:72:9 19:95:6 20:14:19 23:46:2 33:6:6 45:11:10 49:3:14",
        "weapon": "1:27:3 18:29:20 19:46:9 19:58:7 19:76:3 23:7:24 24:49:35 24:50:14 25:3:12 26:39:3 28:1:5 35:3:9",
    },
    "fast": {
        "firmly": "7:15:13 18:23:11 18:27:6 19:17:5 19:33:11 23:56:4 24:8:5 24:50:33 52:3:8 58:3:6 58:3:14 58:10:23",
        "not eating": (
            "10:12:23 11:21:9 14:20:3 15:8:21 23:58:6 24:14:12 29:2:15 32:3:5 40:6:17 40:9:15 42:5:34 42:18:12"
        ),
    },
    "just": {
        "exactly": "1:50:6 40:21:6 40:28:6 42:24:24 43:13:34 44:15:8 44:15:11 45:2:24 46:12:18 49:4:32 58:5:4 62:2:6",
        "righteous": (
            "16:9:33 18:9:2 18:27:17 19:37:12 19:119:121 20:12:5 26:18:5 26:18:9 44:24:15 45:3:26 51:4:1 58:2:2"
        ),
    },
    "left": {
        "side": "3:14:15 7:3:21 10:2:19 20:4:27 21:10:2 22:8:3 26:39:3 38:4:3 38:4:11 40:6:3 40:27:38 41:10:40",
        "went away": "1:39:18 13:14:12 40:26:44 41:1:18 41:1:20 41:12:12 43:4:3 55:4:13 55:4:20",
    },
    "lie": {
        "falsehood": (
            "3:19:11 9:15:29 18:6:28 19:89:35 19:119:69 20:14:5 24:27:10 24:28:15 45:1:25 47:11:31 53:2:11 56:1:2"
        ),
        "recline": "5:11:19 7:9:32 9:3:5 18:7:4 18:11:19 18:20:11 19:23:2 23:11:7 25:2:21 26:32:28 26:34:15 34:3:18",
    },
    "might": {
        "could": (
            "5:6:23 18:6:8 18:9:33 19:119:101 26:20:12 40:21:4 40:26:59 41:14:11 42:6:11 47:11:7 47:11:8 58:11:35"
        ),
        "power": "1:49:3 4:14:13 13:29:30 18:12:13 19:80:2 24:49:35 27:2:20 33:7:16 49:6:10 53:1:9 61:2:11 66:7:12",
    },
    "present": {
        "gift": "1:32:13 1:32:18 1:32:21 1:43:25 1:43:26 7:6:18 9:10:27 9:25:27 12:20:12 18:6:22 28:10:6",
        "here, now": (
            "9:13:16 9:21:3 10:20:4 14:35:17 44:21:18 45:3:26 45:7:21 45:11:5 46:4:11 48:4:18 55:4:10 58:9:9"
        ),
        "offer": "2:34:2 3:16:9 3:16:20 4:6:16 4:8:9 24:42:9 42:2:22 45:12:1 46:9:18 47:4:14 47:11:2",
    },
    "rest": {
        "repose": "3:16:31 6:14:15 10:7:1 13:6:31 18:11:18 18:24:23 23:23:12 23:57:2 24:45:3 25:5:5 27:4:4 58:4:5",
        "remainder": (
            "1:30:36 6:13:22 12:21:25 13:6:77 13:19:11 14:26:22 16:7:72 27:7:12 44:2:37 45:11:7 60:4:2 66:20:5"
        ),
    },
    "right": {
        "side": "10:2:19 10:20:9 19:63:8 19:80:15 19:118:15 20:4:27 21:10:2 23:41:13 40:27:38 41:16:5 66:5:7 66:10:5",
        "correct": (
            "6:9:25 11:15:11 14:14:2 14:30:4 18:34:4 19:15:2 19:33:4 20:14:12 20:20:11 20:23:16 24:26:14 49:6:1"
        ),
    },
    "sound": {
        "noise": "2:19:19 18:21:12 18:39:24 19:66:8 19:98:6 24:4:21 24:46:22 24:51:54 26:10:5 30:6:5 44:2:2 58:12:19",
        "healthy": "18:26:3 20:2:7 20:3:21 20:18:1 20:22:21 42:15:27 55:1:13 55:4:3 56:1:13 56:2:1 56:2:2 60:4:7",
    },
    "well": {
        "water": "1:16:14 1:21:19 1:24:20 1:26:20 1:26:25 1:29:8 4:21:16 10:17:19 10:23:15 22:4:15 42:14:5 43:4:11",
        "in a good way": (
            "1:12:16 2:1:20 5:19:13 12:4:23 19:128:2 20:24:25 21:8:13 23:3:10 41:1:11 59:2:19 60:2:14 60:3:6"
        ),
    },
    "will": {
        "wish": "19:143:10 27:11:3 40:20:14 43:9:31 45:1:10 45:2:18 49:1:9 49:5:17 52:5:18 55:1:1 59:1:18 60:4:19",
        "future": (
            "2:12:26 19:73:24 19:132:17 24:11:23 24:30:9 26:25:5 41:14:28 42:16:30 43:8:33 44:7:3 46:16:4 48:3:8"
        ),
    },
}


class Occurrence(NamedTuple):
    """One word in one verse: it stands at ``text[start:end]``, in a sense that we gave a name."""

    word: str
    sense: str
    key: str
    text: str
    start: int
    end: int


def occurrences(word: str) -> list[Occurrence]:
    """All occurrences of a word of the table, ordered by sense.

    Raises:
        InputError: the word is not in the table.
        DataError: the package is missing or its file is damaged.
    """
    require(word in SENSES, "word", word, f"one of {', '.join(SENSES)}")
    texts, found = verse_texts("world"), []
    for sense, keys in SENSES[word].items():
        for key in keys.split():
            start, end = place_of(word, texts[key])
            found.append(Occurrence(word, sense, key, texts[key], start, end))
    return found


def place_of(word: str, text: str) -> tuple[int, int]:
    """Where the word stands, as a whole word, in capitals or not.

    Raises:
        InputError: it stands there never, or more than once.
    """
    places = [match.span() for match in re.finditer(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)]
    require(len(places) == 1, "text", f"{len(places)} times {word!r}", "exactly one")
    return places[0]
