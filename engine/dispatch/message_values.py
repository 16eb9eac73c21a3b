"""Values in what workers say: whole numbers, words of a vocabulary, texts that can be stored."""

from __future__ import annotations

import math
from typing import Any, Final

from .. import jsontext

LARGEST: Final = 10**18
"""Above every id and count, and within what every database and a C program take."""


def whole(value: Any) -> int:
    number = int(value)
    if not -1 <= number < LARGEST:
        raise ValueError("a number is out of range")
    return number


def finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is no finite one")
    return number


def one_of(words: tuple[str, ...], word: Any) -> Any:
    if word not in words:
        raise ValueError(f"{str(word)[:50]!r} is none of {', '.join(words)}")
    return word


def text_of(value: Any) -> str:
    return jsontext.storable(str(value))
