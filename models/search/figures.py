"""What is counted of a whole store, each by a question that an index or the few active processes answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, get_args

from ..store import Store
from ..vocabulary import NOT_TAKEN_BACK, UNDO_FAILED, Awaits, WaitKind

MOST_COUNTED: Final = 100_000
"""Of each thing no more are counted, so that a look costs the same however large the store is."""


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
    """Open tasks of these, by who carries them out (``person`` or ``stone``) and status."""
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

    def groups(sql: str, labels: int) -> tuple[Group, ...]:
        return tuple(
            Group(
                labels=tuple(str(label) for label in row[:labels]),
                count=int(row[labels]),
                oldest=None if len(row) <= labels + 1 or row[labels + 1] is None else int(row[labels + 1]),
            )
            for row in store.read(sql)
        )

    def each(sql: str, labels: Iterable[str]) -> tuple[Group, ...]:
        counts = ((label, int(store.value(sql, (label, MOST_COUNTED)))) for label in labels)
        return tuple(Group(labels=(label,), count=count, oldest=None) for label, count in counts if count)

    most = f"LIMIT {MOST_COUNTED}"
    figures = Figures(
        processes=groups(PROCESSES.format(most), 3),
        tasks=groups(TASKS.format(most), 2),
        waits=each(WAITS, get_args(WaitKind)),
        undo_failed=each(FAILED, UNDO_FAILED.values()),
        awaits=each(AWAITING, get_args(Awaits)),
        left=each(LEFT, NOT_TAKEN_BACK),
        owed=groups(OWED.format(most), 0)[0],
        quotas=groups(QUOTAS.format(most), 2),
        due=store.next_due(),
    )
    whole = (figures.processes, figures.tasks, (figures.owed,), figures.quotas)
    several = (*figures.waits, *figures.undo_failed, *figures.awaits, *figures.left)
    sums = [sum(group.count for group in some) for some in whole] + [group.count for group in several]
    return figures._replace(partial=max(sums, default=0) >= MOST_COUNTED)


_ACTIVE = "SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended' {}"
PROCESSES = (
    "SELECT p.`kind`, p.`status`, p.`phase`, COUNT(*), MIN(p.`started`)"
    f" FROM ({_ACTIVE}) AS d CROSS JOIN `process_instance` AS p WHERE p.`process_instance_id` = d.`process_instance_id`"
    " GROUP BY p.`kind`, p.`status`, p.`phase`"
)
TASKS = (
    # By way of the instances that have not ended, since no index tells which tasks are open.
    "SELECT CASE WHEN t.`stone` IS NULL THEN 'person' ELSE 'stone' END, t.`status`, COUNT(*), MIN(t.`created`)"
    f" FROM ({_ACTIVE}) AS d CROSS JOIN `task` AS t WHERE t.`process_instance_id` = d.`process_instance_id`"
    " AND t.`open` = 1 GROUP BY 1, 2"
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
OWED = "SELECT COUNT(*), MIN(`created`) FROM (SELECT `created` FROM `event` {}) AS found"
QUOTAS = (
    "SELECT `quota`.`name`, CASE WHEN `held` = 1 THEN 'held' ELSE 'waiting' END, COUNT(*), MIN(`since`)"
    " FROM (SELECT `quota_id`, `held`, `since` FROM `quota_slot` {}) AS d"
    " JOIN `quota` ON `quota`.`id` = d.`quota_id` GROUP BY 1, 2"
)
