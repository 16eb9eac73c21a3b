"""Finding process instances by what is asked for, a part of the list at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from ..commit.connection import Connection
from ..databases.statements import parts, select
from ..row_types.instances import InstanceRow, SummaryRow
from .instance_filter import HAS_ENDED, IS_START, Condition, InstanceFilter
from .instance_places import FEW, ID, Counts, Place, Places, Sort, chosen, find_by, newest_first, source, united
from .pieces import find_in_piece
from .text_search import TextPlaces, find_text

Row = TypeVar("Row", InstanceRow, SummaryRow)


class FoundInstances(NamedTuple):
    """A part of a list."""

    rows: list[SummaryRow]
    stopped: Place | None = None
    """Down to where was looked, if it was left at that so that nobody waits; there may be more behind it."""
    inside_from: int | None = None
    """The id of the oldest process in whose words a text was sought; None where it was in all."""


def find_instances(
    store: Connection,
    wanted: InstanceFilter,
    *,
    limit: int,
    before: Place | None = None,
    sort: Sort = "id",
    whole: bool = False,
) -> FoundInstances:
    """The last ``limit`` instances in this order, those that come after a place in it; raises StoreError.

    ``whole`` seeks a text inside of the words of all of them too.
    """
    places, inside_from = find_text_places(store, wanted, limit=limit, before=before, sort=sort, whole=whole)
    rows = _read(store, SummaryRow, [place[-1] for place in places.found])
    return FoundInstances(rows, places.stopped, inside_from)


def read_instances(store: Connection, numbers: Sequence[int]) -> list[InstanceRow]:
    """These instances in this order; what was purged since is left out."""
    return _read(store, InstanceRow, numbers)


def _read(store: Connection, kind: type[Row], numbers: Sequence[int]) -> list[Row]:
    rows: dict[int, Row] = {}
    for part in parts(numbers):
        among, values = store.among(part)
        found = store.rows(kind, select("process_instance", kind, f"{ID} {among}"), values)
        rows |= {row.process_instance_id: row for row in found}
    return [rows[each] for each in numbers if each in rows]


def place_of(row: InstanceRow | SummaryRow, sort: Sort) -> Place:
    """Where an instance stands in this order."""
    time = row.started if sort == "started" else row.ended or 0
    return (row.process_instance_id,) if sort == "id" else (time, row.process_instance_id)


def count_instances(store: Connection, wanted: InstanceFilter) -> int:
    """How many there are, up to as many as are counted."""
    conditions = wanted.conditions()
    way = chosen(Counts(store), conditions, "id")
    sql, values, first = source(store, way.own, way.others, row="p" if way.own is None else "d")
    counted = f"SELECT 1 {sql} {newest_first(first)} LIMIT {FEW}"
    return int(store.value(f"SELECT COUNT(*) FROM ({counted}) AS found", values))


def find_text_places(
    store: Connection,
    wanted: InstanceFilter,
    *,
    limit: int,
    before: Place | None,
    sort: Sort = "id",
    whole: bool = False,
) -> TextPlaces:
    """The same without the instances."""
    if wanted.text is None:
        return TextPlaces(find_places(store, wanted, limit=limit, before=before, sort=sort))
    text = wanted.text
    found = [
        find_text(store, text, _conditions(store, each, sort), limit=limit, before=before, sort=sort, whole=whole)
        for each in _failures(wanted)
    ]
    inside_from = max((each.inside_from for each in found if each.inside_from is not None), default=None)
    return TextPlaces(united((each.places for each in found), limit), inside_from)


def find_places(store: Connection, wanted: InstanceFilter, *, limit: int, before: Place | None, sort: Sort) -> Places:
    """The same without a text."""
    several = _failures(wanted)
    if len(several) == 1 and len(wanted.statuses) > 1:
        several = [wanted._replace(statuses=(each,)) for each in wanted.statuses]
    if len(several) > 1:
        return united((find_places(store, each, limit=limit, before=before, sort=sort) for each in several), limit)
    counts = Counts(store)
    way = chosen(counts, _conditions(store, wanted, sort), sort)
    seldom = any(each not in MOST_HAVE for each in way.others)
    if not seldom or (way.own is not None and counts.of(way.own) < FEW):
        return Places(find_by(store, way, limit=limit, before=before, sort=sort))
    # Most often a page is full soon.
    for size in (FEW, None):
        places = find_in_piece(store, way.own, way.others, limit=limit, before=before, sort=sort, size=size)
        if places.stopped is None:
            break
    return places


def _failures(wanted: InstanceFilter) -> list[InstanceFilter]:
    """The same, or both of which it is the union: what has failed and what needs somebody have an index each."""
    if wanted.error is None or wanted.failure is not None:
        return [wanted]
    return [wanted._replace(failure="failed"), wanted._replace(failure="attention")]


def _conditions(store: Connection, wanted: InstanceFilter, sort: Sort) -> list[Condition]:
    if wanted.stone is not None and wanted.deployments is None:
        used = store.read(USED, (wanted.stone, MOST_VERSIONS + 1))
        if not used:
            return [Condition("1 = 0")]
        if len(used) <= MOST_VERSIONS:
            wanted = wanted._replace(deployments=tuple(deployment for (deployment,) in used))
    conditions = wanted.conditions()
    if sort == "ended":
        conditions.append(HAS_ENDED)
    return conditions


MOST_HAVE = (IS_START, HAS_ENDED)
"""What is found soon, wherever in a list one begins."""
MOST_VERSIONS = 200
USED = "SELECT DISTINCT `deployment_id` FROM `stone_use` WHERE `stone` = ? LIMIT ?"
