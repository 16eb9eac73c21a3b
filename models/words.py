"""The words by whose beginnings processes are found: the same ones whatever the database knows of languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

LONGEST: Final = 64
"""Signs of a word that are kept; what is longer is found by as many."""
MOST: Final = 40
"""Words of one process that are kept, so that nobody's long name makes a start dear."""
LAST: Final = "\U0010ffff"
"""Sorts behind whatever a word may go on with."""
# Han, kana and bopomofo have no spaces between words, so each of their signs may begin one.
_UNSPACED: Final = (
    "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD: Final = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")
_BEGINS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")


def sought_words(text: str) -> tuple[str, ...]:
    """What each of has to begin a word of a process that a text finds; none where it has only other signs."""
    return tuple(dict.fromkeys(word[:LONGEST] for word in _WORD.findall(_folded(text))))[:MOST]


@lru_cache(maxsize=4096)
def words_in(text: str) -> tuple[str, ...]:
    """The words under which a text is kept: of one without spaces what begins at each of its signs."""
    return tuple(dict.fromkeys(_kept(_folded(text))))[:MOST]


def words_of(kind: str, key: str, name: str, business_key: str | None) -> tuple[str, ...]:
    """The words of a process: of its name, its business key, and of the key that only an undo has."""
    words = words_in(name)
    if business_key is None and kind == "start":
        return words
    more = (*words, *words_in(business_key or ""), *(words_in(key) if kind != "start" else ()))
    return tuple(dict.fromkeys(more))[:MOST]


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _kept(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        places = range(len(word)) if _BEGINS_UNSPACED.match(word) else (0,)
        yield from (word[place : place + LONGEST] for place in places)
