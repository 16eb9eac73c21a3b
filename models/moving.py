"""What moves in one process instance: its tokens, what they wait for, and hooks that may still run.

A step reads all three, and mostly there are few: three questions cost a server more than their answers.
"""

from __future__ import annotations

from typing import NamedTuple

from .commit.connection import Connection
from .databases.cipher import opened
from .row_types.tasks import StragglerRow
from .row_types.tokens import TokenRow, WaitRow


class Moving(NamedTuple):
    """All of it, as it stood at one moment."""

    tokens: list[TokenRow]
    waits: list[WaitRow]
    stragglers: list[StragglerRow]
    """Without their leases, which no step asks for."""


def read_moving(store: Connection, number: int) -> Moving:
    """What moves in one instance, tokens and waits in their order; raises StoreError."""
    found = Moving([], [], [])
    for part, first, second, third, one, two, *texts in store.read(MOVING, (number, number, number)):
        if part == "token":
            token = TokenRow(number, first, second, one, third, two, *texts)
            found.tokens.append(opened(token, store.cipher))
        elif part == "wait":
            correlation, owner, _ = texts
            found.waits.append(WaitRow(number, first, second, one, two, correlation, third, owner))
        else:
            found.stragglers.append(StragglerRow(first, second, one, third, number, two))
    # Nothing is promised of the order of what is asked together.
    found.tokens.sort(key=lambda row: row.id)
    found.waits.sort(key=lambda row: (row.token, row.number))
    return found


MOVING = (
    "SELECT 'token' AS `part`, `id`, `scope`, `state`, `node`, `flow`, `internal`, `locals`, `causes` FROM `token`"
    " WHERE `process_instance_id` = ? UNION ALL"
    " SELECT 'wait', `token`, `number`, `due`, `kind`, `name`, `correlation`, `owner`, NULL FROM `wait`"
    " WHERE `process_instance_id` = ? UNION ALL"
    " SELECT 'hook', `task_id`, `attempt`, `delivery`, `event`, `owner`, NULL, NULL, NULL FROM `straggler`"
    " WHERE `process_instance_id` = ?"
)
