"""What of a vendor's extensions is passed over, from the words that the readers know."""

from __future__ import annotations

from riverstone.engine.bpmn.reading.vendors import HARMLESS_ATTRIBUTES, HARMLESS_ELEMENTS, NOT_YET_USED

from .blocks import table


def harmless() -> str:
    """The attributes and elements that change nothing and are not told either."""
    silent = [sorted(words - set(NOT_YET_USED)) for words in (HARMLESS_ATTRIBUTES, HARMLESS_ELEMENTS)]
    shown = [", ".join(f"`{word}`" for word in words) for words in silent]
    return table(("", "names"), zip(("attributes", "elements"), shown, strict=True))


def not_yet_used() -> str:
    """Those that a warning tells of, with what happens instead."""
    told: dict[str, list[str]] = {}
    for word, instead in NOT_YET_USED.items():
        told.setdefault(instead, []).append(f"`{word}`")
    return table(("names", "what happens"), ((", ".join(words), instead) for instead, words in told.items()))
