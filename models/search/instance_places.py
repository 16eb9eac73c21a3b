"""Where in a list the process instances stand that have what is asked for, found by the narrowest index.

No database is relied on to know that itself: SQLite has no figures of its tables, and the others' may be old.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ..commit.connection import Connection
from .instance_filter import Condition

Sort: TypeAlias = Literal["id", "started", "ended"]
"""In which order, the last first: as instances were numbered, or by time and then so."""
Place: TypeAlias = tuple[int, ...]
"""Where a part of a list ends: with the id of its last instance, after its time where the order is by that."""

Row: TypeAlias = Literal["d", "p"]

FEW: Final = 1_000
"""Fewer are found by their index and then put in order; of more, the order comes first. Nothing is counted further."""


class Places(NamedTuple):
    """The places of a part of a list."""

    found: list[Place]
    stopped: Place | None = None
    """Down to where they were looked for, if it was left at that so that nobody waits; there may be more behind it."""


def united(lists: Iterable[Places], limit: int) -> Places:
    """The first of several lists: nothing behind a place down to which one of them was not looked through."""
    given = list(lists)
    stopped = max((each.stopped for each in given if each.stopped is not None), default=None)
    found = (place for place, _ in groupby(merge(*(each.found for each in given), reverse=True)))
    first = list(islice((place for place in found if stopped is None or place >= stopped), limit))
    return Places(first, None if len(first) == limit else stopped)


def find_by(store: Connection, way: PlaceIndex, *, limit: int, before: Place | None, sort: Sort) -> list[Place]:
    """The places of the last ``limit`` that have all of this, those that come after a place; raises StoreError."""
    row: Row = "d" if way.own is not None and sort == "id" else "p"
    order = order_of(sort, row)
    place = None if before is None else behind(order, before)
    sql, values, first = source(store, way.own, way.others, place, row)
    return read_places(store, f"SELECT {', '.join(order)} {sql}", values, [*first, *order], limit)


def read_places(store: Connection, sql: str, values: Sequence[Any], order: Sequence[str], limit: int) -> list[Place]:
    """What a question without its order and limit has for an answer."""
    found = store.read(f"{sql} {newest_first(order)} LIMIT ?", (*values, limit))
    return [tuple(map(int, place)) for place in found]


def newest_first(order: Sequence[str]) -> str:
    """The order of a question, by these columns."""
    return f"ORDER BY {', '.join(f'{column} DESC' for column in order)}" if order else ""


class PlaceIndex(NamedTuple):
    """How instances are found: by the index of its ``own`` condition, or where there is none by that of the order."""

    own: Condition | None
    others: list[Condition]


class Counts:
    """How many the indexes of a store know of that have something, each asked once for one list."""

    def __init__(self, store: Connection) -> None:
        self._store = store
        self._known: dict[tuple[Condition, int], int] = {}

    def of(self, condition: Condition, most: int = FEW) -> int:
        """How many have it, up to so many."""
        known = self._known.get((condition, most))
        if known is None:
            by, values, first = condition.asked(self._store.kind)
            sql = f"SELECT 1 FROM `{condition.table}` AS d WHERE {by} {newest_first(first)} LIMIT {most}"
            known = int(self._store.value(f"SELECT COUNT(*) FROM ({sql}) AS found", values))
            self._known[condition, most] = known
        return known


def chosen(counts: Counts, conditions: Sequence[Condition], sort: Sort) -> PlaceIndex:
    """The narrowest way to find what has all of this."""
    known = [each for each in conditions if each.table is not None]
    if len(known) == 1 and known[0].ordered and sort == "id":
        best = known[0]
    else:
        counted = [(counts.of(each), number) for number, each in enumerate(known)]
        fewest, number = min(counted, default=(FEW, 0))
        ordered = [each for each in known if each.ordered and sort == "id"]
        if fewest < FEW:
            best = known[number]
        elif ordered:
            best = ordered[0]
        else:
            return PlaceIndex(None, list(conditions))
    return PlaceIndex(best, [each for each in conditions if each is not best])


def source(
    store: Connection,
    own: Condition | None,
    others: Sequence[Condition],
    place: Condition | None = None,
    row: Row = "p",
) -> tuple[str, list[Any], tuple[str, ...]]:
    """``FROM`` and ``WHERE`` of a question for instances behind a place, its values, and what its order begins with.

    ``row`` is the one of which the order and the place are: ``p``, the instance, or ``d``, what the index has of it.
    """
    conditions = [each.sql for each in others]
    values = [value for each in others for value in each.values]
    if place is not None:
        conditions.append(place.sql)
        values += place.values
    if own is None:
        return f"FROM `process_instance` AS p WHERE {' AND '.join(conditions) or '1 = 1'}", values, ()
    by, sought, first = own.asked(store.kind)
    values = [*sought, *values]
    if row == "d" and not others:
        return f"FROM `{own.table}` AS d WHERE {' AND '.join([by, *conditions])}", values, first
    # SQLite goes through the tables of a cross join in this order.
    joined = f"FROM `{own.table}` AS d CROSS JOIN `process_instance` AS p WHERE {by} AND p.{ID} = d.{ID}"
    return " AND ".join([joined, *conditions]), values, first if row == "d" else ()


def order_of(sort: Sort, row: Row = "p") -> list[str]:
    """The columns of a row that make the order."""
    return [f"{row}.{ID}"] if sort == "id" else [f"p.`{sort}`", f"p.{ID}"]


def behind(order: Sequence[str], place: Place) -> Condition:
    """What comes after a place."""
    if len(place) == 1:
        return Condition(f"{order[0]} < ?", place)
    time, number = place
    return Condition(f"({order[0]} < ? OR ({order[0]} = ? AND {order[1]} < ?))", (time, time, number))


ID = "`process_instance_id`"
