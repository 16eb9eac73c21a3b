"""What is counted of a whole store, each thing up to a bound by an index that has it in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

from ..commit.inbox_lists import ALL
from ..store import IN_PHASES, Store
from ..vocabulary import NOT_TAKEN_BACK, UNDO_FAILED, Awaits, Phase, WaitKind

MOST_COUNTED: Final = 10_000
"""Of each thing no more are counted, so that a look costs the same however large the store is.

Ten times as many would take ten times as long, up to 0.3 s where all that can be is there.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Things of one kind: how many, and since when (milliseconds since 1970) there is the oldest."""

    labels: tuple[str, ...]
    count: int
    oldest: int | None


class Figures(NamedTuple):
    """The store at one moment, as far as operators look at it."""

    processes: tuple[Group, ...]
    """Process instances that have not ended, by kind, status and phase."""
    tasks: tuple[Group, ...]
    """Open tasks of these, by who carries them out (``person`` or ``stone``) and status; of stones where few enough
    processes have not ended, else of some of them."""
    waits: tuple[Group, ...]
    """What tokens wait for: by kind (``WaitKind``), without ages."""
    undo_failed: tuple[Group, ...]
    """Process instances whose undo has failed, by status; without ages."""
    awaits: tuple[Group, ...]
    """Processes that stand still, by for whom or what (``Awaits``); without ages."""
    left: tuple[Group, ...]
    """Tasks whose results no undo takes back any more, or could not yet: ``retained``, ``skipped``, ``failed``,
    ``left`` (undone before their hooks had ended)."""
    owed: Group
    """Messages and signals that were thrown and not delivered."""
    quotas: tuple[Group, ...]
    """Tasks that hold a slot of a quota, or wait for one: by its name and ``held`` or ``waiting``."""
    due: int | None
    """Since when, or from when, the first thing of all is due; milliseconds since 1970."""
    partial: bool = False
    """Whether there is more of something than is counted, :data:`MOST_COUNTED`; its numbers are of so many then."""


def read_figures(store: Store) -> Figures:
    """Count; raises StoreError."""
    return store.by_index(lambda: _read(store))


def _read(store: Store) -> Figures:
    def groups(sql: str, labels: int) -> tuple[Group, ...]:
        return tuple(
            Group(labels=tuple(map(str, row[:labels])), count=int(row[labels]), oldest=_number(row[labels + 1]))
            for row in store.read(sql, (MOST_COUNTED,))
        )

    def each(sql: str, labels: Iterable[str]) -> tuple[Group, ...]:
        counts = ((label, int(store.value(sql, (label, MOST_COUNTED)))) for label in labels)
        return tuple(Group(labels=(label,), count=count, oldest=None) for label, count in counts if count)

    stones, looked_at = _stones(store)
    figures = Figures(
        processes=tuple(_processes(store)),
        tasks=(*(group for group in groups(PEOPLE, 2) if group.count), *stones),
        waits=each(WAITS, get_args(WaitKind)),
        undo_failed=each(FAILED, UNDO_FAILED.values()),
        awaits=each(AWAITING, get_args(Awaits)),
        left=each(LEFT, NOT_TAKEN_BACK),
        owed=groups(OWED, 0)[0],
        quotas=groups(QUOTAS, 2),
        due=store.next_due(),
    )
    whole = (figures.processes, figures.tasks, (figures.owed,), figures.quotas)
    several = (*figures.waits, *figures.undo_failed, *figures.awaits, *figures.left)
    sums = [sum(group.count for group in some) for some in whole] + [group.count for group in several]
    return figures._replace(partial=max(*sums, looked_at // ROWS_OF_ONE) >= MOST_COUNTED)


def _processes(store: Store) -> Iterator[Group]:
    """From group to group of the index, each of which begins with its oldest: none is behind another, however large."""
    for phase in get_args(Phase):
        found = [] if phase == "ended" else store.read(FIRST, (phase,))
        while found:
            ((status, kind, oldest),) = found
            count = int(store.value(ACTIVE, (phase, status, kind, MOST_COUNTED)))
            yield Group(labels=(kind, status, phase), count=count, oldest=int(oldest))
            found = store.read(NEXT_KIND, (phase, status, kind)) or store.read(NEXT_STATUS, (phase, status))


def _stones(store: Store) -> tuple[list[Group], int]:
    """Open tasks of stones, and how many rows of ledgers were looked at.

    They are found by way of processes that have not ended, since an index of open tasks would make each step dearer.
    Those in which something goes on come first, where an index tells them, and those that stand still for a stone.
    """
    sources = [STANDING, NOT_ENDED] if store.kind == "mysql" else [STANDING, MOVING, NOT_ENDED]
    looked_at = (MOST_COUNTED,) * len(sources) + (MOST_COUNTED * ROWS_OF_ONE,)
    rows = store.read(STONES.format(" UNION ".join(sources)), looked_at)
    open_ones = [
        Group(labels=("stone", status), count=int(count), oldest=int(oldest))
        for status, count, oldest in rows
        if status is not None
    ]
    return open_ones, sum(int(count) for _, count, _ in rows)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


ROWS_OF_ONE: Final = 3
"""Rows of the ledger that are looked at for each process, one with another."""
_GROUP = f"FROM `process_instance` WHERE `phase` = ? AND {IN_PHASES}"
FIRST, NEXT_STATUS, NEXT_KIND = (
    f"SELECT `status`, `kind`, `started` {_GROUP}{behind} ORDER BY `status`, `kind`, `started` LIMIT 1"
    for behind in ("", " AND `status` > ?", " AND `status` = ? AND `kind` > ?")
)
ACTIVE = f"SELECT COUNT(*) FROM (SELECT 1 {_GROUP} AND `status` = ? AND `kind` = ? LIMIT ?) AS found"
PEOPLE = (
    "SELECT 'person', 'running', `count`, (SELECT `created` FROM `user_task` WHERE `id` = `first`)"
    " FROM (SELECT COUNT(*) AS `count`, MIN(`task_id`) AS `first` FROM"
    f" (SELECT `task_id` FROM `inbox` WHERE `list_name` = '{ALL}' ORDER BY `task_id` LIMIT ?) AS listed) AS found"
)
STONES = (
    "SELECT CASE WHEN `open` = 1 AND `stone` IS NOT NULL THEN `status` END, COUNT(*), MIN(`created`) FROM"
    " (SELECT t.`open`, t.`stone`, t.`status`, t.`created` FROM ({}) AS d CROSS JOIN `task` AS t"
    " WHERE t.`process_instance_id` = d.`process_instance_id` LIMIT ?) AS looked GROUP BY 1"
)
STANDING, MOVING, NOT_ENDED = (
    f"SELECT * FROM (SELECT `process_instance_id` FROM `process_instance` WHERE {condition} LIMIT ?) AS {name}"
    for name, condition in (
        ("standing", "`awaits` = 'stone'"),
        ("moving", "`phase` <> 'ended' AND `awaits` IS NULL"),
        ("active", "`phase` <> 'ended'"),
    )
)
WAITS = "SELECT COUNT(*) FROM (SELECT 1 FROM `wait` WHERE `kind` = ? LIMIT ?) AS found"
FAILED = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM `process_instance` WHERE `status` = ? AND `status` <> 'success'"
    " AND `phase` = 'ended' LIMIT ?) AS found"
)
AWAITING = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM `process_instance` WHERE `awaits` = ? AND `kind` = 'start' LIMIT ?) AS found"
)
LEFT = "SELECT COUNT(*) FROM (SELECT 1 FROM `task` WHERE `undo` = ? LIMIT ?) AS found"
OWED = "SELECT COUNT(*), MIN(`created`) FROM (SELECT `created` FROM `event` ORDER BY `id` LIMIT ?) AS found"
QUOTAS = (
    "SELECT `quota`.`name`, CASE WHEN `held` = 1 THEN 'held' ELSE 'waiting' END, COUNT(*), MIN(`since`)"
    " FROM (SELECT `quota_id`, `held`, `since` FROM `quota_slot` LIMIT ?) AS d"
    " JOIN `quota` ON `quota`.`id` = d.`quota_id` GROUP BY 1, 2"
)
