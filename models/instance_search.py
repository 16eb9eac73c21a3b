"""Finding process instances by the narrowest of the indexes that know something of what is asked for.

No database is relied on to know that itself: SQLite has no figures of its tables, and the others' may be old.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from itertools import groupby, islice
from typing import Any, Final, Literal, TypeAlias

from .connection import Connection
from .instance_filter import Condition, InstanceFilter
from .row_types.instances import InstanceRow
from .statements import marks, select

Sort: TypeAlias = Literal["id", "started", "ended"]
"""In which order, the last first: as instances were numbered, or by time and then so."""
Place: TypeAlias = tuple[int, ...]
"""Where a part of a list ends: with the id of its last instance, after its time where the order is by that."""

FEW: Final = 1_000
"""Fewer are found by their index and then put in order; of more, the order comes first. Nothing is counted further."""


def find_instances(
    store: Connection, wanted: InstanceFilter, *, limit: int, before: Place | None = None, sort: Sort = "id"
) -> list[InstanceRow]:
    """The last ``limit`` instances in this order, those that come after a place in it; raises StoreError."""
    places = find_places(store, wanted, limit=limit, before=before, sort=sort)
    numbers = [place[-1] for place in places]
    if not numbers:
        return []
    found = store.rows(InstanceRow, select("process_instance", InstanceRow, f"{_ID} IN ({marks(numbers)})"), numbers)
    rows = {row.process_instance_id: row for row in found}
    # What was purged since is left out.
    return [rows[number] for number in numbers if number in rows]


def place_of(row: InstanceRow, sort: Sort) -> Place:
    """Where an instance stands in this order."""
    time = row.started if sort == "started" else row.ended or 0
    return (row.process_instance_id,) if sort == "id" else (time, row.process_instance_id)


def count_instances(store: Connection, wanted: InstanceFilter) -> int:
    """How many there are, up to as many as are counted."""
    conditions = wanted.conditions()
    table, own, others = _chosen(store, conditions, "id")
    sql, values = _from(table, own, others)
    return int(store.value(f"SELECT COUNT(*) FROM (SELECT 1 {sql} LIMIT {FEW}) AS found", values))


def find_places(
    store: Connection, wanted: InstanceFilter, *, limit: int, before: Place | None, sort: Sort
) -> list[Place]:
    """The same, without the instances."""
    if wanted.error is not None and wanted.failure is None:
        # What has failed and what needs somebody are found by an index each.
        both = [wanted._replace(failure="failed"), wanted._replace(failure="attention")]
        lists = [find_places(store, each, limit=limit, before=before, sort=sort) for each in both]
        return list(islice((place for place, _ in groupby(merge(*lists, reverse=True))), limit))
    if wanted.stone is not None and wanted.deployments is None:
        used = store.read(USED, (wanted.stone, MOST_VERSIONS + 1))
        if not used:
            return []
        if len(used) <= MOST_VERSIONS:
            wanted = wanted._replace(deployments=tuple(deployment for (deployment,) in used))
    conditions = wanted.conditions()
    if sort == "ended":
        conditions.append(Condition("p.`ended` IS NOT NULL"))
    table, own, others = _chosen(store, conditions, sort)
    row = "d" if table is not None and sort == "id" else "p"
    order = [f"{row}.{_ID}"] if sort == "id" else [f"p.`{sort}`", f"p.{_ID}"]
    if before is not None:
        others = [*others, _after(order, before)]
    sql, values = _from(table, own, others)
    last = ", ".join(f"{column} DESC" for column in order)
    found = store.read(f"SELECT {', '.join(order)} {sql} ORDER BY {last} LIMIT ?", (*values, limit))
    return [tuple(map(int, place)) for place in found]


def _chosen(
    store: Connection, conditions: Sequence[Condition], sort: Sort
) -> tuple[str | None, Condition | None, list[Condition]]:
    """The condition whose index is gone through, with its table, and all others; none where the order's own is."""
    known = [each for each in conditions if each.table is not None]
    if len(known) == 1 and known[0].ordered and sort == "id":
        best = known[0]
    else:
        counts = [(_count(store, each), number) for number, each in enumerate(known)]
        fewest, number = min(counts, default=(FEW, 0))
        ordered = [each for each in known if each.ordered and sort == "id"]
        if fewest < FEW:
            best = known[number]
        elif ordered:
            best = ordered[0]
        else:
            return None, None, list(conditions)
    return best.table, best, [each for each in conditions if each is not best]


def _count(store: Connection, condition: Condition) -> int:
    sql = f"SELECT 1 FROM `{condition.table}` AS d WHERE {condition.by} LIMIT {FEW}"
    return int(store.value(f"SELECT COUNT(*) FROM ({sql}) AS found", condition.values))


def _from(table: str | None, own: Condition | None, others: Sequence[Condition]) -> tuple[str, list[Any]]:
    conditions = [each.sql for each in others]
    values = [value for each in others for value in each.values]
    if own is None:
        return f"FROM `process_instance` AS p WHERE {' AND '.join(conditions) or '1 = 1'}", values
    # SQLite goes through the tables of a cross join in this order.
    joined = f"FROM `{table}` AS d CROSS JOIN `process_instance` AS p WHERE {own.by} AND p.{_ID} = d.{_ID}"
    return " AND ".join([joined, *conditions]), [*own.values, *values]


def _after(order: Sequence[str], place: Place) -> Condition:
    if len(place) == 1:
        return Condition(f"{order[0]} < ?", place)
    time, number = place
    return Condition(f"({order[0]} < ? OR ({order[0]} = ? AND {order[1]} < ?))", (time, time, number))


MOST_VERSIONS = 200
USED = "SELECT DISTINCT `deployment_id` FROM `stone_use` WHERE `stone` = ? LIMIT ?"
_ID = "`process_instance_id`"
