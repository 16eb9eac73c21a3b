"""Why a process stands where it stands, in sentences that name elements, tasks and times, and what can be done."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from ....models import EngineRow, InstanceRow, TaskRow
from ....models.vocabulary import UNDO_FAILED, UNDO_SUCCEEDED
from ... import jsontext
from ...instance.flags import Flags
from ...instance.forward import ForwardInstance
from ...instance.instance import Instance
from ...ledger import ledger
from ...mask import Mask
from ...undo import order
from ...undo.creation import preview
from ...undo.instance import UndoInstance
from ...views.decisions import DecisionResult
from ...views.processes import Explanation
from ..masked_views import show_decision
from .checks import tell_checks
from .places import (
    ExplanationText,
    Said,
    at,
    begun,
    named,
    node_label,
    open_tasks,
    sentence,
    span,
    task_label,
    tell_begin,
    tell_joins,
    tell_task,
    tell_waits,
)

MOST_TASKS = 20
"""How many open tasks are told of one by one."""


MOST_DECISIONS = 5
"""How many of its last decisions are told of one by one."""
LONGEST_VALUE = 200


def decided(result: DecisionResult) -> str:
    """What came of a decision and why, as the end of a sentence."""
    value = jsontext.dumps(result.value)
    shown = value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
    gave = "a value too large to be kept" if "value" in result.omitted else shown
    rules = [f"{_rules(each.rules)} of {each.name!r}" for each in result.matched]
    because = f" by {', '.join(rules)}" if rules else ""
    why = "".join(f" {begun(sentence(each))}" for each in filter(None, (result.violation, *result.warnings)))
    return f"{result.name!r} (version {result.version}): {gave}{because}.{why}"


def _rules(numbers: Sequence[int]) -> str:
    if not numbers:
        return "no rule"
    listed = ", ".join(map(str, numbers[:MOST_TASKS])) + (" and more" if len(numbers) > MOST_TASKS else "")
    return f"rule {listed}" if len(numbers) == 1 else f"the rules {listed}"


def explain(
    instance: Instance, undos: Sequence[UndoInstance], mask: Mask | None, engines: Mapping[str, EngineRow]
) -> Explanation:
    """The explanation of one instance; ``undos`` are its own, oldest first, and ``engines`` those at work."""
    # A rewind that has ended well is over: its process goes on as if nothing had been.
    undos = [undo for undo in undos if not (undo.rewinds and undo.row.status == "success")]
    telling = ExplanationText(instance=instance, mask=mask, engines=engines, now=instance.now())
    row = instance.row
    _tell_what_it_is(telling, row)
    if row.suspension is not None:
        _tell_suspended(telling, row, instance.origin.row.key if isinstance(instance, UndoInstance) else row.key)
    tell = {
        "queued": tell_begin,
        "running": _tell_running,
        "suspended": _tell_running,
        "draining": _tell_draining,
        "paused": _tell_paused,
        "created": _tell_created,
        "undoing": _tell_ended,
        "ended": _tell_ended,
    }.get(row.phase)
    if tell is not None:
        tell(telling)
    if instance.has(Flags.DECISIONS):
        _tell_decisions(telling)
    if undos:
        _tell_undo(telling, undos[-1])
    elif row.phase == "ended" and isinstance(instance, ForwardInstance):
        _tell_results(telling)
    _tell_kept(telling)
    tell_checks(telling)
    return _explained(telling, row)


def explain_stored(row: InstanceRow, mask: Mask | None, now: int, defect: str) -> Explanation:
    """The explanation of one that cannot be read: what its row says, and ``defect``, why no more can be told."""
    telling = Said(mask=mask, now=now)
    _tell_what_it_is(telling, row)
    if row.suspension is not None:
        _tell_suspended(telling, row, row.key)
    telling.say(f"No more of it can be told. {defect}")
    return _explained(telling, row)


def _explained(telling: Said, row: InstanceRow) -> Explanation:
    return Explanation(
        process_instance_id=str(row.process_instance_id),
        status=row.status,
        sentences=tuple(telling.sentences),
        commands=tuple(telling.commands),
    )


def _tell_what_it_is(telling: Said, row: InstanceRow) -> None:
    if row.kind == "start":
        mode = " in debug mode" if row.flags & Flags.DEBUG else " as a mock" if row.flags & Flags.MOCK else ""
        what = f"Process {row.process_instance_id} {row.name!r} (key {row.key})"
        telling.say(f"{what} was started{mode} at {at(row.started, telling.now)}; its status is {row.status}.")
    else:
        what = f"Process {row.process_instance_id} is the {row.kind} of process {row.origin} {row.name!r}"
        telling.say(
            f"{what}, begun at {at(row.started, telling.now)}; its status is {row.status}.",
            f"riverstone why {row.origin}",
        )


def _tell_suspended(telling: Said, row: InstanceRow, of_key: str) -> None:
    kept = jsontext.read(row.suspension or "{}")
    by = f" by {kept['who']}" if kept["who"] else ""
    why = f": {sentence(kept['reason'])}" if kept["reason"] else "."
    process = row.origin or row.process_instance_id
    what, command = "It", f"riverstone unsuspend {process}"
    if "key" in kept:
        what, command = f"Its key {of_key!r}", f"riverstone unsuspend --key {shlex.quote(of_key)}"
    text = f"{what} was suspended{by} at {at(kept['since'], telling.now)}{why} What runs ends, and nothing begins"
    telling.say(f"{text} until somebody lets it go on.", command)


def _tell_running(telling: ExplanationText) -> None:
    instance = telling.instance
    rows = list(open_tasks(instance))
    for row in rows[:MOST_TASKS]:
        tell_task(telling, row)
    if len(rows) > MOST_TASKS:
        more = f"Beside these, {len(rows) - MOST_TASKS} more tasks are open."
        telling.say(more, f"riverstone tasks {instance.number}")
    for row in instance.tasks.values() if isinstance(instance, UndoInstance) else ():
        if isinstance(instance, UndoInstance) and row.status == UNDO_FAILED[instance.kind] and not row.open:
            text = f"The {row.kind} of {_target(row)} has failed: {sentence(row.reason)}"
            telling.say(f"{text} What does not depend on it goes on.")
    if isinstance(instance, ForwardInstance) and instance.workflow.paused:
        _tell_failed(telling, instance)
    if instance.workflow.is_unfinished and instance.row.phase == "running":
        telling.say("It moves on without waiting for anything, in turns between those of others.")
    tell_waits(telling)
    tell_joins(telling)


def _target(row: TaskRow) -> str:
    """For a task of an undo, the task that it undoes."""
    return f"task {row.target} ({named(row.name, row.namespace)}, stone {row.stone})"


def _tell_draining(telling: ExplanationText) -> None:
    instance, row = telling.instance, telling.instance.row
    if row.pending in ("cancel", "cancel delete"):
        telling.say("It is being cancelled: nothing new begins, and what runs was asked to stop.")
        then = "its cancel begins" + (" and then its delete" if row.pending == "cancel delete" else "")
    else:
        why = f"It has failed: {sentence(row.reason)} Nothing new begins"
        then = "it ends, without a rollback" if instance.has(Flags.NO_ROLLBACK) else "its rollback begins"
        if instance.has(Flags.DEBUG):
            telling.say(f"{why}; since it is debugged, what runs goes on to its end.")
            then = "it stands still, for somebody to look at"
        elif instance.has(Flags.DRAIN_ALL):
            telling.say(f"{why}; what runs goes on to its end, as was asked for at its start.")
        else:
            telling.say(f"{why}, and what runs was asked to stop.")
    if row.due is not None:
        telling.say(
            f"When that has stopped, or the grace is over at {at(row.due, telling.now)}, {then}.",
            f"riverstone cancel {instance.number} --force",
        )
    else:
        telling.say(f"When the last has ended, {then}.")
    for task in list(open_tasks(instance))[:MOST_TASKS]:
        tell_task(telling, task)


def _tell_paused(telling: ExplanationText) -> None:
    """The process stands still as a whole, in a debug run or at a limit."""
    instance = telling.instance
    why = "because it is debugged and" if instance.has(Flags.DEBUG) else "since"
    telling.say(f"It stands still, {why} something has failed; nothing is undone yet.")
    if isinstance(instance, ForwardInstance):
        _tell_failed(telling, instance)


def _tell_failed(telling: ExplanationText, instance: ForwardInstance) -> None:
    """What has failed and waits for somebody, and the ways on."""
    workflow, number = instance.workflow, instance.number
    tokens = instance.waits_for_somebody
    for token in tokens[:MOST_TASKS]:
        reason = token.internal_data.get("failed", "")
        task = instance.tasks.get(token.internal_data.get("task", 0))
        if task is None or task.status.endswith("success"):
            command = f"riverstone retry {number} --element {shlex.quote(token.node.bpmn_id)}"
            telling.say(f"{begun(node_label(token.node))} has failed: {sentence(reason)}", command)
        else:
            event = task.status.partition(".")[0]
            telling.say(
                f"{begun(task_label(task))} has failed in {event}: {sentence(task.reason or reason)}",
                f"riverstone rerun {task.id} --parameters '{{}}'",
                f"riverstone skip {task.id}",
                f"riverstone done {task.id} --outputs '{{}}'",
            )
        if due := next((wait.due for wait in workflow.waits.get(token.id, ()) if wait.due is not None), None):
            telling.say(f"If nobody decides about that until {at(due, telling.now)}, the process rolls back.")
    if len(tokens) > MOST_TASKS:
        telling.say(
            f"Beside these, {len(tokens) - MOST_TASKS} more elements have failed.", f"riverstone retry {number}"
        )
    again = () if len(tokens) < 2 else (f"riverstone retry {number}",)
    telling.say(
        "Try what failed again, with other parameters or variables if these were wrong; give its outputs, if somebody"
        " has done it by hand; skip it; or let the process roll back, or cancel it.",
        *again,
        f"riverstone rollback {number}",
        f"riverstone cancel {number}",
    )


def _tell_decisions(telling: ExplanationText) -> None:
    """What the last decisions gave, and by which rules."""
    number = telling.instance.number
    rows = telling.instance.facilities.store.decisions_made(number, limit=MOST_DECISIONS + 1, before=None)
    for row in reversed(rows[:MOST_DECISIONS]):
        made = show_decision(row, telling.mask)
        task = named(made.name, made.element_id)
        telling.say(f"At {at(row.made, telling.now)} the task {task} made the decision {decided(made.result)}")
    more = f"riverstone show {number} --decisions"
    if len(rows) > MOST_DECISIONS:
        telling.say("It has made more decisions before.", more)


def _tell_created(telling: ExplanationText) -> None:
    telling.say("It stands ready, and begins when what runs in its origin has stopped or the grace there is over.")


def _tell_ended(telling: ExplanationText) -> None:
    row = telling.instance.row
    if row.ended is None:
        return
    when, took = at(row.ended, telling.now), span(row.ended - row.started)
    if row.status == "success":
        telling.say(f"It succeeded at {when}, after {took}." + (f" {sentence(row.reason)}" if row.reason else ""))
    elif row.cancel_id is not None and not row.reason:
        telling.say(f"It was cancelled at {when}, after {took}.")
    elif row.reason is not None:
        telling.say(f"It failed at {when}, after {took}: {sentence(row.reason)}")
    elif row.kind == "start":
        telling.say(f"It had succeeded at {when}, after {took}.")


def _tell_results(telling: ExplanationText) -> None:
    """An ended process that nothing was undone of: what exists, and how to remove it."""
    instance = telling.instance
    steps = preview(instance, "delete")
    left = sum(1 for step in steps if step.action != "retain")
    if instance.row.status == "failed":
        off = "its rollback was switched off" if instance.has(Flags.NO_ROLLBACK) else "there was nothing to undo"
        telling.say(f"It was not rolled back: {off}.")
    # Those that an undo has passed over are told of with all that it left behind.
    staying = [
        task_label(row)
        for step in steps
        if step.action == "retain" and (row := instance.tasks[int(step.task_id)]).undo != "skipped"
    ]
    if staying:
        why = "since their stones have no delete or the model's policy keeps it"
        telling.say(f"A delete leaves what these tasks may have made, {why}: {_listed(staying)}.")
    if not left:
        return
    text = f"What {'one' if left == 1 else left} of its tasks made exists until it is deleted"
    if instance.has(Flags.PROTECTED):
        telling.say(f"{text}, against which it is protected.", f"riverstone protect {instance.number} --off")
    elif (model_id := instance.row.model_id) and instance.facilities.store.catalogue.is_protected(model_id):
        telling.say(f"{text}, against which its model is protected.", f"riverstone protect --model {model_id} --off")
    else:
        telling.say(f"{text}.", f"riverstone undo {instance.number}", f"riverstone delete {instance.number}")


def _tell_undo(telling: ExplanationText, undo: UndoInstance) -> None:
    """How far the newest undo of the process has come."""
    row = undo.row
    name = f"Its {row.kind}, process {row.process_instance_id},"
    if row.phase == "created":
        telling.say(f"{name} stands ready and begins when what runs has stopped or the grace is over.")
    elif row.phase != "ended":
        left = sum(1 for task in undo.tasks.values() if not task.open and task.status.endswith("success"))
        telling.say(f"{name} is under way; tasks undone so far: {left}.")
        inner = ExplanationText(instance=undo, mask=telling.mask, engines=telling.engines, now=telling.now)
        _tell_running(inner)
        for each in inner.sentences:
            telling.say(each)
        telling.commands += [command for command in inner.commands if command not in telling.commands]
    elif row.status == "success":
        gone = sum(1 for task in undo.tasks.values() if task.status == UNDO_SUCCEEDED[undo.kind])
        ended = at(row.ended or row.started, telling.now)
        # A forced delete cancels first, so all may be gone when it comes to it.
        before = sum(task.undo == "undone" for task in undo.origin.tasks.values()) - gone
        if before > 0 and (row.kind == "delete" or not gone):
            telling.say(f"{name} ended well at {ended}; tasks undone: {gone}, and {before} by the undo before it.")
        else:
            telling.say(f"{name} ended well at {ended}; tasks undone: {gone}.")
        if row.kind != "delete":
            _tell_results(telling)
    else:
        _tell_failed_undo(telling, undo, name)


def _tell_failed_undo(telling: ExplanationText, undo: UndoInstance, name: str) -> None:
    number, row = telling.instance.number, undo.row
    telling.say(f"{name} failed at {at(row.ended or row.started, telling.now)}.")
    failed = [task for task in undo.tasks.values() if task.status == UNDO_FAILED[undo.kind] and not task.open]
    for task in failed[:MOST_TASKS]:
        telling.say(f"The {row.kind} of {_target(task)} failed, at attempt {task.attempt}: {sentence(task.reason)}")
    handlers_failed = undo.failed_handlers()
    for token_id, target in list(handlers_failed.items())[:MOST_TASKS]:
        reason = sentence(undo.workflow.failures[token_id])
        if ledger.handler_in(telling.instance.tasks[target]) is None:
            telling.say(f"The {row.kind} of task {target} has not begun: {reason}")
            continue
        covered = ledger.covers(telling.instance.tasks[target])
        names = ("task " if len(covered) == 1 else "tasks ") + ", ".join(map(str, covered[:MOST_TASKS]))
        more = f" and {len(covered) - MOST_TASKS} more" if len(covered) > MOST_TASKS else ""
        telling.say(f"The model's handler that undoes {names}{more} failed: {reason}")
    heads = [task.target for task in failed if task.target is not None] + list(handlers_failed.values())
    tried = order.taken_with(telling.instance.tasks, heads, undo.kind)
    waiting = sum(1 for left in order.undo_set(telling.instance.tasks, undo.kind) if left.id not in tried)
    if waiting > 0:
        count = "One more task waits" if waiting == 1 else f"As many as {waiting} more tasks wait"
        telling.say(f"{count} for that, since what was made later is undone first.")
    telling.say(
        "Fix the cause, then retry the undo. If it can never succeed, give the tasks up by name: they stay listed.",
        f"riverstone retry {number}",
        *(f"riverstone retry {number} --retain {head}" for head in heads[:1]),
    )


def _tell_kept(telling: ExplanationText) -> None:
    """What an undo has left behind for good; a delete may yet undo what a rollback or a cancel passed over."""
    instance = telling.instance
    rows = [row for row in instance.tasks.values() if row.kind in ledger.FORWARD]
    straggling = {key[0] for key, owner in instance.stragglers.owners.items() if owner is not None}
    for row in rows:
        if row.undo == "left":
            text = "ended after the task was undone. What it made since then exists until it is undone once more."
            telling.say(f"A hook of {task_label(row)} {text}")
        elif row.id in straggling and row.undo is not None:
            text = "has not reported its end. If it still makes something, that is undone once more."
            telling.say(f"A hook of {task_label(row)} {text}")
    given_up = [task_label(row) for row in rows if row.undo == "retained"]
    if given_up:
        why = "on request or by the model's policy"
        telling.say(f"What these tasks made is kept for good, {why}: {_listed(given_up)}.")
    skipped = {row.id: row for row in rows if row.undo == "skipped"}
    if skipped and instance.row.delete_id is None:
        for step in preview(instance, "delete"):
            if step.action != "retain":
                skipped.pop(int(step.task_id), None)
    if skipped:
        labels = [task_label(row) for row in skipped.values()]
        text = "Nothing undoes what these tasks may have made, since their stones cannot undo it"
        telling.say(f"{text}: {_listed(labels)}.")


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - MOST_TASKS} more" if len(labels) > MOST_TASKS else ""
    return ", ".join(labels[:MOST_TASKS]) + more
