"""How long a task waits before its hook is called once more, and until when it may be."""

from __future__ import annotations

from ...models import TaskRow
from ...models.vocabulary import HOOK_FAILED
from ..instance.instance import Instance
from ..instance.tasks import quota_slots
from ..ledger import ledger
from ..stones.stone import Stone
from ..undo.instance import UndoInstance
from ..work import Outcome


def put_off(instance: Instance, row: TaskRow, outcome: Outcome) -> None:
    """The hook has said that it cannot be done now: it is called again, and no attempt is used up."""
    seconds = outcome.later or 0.0
    if row.event != "monitor":
        row.status = HOOK_FAILED[row.event]
    if row.event in ("start", "mock") and not outcome.unbegun:
        ledger.keep(row, begun=True)
    row.reason = f"Put off for {seconds:g} seconds: {outcome.reason}"
    row.owner = instance.facilities.engine_id
    row.due = instance.now() + round(seconds * 1000)
    # The next one is another delivery: what still comes of this one is no answer to it.
    row.handed += 1
    if row.event != "monitor":
        row.deadline = None
    quota_slots.free(instance, row)


def is_in_time(instance: Instance, row: TaskRow, stone: type[Stone]) -> bool:
    """Whether the time is not over in which an event that has failed may be tried again."""
    kept, now = ledger.kept(row), instance.now()
    lasting = kept.get("retry_for", None if stone.retry_for is None else round(stone.retry_for * 1000))
    if lasting is None:
        return True
    since = kept.get("failing")
    if since is None:
        ledger.keep(row, failing=now)
        return True
    return now < int(since) + int(lasting)


def backoff(row: TaskRow, stone: type[Stone], times: int) -> float:
    """Seconds before one more try after so many, as the node says or else the stone."""
    kept = ledger.kept(row)
    first: float = kept["backoff"] / 1000 if "backoff" in kept else stone.retry_backoff
    # A first pause of the node that is longer than the stone's longest is meant as it is.
    longest = max(stone.retry_backoff_max, first) if "backoff" in kept else stone.retry_backoff_max
    most: float = kept["backoff_max"] / 1000 if "backoff_max" in kept else longest
    seconds: float = min(first * 2 ** min(times - 1, 60), most)
    return seconds


def has_settled(instance: Instance, row: TaskRow, stone: type[Stone], outcome: Outcome) -> bool:
    """Whether an undo may believe that a thing is not there, which does not show at once in every cloud.

    Otherwise the outcome says when to ask once more.
    """
    if not outcome.gone or stone.settle <= 0 or row.event == "monitor" or "settled" in ledger.kept(row):
        return True
    seconds = stone.settle
    if isinstance(instance, UndoInstance):
        ended = instance.origin.tasks[row.target].ended if row.target is not None else None
        seconds -= (instance.now() - ended) / 1000 if ended is not None else 0.0
    ledger.keep(row, settled=True)
    outcome.later, outcome.reason = seconds, "it is not there, and may not show yet"
    return seconds <= 0
