"""Finding process instances by a text, without reading the names of all of them.

Each part of it, between spaces, has to stand in the name or the business key, or all of it in the key. Where the parts
begin words, an index that each start writes knows (:mod:`~riverstone.models.words`); keys are few; and what stands
inside of words is found among the newest alone. What so many have that an index is of no use is found on the way
through the list, a piece of it at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ..commit.connection import Connection
from ..databases.statements import marks
from ..words import LAST, sought_words
from .instance_filter import Condition, having, plain
from .instance_places import (
    FEW,
    ID,
    Counts,
    Place,
    PlaceIndex,
    Places,
    Sort,
    behind,
    chosen,
    find_by,
    order_of,
    read_places,
    source,
    united,
)
from .pieces import find_in_piece

NEWEST: Final = 10_000
"""Processes among which a text is sought inside of words."""
MOST_FOUND: Final = 10_000
"""Up to so many that have a word are put in order; of more, the order comes first."""
MOST_KEYS: Final = 20


class TextPlaces(NamedTuple):
    """The places of what a text finds."""

    places: Places
    inside_from: int | None = None
    """The id of the oldest process in whose words the text was sought; None where it was in all."""


def find_text(
    store: Connection,
    text: str,
    others: Sequence[Condition],
    *,
    limit: int,
    before: Place | None,
    sort: Sort,
    whole: bool,
) -> TextPlaces:
    """What has a text and all ``others``; ``whole`` looks inside of all words, a piece of the list at a time."""
    keys, words = _keys(store, text), sought_words(text)
    anywhere = _anywhere(text, keys)
    counts = Counts(store)
    own, rest = chosen(counts, others, sort)
    if own is not None and counts.of(own) < FEW:
        found = find_by(store, PlaceIndex(own, [*rest, anywhere]), limit=limit, before=before, sort=sort)
        return TextPlaces(Places(found))
    known = [counts.of(_begins(word), MOST_FOUND) for word in words]
    if whole or len(keys) > MOST_KEYS or (known and min(known) == MOST_FOUND):
        return TextPlaces(find_in_piece(store, own, [*rest, anywhere], limit=limit, before=before, sort=sort))
    ways = [chosen(counts, [having(*each), *others], sort) for each in _exact(text, keys)]
    lists = [Places(find_by(store, way, limit=limit, before=before, sort=sort)) for way in ways]
    if words:
        rarest = _begins(words[known.index(min(known))])
        lists.append(Places(_by_word(store, rarest, [*others, anywhere], limit=limit, before=before, sort=sort)))
    newest = store.value(f"SELECT {ID} FROM `process_instance` ORDER BY {ID} DESC LIMIT 1 OFFSET {NEWEST - 1}")
    inside = [*others, anywhere]
    if newest is not None:
        inside.append(Condition(f"p.{ID} >= ?", (newest,)))
    order = order_of(sort)
    sql, values, _ = source(store, None, inside, None if before is None else behind(order, before))
    found = read_places(store, f"SELECT {', '.join(order)} {sql}", values, order, limit)
    return TextPlaces(united([*lists, Places(found)], limit), None if newest is None else int(newest))


def _by_word(
    store: Connection,
    word: Condition,
    others: Sequence[Condition],
    *,
    limit: int,
    before: Place | None,
    sort: Sort,
) -> list[Place]:
    """Those with a word that begins so, each once however many of its words do."""
    order = order_of(sort)
    sql, values, _ = source(store, word, others, None if before is None else behind(order, before))
    return read_places(store, f"SELECT DISTINCT {', '.join(order)} {sql}", values, order, limit)


def _begins(word: str) -> Condition:
    """What the index knows to have a word that begins so."""
    by = "d.`word` >= ? AND d.`word` < ?"
    return Condition("1 = 1", table="word", by=by, by_values=(word, word + LAST), ordered=False)


def _keys(store: Connection, text: str) -> list[str]:
    """The keys that hold a text in any case; an undo's own are found by its words."""
    part = text.casefold()
    return [str(key) for (key,) in store.read(KEYS) if part in str(key).casefold()]


def _exact(text: str, keys: Sequence[str]) -> list[tuple[str, str | int]]:
    """Columns of which one has exactly a value."""
    found: list[tuple[str, str | int]] = [("key", key) for key in keys]
    found.append(("business_key", text))
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found.append(("process_instance_id", int(text)))
    return found


def _anywhere(text: str, keys: Sequence[str]) -> Condition:
    """What has each part of a text, between spaces, anywhere, or the whole of it in its key, or is that."""
    found: list[tuple[str, tuple[str | int, ...]]] = [
        _each_in(("name", "business_key"), text.split() or (text,)),
        _each_in(("key",), (text,)),
    ]
    if 0 < len(keys) <= MOST_KEYS:
        found.append((f"p.`key` IN ({marks(keys)})", tuple(keys)))
    for column, value in _exact(text, ()):
        found.append((f"p.`{column}` = ?", (value,)))
    return Condition(f"({' OR '.join(sql for sql, _ in found)})", tuple(value for _, some in found for value in some))


def _each_in(columns: Sequence[str], words: Sequence[str]) -> tuple[str, tuple[str | int, ...]]:
    parts: list[str] = []
    values: list[str] = []
    for word in words:
        # Databases differ in which letters they know in both cases.
        written = [word] if word.isascii() else dict.fromkeys((word, word.upper(), word.capitalize()))
        some = [(f"p.`{column}` LIKE ? ESCAPE '!'", each) for column in columns for each in written]
        some += [(f"LOWER(p.`{column}`) LIKE ? ESCAPE '!'", word.lower()) for column in columns]
        parts.append(f"({' OR '.join(sql for sql, _ in some)})")
        values += [f"%{plain(each)}%" for _, each in some]
    return f"({' AND '.join(parts)})", tuple(values)


KEYS = "SELECT DISTINCT `key` FROM `deployment` WHERE `model_id` IS NOT NULL"
