"""Taking models and versions out of use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..catalogue import IN_USE, LOCK_SEQUENCE, Trigger, replace_triggers
from ..commit.connection import Connection
from ..databases.statements import marks, parts, select
from ..drafts import DELETE_DRAFT
from ..errors import AlreadyUsed
from ..row_types.tokens import TokenRow
from ..vocabulary import UndoMark

PAGE = 500


class Successor(NamedTuple):
    """The version that is the newest of a key when others are gone, None for none, and what starts it."""

    key: str
    deployment_id: str | None
    triggers: Sequence[Trigger]


class Removal:
    """What a removal needs of one store; every method may raise StoreError."""

    def __init__(self, store: Connection) -> None:
        self.store = store

    def versions_of(self, model_id: str) -> list[tuple[str, str]]:
        """The versions of a model that are in use: deployment id and key."""
        sql = f"SELECT `id`, `key` FROM `deployment` WHERE `model_id` = ? AND {IN_USE}"
        return [(str(deployment_id), str(key)) for deployment_id, key in self.store.read(sql, (model_id,))]

    def others_of(self, key: str, deployment_ids: Sequence[str]) -> str | None:
        """The newest version of a key that is in use and none of these."""
        sql = (
            f"SELECT `id` FROM `deployment` WHERE `key` = ? AND {IN_USE}"
            f" AND `id` NOT IN ({marks(deployment_ids)}) ORDER BY `version` DESC LIMIT 1"
        )
        found = self.store.value(sql, (key, *deployment_ids))
        return None if found is None else str(found)

    def needing(self, column: str, value: str, undone: Sequence[UndoMark]) -> list[int]:
        """The instances with this ``deployment_id`` or ``model_id`` that go on or have something left to undo."""
        sql = (
            f"SELECT `process_instance_id` FROM `process_instance` WHERE `kind` = 'start' AND `{column}` = ?"
            " AND (`phase` <> 'ended' OR (`status` <> 'delete.success' AND EXISTS (SELECT 1 FROM `task`"
            f" WHERE `task`.`process_instance_id` = `process_instance`.`process_instance_id` AND {to_undo(undone)})))"
            " ORDER BY 1"
        )
        return [int(number) for (number,) in self.store.read(sql, (value, *undone))]

    def of_owner(self, numbers: Sequence[int], owner: str, most: int) -> list[int]:
        """The first ``most`` of these instances that are the owner's."""
        found: list[int] = []
        for part in parts(numbers, PAGE):
            among, values = self.store.among(part)
            sql = (
                f"SELECT `process_instance_id` FROM `process_instance` WHERE `process_instance_id` {among}"
                f" AND `owner_name` = ? ORDER BY 1 LIMIT {most - len(found)}"
            )
            found += [int(number) for (number,) in self.store.read(sql, (*values, owner))]
            if len(found) == most:
                break
        return found

    def active(self) -> dict[str, list[int]]:
        """The instances that have not ended, by the version that they run."""
        found: dict[str, list[int]] = {}
        sql = (
            "SELECT `deployment_id`, `process_instance_id` FROM `process_instance`"
            " WHERE `kind` = 'start' AND `phase` <> 'ended' ORDER BY 2"
        )
        for deployment_id, number in self.store.read(sql):
            found.setdefault(str(deployment_id), []).append(int(number))
        return found

    def calls(self) -> Iterator[tuple[int, str]]:
        """Every call of a process that is under way: the instance, and the version that it has called."""
        after = (0, 0)
        while True:
            rows = self.store.rows(TokenRow, SELECT_INTERNALS, (*after, PAGE))
            for row in rows:
                called = json.loads(row.internal or "{}").get("deployment")
                if called is not None:
                    yield row.process_instance_id, called
            if len(rows) < PAGE:
                return
            after = rows[-1].process_instance_id, rows[-1].id

    def remove(
        self,
        deployment_ids: Sequence[str],
        successors: Sequence[Successor],
        now: int,
        *,
        model_id: str | None,
        refuse: Callable[[], None],
    ) -> None:
        """Take versions out of use, and a model with them; what still refers to them finds them.

        ``refuse`` raises what speaks against it, asked when nothing can begin with them any more. Raises AlreadyUsed if
        a key has another successor by now.
        """

        def action() -> None:
            run = self.store.run
            run(LOCK_SEQUENCE)
            for each in successors:
                if self.others_of(each.key, deployment_ids) != each.deployment_id:
                    raise AlreadyUsed(f"another version of {each.key!r} is the newest now")
            for deployment_id in deployment_ids:
                run("UPDATE `deployment` SET `removed` = ? WHERE `id` = ? AND `removed` IS NULL", (now, deployment_id))
            if model_id is not None:
                # Held, since whoever protects it now would not be seen.
                run("UPDATE `process_model` SET `protected` = `protected` WHERE `id` = ?", (model_id,))
            refuse()
            if model_id is not None:
                run("DELETE FROM `process_model` WHERE `id` = ?", (model_id,))
                run(DELETE_DRAFT, (model_id,))
            for each in successors:
                replace_triggers(self.store, each.key, each.deployment_id, each.triggers)

        self.store.write(action)


def to_undo(undone: Sequence[UndoMark]) -> str:
    """The condition for rows of the ledger that an undo would touch: those not marked as ``undone``, its values."""
    return (
        "`task`.`kind` = 'start' AND `task`.`stone` IS NOT NULL AND `task`.`event` <> 'mock'"
        f" AND (`task`.`undo` IS NULL OR `task`.`undo` NOT IN ({marks(undone)}))"
    )


SELECT_INTERNALS = select(
    "token",
    TokenRow,
    "`internal` IS NOT NULL AND (`process_instance_id`, `id`) > (?, ?) ORDER BY `process_instance_id`, `id` LIMIT ?",
)
