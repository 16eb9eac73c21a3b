"""Going through a long list a piece at a time, where no index has those few of it that are sought."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..commit.connection import Connection
from .instance_filter import HAS_ENDED, Condition
from .instance_places import ID, Place, Places, Row, Sort, behind, newest_first, order_of, read_places, source

PIECE: Final = 10_000
"""Processes that one question looks at in the order of the list."""


def find_in_piece(
    store: Connection,
    own: Condition | None,
    conditions: Sequence[Condition],
    *,
    limit: int,
    before: Place | None,
    sort: Sort,
    size: int | None = None,
) -> Places:
    """What is found in the next piece of the list, which the index of its ``own`` condition gives, or of the order."""
    size = PIECE if size is None else size
    row: Row = "d" if own is not None and sort == "id" else "p"
    inner, order = order_of(sort, row), order_of(sort)
    # A piece of those that have no end yet would have no place in the order.
    in_order = [HAS_ENDED] if sort == "ended" else []
    sql, values, first = source(store, own, in_order, None if before is None else behind(inner, before), row)
    piece = f"SELECT {', '.join(inner)} {sql} {newest_first([*first, *inner])}"
    if own is None and sort == "id":
        return _in_range(store, piece, values, conditions, limit=limit, before=before, size=size)
    wanted = " AND ".join(each.sql for each in conditions)
    given = [value for each in conditions for value in each.values]
    part = (
        f"SELECT {', '.join(order)} FROM ({piece} LIMIT {size}) AS w CROSS JOIN `process_instance` AS p"
        f" WHERE p.{ID} = w.{ID} AND {wanted}"
    )
    found = read_places(store, part, [*values, *given], order, limit)
    if len(found) == limit:
        return Places(found)
    end = store.read(f"{piece} LIMIT 1 OFFSET {size - 1}", values)
    return Places(found, tuple(map(int, end[0])) if end else None)


def _in_range(
    store: Connection,
    piece: str,
    values: Sequence[Any],
    conditions: Sequence[Condition],
    *,
    limit: int,
    before: Place | None,
    size: int,
) -> Places:
    """The same where the piece is a range of ids, which is gone through without looking for each again."""
    end = store.value(f"{piece} LIMIT 1 OFFSET {size - 1}", values)
    stopped = None if end is None else (int(end),)
    within = conditions if stopped is None else [*conditions, Condition(f"p.{ID} >= ?", stopped)]
    order = order_of("id")
    sql, sought, _ = source(store, None, within, None if before is None else behind(order, before))
    found = read_places(store, f"SELECT {order[0]} {sql}", sought, order, limit)
    return Places(found, None if len(found) == limit else stopped)
