"""What checks have found of what a process made, and by which schedules that is looked at again."""

from __future__ import annotations

from collections.abc import Sequence

from ....models import TaskCheckRow, TaskRow
from ....models.operating.check_schedules import CheckSchedules
from ....models.row_types.batches import CheckScheduleRow
from ....models.search.resources import Resources
from ...instance.forward import ForwardInstance
from ...ledger import ledger
from .places import ExplanationText, at, begun, sentence, task_label

MOST_FOUND = 20
"""How many findings of checks, and how many schedules, are told of one by one."""


def tell_checks(telling: ExplanationText) -> None:
    """What is gone or different, of what nobody could tell, and when that is asked again."""
    instance = telling.instance
    if not isinstance(instance, ForwardInstance):
        return
    there = [row for row in instance.tasks.values() if ledger.exists(row)]
    if not there:
        return
    _tell_found(telling, there, Resources(instance.facilities.store).checks_of(instance.number))
    schedules = CheckSchedules(instance.facilities.store).all(None)
    looking = [schedule for schedule in schedules if _concerns(schedule, instance, there)]
    for schedule in looking[:MOST_FOUND]:
        _tell_schedule(telling, schedule)
    if len(looking) > MOST_FOUND:
        more = f"Beside these, {len(looking) - MOST_FOUND} more schedules check what it made."
        telling.say(more, "riverstone checks list")


def _tell_found(telling: ExplanationText, there: Sequence[TaskRow], found: dict[int, TaskCheckRow]) -> None:
    number = telling.instance.number
    told = [(row, found[row.id]) for row in there if row.id in found and found[row.id].state != "there"]
    for row, check in told[:MOST_FOUND]:
        when, reason = at(check.checked, telling.now), sentence(check.reason)
        if check.state == "gone":
            text = f"What {task_label(row)} made was gone at the last check, at {when}. {reason}"
            telling.say(text.strip(), f"riverstone check {number}", f"riverstone gone {number} --task {row.id}")
        elif check.state == "different":
            text = f"What {task_label(row)} made was different at the last check, at {when}: {reason}"
            telling.say(text, f"riverstone check {number}")
        else:
            text = f"The last check could not tell whether what {task_label(row)} made is there, at {when}: {reason}"
            telling.say(text, f"riverstone check {number}")
    if len(told) > MOST_FOUND:
        more = f"Beside these, checks have found {len(told) - MOST_FOUND} more not as they were made."
        telling.say(more, f"riverstone resources --process {number}")


def _concerns(schedule: CheckScheduleRow, instance: ForwardInstance, there: Sequence[TaskRow]) -> bool:
    """Whether a schedule looks at anything that the process made."""
    if schedule.key not in (None, instance.row.key) or schedule.owner_name not in (None, instance.row.owner_name):
        return False
    stones = instance.facilities.stones
    asked = (row for row in there if schedule.stone in (None, row.stone))
    known = (stones.choose(row.stone, row.parameters) for row in asked)
    return any(stone is not None and stone.has("check") for stone in known)


def _tell_schedule(telling: ExplanationText, schedule: CheckScheduleRow) -> None:
    of = "what it made" if schedule.stone is None else f"what its tasks of the stone {schedule.stone} made"
    text = f"{begun(of)} is checked again and again ({schedule.every}, schedule {schedule.id})"
    if schedule.is_paused:
        text += ", but is paused."
    elif schedule.due is None:
        text += ", but no turn is left."
    else:
        text += f", next at {at(schedule.due, telling.now)}."
    if schedule.reason is not None:
        text += f" Of its last turn: {sentence(schedule.reason)}"
    telling.say(text, "riverstone checks list")
