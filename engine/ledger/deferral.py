"""What the ledger keeps of a task that its start has handed to somebody outside.

They may tell what came of it as long as nobody has: while the task waits for them, and after it has failed for want of
their word, was stopped, or is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...models import TaskRow
from .. import jsontext
from . import entries, ledger


def begin(row: TaskRow, signature: Mapping[str, str] | None) -> None:
    """Somebody outside has the task, and nobody here; ``signature`` is what signs their callbacks."""
    ledger.keep(row, deferred=True, outside=row.attempt, signature=signature)


def is_deferred(row: TaskRow) -> bool:
    """Whether the task waits for somebody outside."""
    return row.state is not None and "deferred" in ledger.kept(row)


def time_over(row: TaskRow) -> None:
    """The task waits for them no longer."""
    ledger.drop(row, "deferred")


def told(row: TaskRow) -> None:
    """They have told what came of it."""
    ledger.drop(row, "deferred", "outside")


def outside(row: TaskRow) -> int | None:
    """The attempt of which somebody outside may still tell, None where nobody does."""
    found: int | None = ledger.kept(row).get("outside") if row.state is not None else None
    return found


def may_have_deferred(row: TaskRow) -> bool:
    """Whether a start was lost with its engine: it may have given its token before that, and no row says so."""
    return row.status == "unknown" or row.lost > 0


def hear(row: TaskRow, generation: int) -> None:
    """They have told what came of a start that may have been lost, so what they tell again changes nothing."""
    if may_have_deferred(row):
        ledger.keep(row, heard=[*ledger.kept(row).get("heard", ()), generation])


def is_heard(row: TaskRow, generation: int) -> bool:
    """Whether they have told that already."""
    return row.state is not None and generation in ledger.kept(row).get("heard", ())


def spend_early(row: TaskRow) -> None:
    """The task goes on without being deferred: what its own service told of it is there for an undo to see."""
    kept = ledger.kept(row).get("early")
    if kept is None or "signed" in kept:
        return
    ledger.drop(row, "early")
    entries.log(row, ("Somebody outside told what came of it before its start had deferred it.",))
    if kept["outputs"]:
        row.outputs = jsontext.dumps({**kept["outputs"], **(jsontext.read(row.outputs) if row.outputs else {})})
