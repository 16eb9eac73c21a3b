"""What follows a commit: whoever asked is answered, work is handed over, and all are told who wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import failpoints
from ..instance.resting import at_rest
from .due import quota_lines

if TYPE_CHECKING:
    from ...models import RareChanges
    from ..instance.instance import Instance
    from ..work import Work
    from .due.schedule import DueEntry
    from .inbox import Command
    from .river import River
    from .turn import Turn


def follow(river: River, turn: Turn, batch: Sequence[Command], results: Sequence[Any]) -> None:
    """Answer those who asked for these actions, and hand over what is to be done."""
    changes, rare = turn.changes, turn.changes.rare_made
    works: list[Work] = []
    rested: list[Instance] = []
    graces: list[DueEntry] = []
    for instance in turn.instances.values():
        if instance.to_hand_over:
            works += [instance.work(task) for task in instance.to_hand_over if task.open]
            instance.to_hand_over = []
        if instance.to_check:
            river.checks.ask([instance.work_of_check(task) for task in instance.to_check])
            instance.to_check = []
        row = instance.row
        if at_rest(row):
            rested.append(instance)
        if row.due is not None:
            number = row.process_instance_id
            written = number in changes.instances or number in changes.new_instances
            if written and (row.phase == "running" or row.due <= instance.now()):
                river.unfinished[number] = None
            elif row.phase != "running":
                graces.append((row.due, "grace", number, 0, 0))
        river.cache.keep(instance)
    # Not before they are kept: who waits next for the end of what was started looks there for it.
    for command, result in zip(batch, results, strict=True):
        if command.result is not None:
            command.result.set_result(result)
    if changes.timed or graces or (rare is not None and rare.new_waits):
        if river.schedule.note(changes, graces):
            river.inbox.wake()
        river.monitor_polls.drop_idle()
    river.facilities.observers.tell_changes(turn.instances.values())
    if works:
        failpoints.reach("before-handover")
        river.facilities.dispatcher.submit(works)
        failpoints.reach("after-handover")
    river.checks.hand_over()
    for instance in rested:
        river.watchers.tell(instance)
    if river.watchers.has_watches:
        river.watchers.stepped(turn.instances.values(), [*changes.new_tasks.values(), *changes.tasks.values()])
    river.telling.committed(turn.instances.values())
    if changes.new_notices:
        river.on_notices()
    if changes.quotas is not None and not river.is_passive:
        river.post(*map(quota_lines.go_on, changes.quotas.served))
    if rare is not None:
        _follow_rare(river, rare)
    turn.let_go()


def _follow_rare(river: River, rare: RareChanges) -> None:
    if rare.external:
        offered = [each for each in rare.external.values() if each is not None and each.worker is None]
        river.offers.offered((each.topic, each.owner_name) for each in offered)
    for event in rare.new_events:
        failpoints.reach("message-pending")
        river.pending_messages.append(event)
