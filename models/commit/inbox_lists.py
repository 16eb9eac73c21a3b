"""The lists in which an open task of a person stands, with a row for each.

That of all, of its owner, of its assignee, and of each user and group that may take it: one while it is free, another
once somebody has it.
"""

from __future__ import annotations

import json
from typing import Literal

from ..row_types.tasks import InboxRow, UserTaskRow

USUAL = 50
"""The priority where none is said."""
NEVER = 253_402_300_799_999
"""When what is never due is due, in the order of lists."""
ALL = "all"


def list_of(kind: Literal["owner", "to", "user", "group"], name: str, *, taken: bool = False) -> str:
    """The name of a list: of an owner, of whom tasks are assigned to, or of who may take them or might have."""
    return f"{kind}{'+' if taken else ''} {name}"


def lists_of(row: UserTaskRow) -> list[InboxRow]:
    """Every list in which a task stands; none once it has ended."""
    if row.ended is not None:
        return []
    names = [ALL]
    if row.owner_name is not None:
        names.append(list_of("owner", row.owner_name))
    if row.assignee is not None:
        names.append(list_of("to", row.assignee))
    found = json.loads(row.candidates) if row.candidates else {}
    taken = row.assignee is not None
    names += [list_of("user", name, taken=taken) for name in found.get("users", ())]
    names += [list_of("group", name, taken=taken) for name in found.get("groups", ())]
    due = NEVER if row.due is None else row.due
    return [InboxRow(name, row.id, -row.priority, due) for name in dict.fromkeys(names)]
