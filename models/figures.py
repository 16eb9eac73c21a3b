"""What is counted of a whole store, each by a question that an index or the few active processes answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .store import Store


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
    left: tuple[Group, ...]
    """Tasks whose results no undo takes back any more, or could not yet: ``retained``, ``skipped``, ``failed``,
    ``left`` (undone before their hooks had ended)."""
    owed: Group
    """Messages and signals that were thrown and not delivered."""
    quotas: tuple[Group, ...]
    """Tasks that hold a slot of a quota, or wait for one: by its name and ``held`` or ``waiting``."""
    due: int | None
    """Since when, or from when, the first thing of all is due; milliseconds since 1970."""


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

    return Figures(
        processes=groups(PROCESSES, 3),
        tasks=groups(TASKS, 2),
        waits=groups(WAITS, 1),
        undo_failed=groups(UNDO_FAILED, 1),
        left=groups(LEFT, 1),
        owed=groups(OWED, 0)[0],
        quotas=groups(QUOTAS, 2),
        due=store.next_due(),
    )


PROCESSES = (
    "SELECT `kind`, `status`, `phase`, COUNT(*), MIN(`started`) FROM `process_instance`"
    " WHERE `phase` <> 'ended' GROUP BY `kind`, `status`, `phase`"
)
TASKS = (
    # By way of the instances that have not ended, since these are few and no index tells which tasks are open.
    "SELECT CASE WHEN `stone` IS NULL THEN 'person' ELSE 'stone' END, `status`, COUNT(*), MIN(`created`) FROM `task`"
    " WHERE `open` = 1 AND `process_instance_id` IN"
    " (SELECT `process_instance_id` FROM `process_instance` WHERE `phase` <> 'ended') GROUP BY 1, 2"
)
WAITS = "SELECT `kind`, COUNT(*) FROM `wait` GROUP BY `kind`"
UNDO_FAILED = (
    "SELECT `status`, COUNT(*) FROM `process_instance`"
    # As the index has it, word for word: else SQLite does not see that it holds all of them.
    " WHERE (`status` = 'rollback.failed' OR `status` = 'cancel.failed' OR `status` = 'delete.failed')"
    " AND `phase` = 'ended' GROUP BY `status`"
)
LEFT = "SELECT `undo`, COUNT(*) FROM `task` WHERE `undo` IN ('retained', 'skipped', 'failed', 'left') GROUP BY `undo`"
OWED = "SELECT COUNT(*), MIN(`created`) FROM `event`"
QUOTAS = (
    "SELECT `quota`.`name`, CASE WHEN `held` = 1 THEN 'held' ELSE 'waiting' END, COUNT(*), MIN(`since`)"
    " FROM `quota_slot` JOIN `quota` ON `quota`.`id` = `quota_slot`.`quota_id` GROUP BY 1, 2"
)
