"""What a batch does to each of its processes: what one call does to one, by the same words and the same refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ....models import TaskRow
from ....models.vocabulary import BatchAction
from ...authoring.definitions import Definition
from ...errors import Conflict
from ...instance.instance import Instance
from ...instance.notes.history import note
from ...ledger import ledger
from ...views.history import HistoryAction
from .. import checking
from . import migrating, repairing, rewinding, suspending, undo_requests


class Act(NamedTuple):
    """What is done to one process, and which options that takes."""

    apply: Callable[[Instance, Mapping[str, Any]], None]
    noted: HistoryAction | None
    """As what the history of the process tells of it; None where nothing is to be told."""
    options: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


def rewind_target(instance: Instance, element_id: str) -> TaskRow:
    """The last task at an element that is in force; raises Conflict where there is none."""
    tasks = instance.tasks.values()
    found = [row for row in tasks if row.node == element_id and row.kind == ledger.START and ledger.in_force(row)]
    if not found:
        text = f"Process {instance.number} has no task in force at {element_id[:80]!r}, so it cannot go back there."
        raise Conflict(text, code="rewind-refused", status=instance.row.status)
    return max(found, key=lambda row: row.id)


def _rewind(instance: Instance, options: Mapping[str, Any]) -> None:
    target = rewind_target(instance, options["element_id"])
    variables, parameters = options.get("variables", {}), options.get("parameters", {})
    rewinding.request_rewind(
        rewinding.find_way(instance, target.id),
        variables=variables,
        parameters=parameters,
        kept=(),
        version=version_in(instance, options),
    )


def version_in(instance: Instance, options: Mapping[str, Any]) -> tuple[Definition, Mapping[str, str]] | None:
    """On which version of the model a rewind begins again, if it is another one."""
    deployment_id = options.get("deployment_id")
    if deployment_id is None:
        return None
    return instance.facilities.definitions.get(deployment_id), options.get("mapping", {})


def _migrate(instance: Instance, options: Mapping[str, Any]) -> None:
    definition = instance.facilities.definitions.get(options["deployment_id"])
    migrating.migrate(instance, definition, options.get("mapping", {}))


def _cancel(instance: Instance, options: Mapping[str, Any]) -> None:
    undo_requests.request_cancel(instance, force=options.get("force", False))


def _delete(instance: Instance, options: Mapping[str, Any]) -> None:
    undo_requests.request_delete(instance, force=options.get("force", False), kept=())


def _retry(instance: Instance, options: Mapping[str, Any]) -> None:
    undo_requests.retry_failed(instance, options.get("element_id"), ())


def _suspend(instance: Instance, options: Mapping[str, Any]) -> None:
    if "key" in options:
        suspending.suspend_with_key(instance)
    else:
        suspending.suspend(instance, options.get("reason"), None)


def _unsuspend(instance: Instance, options: Mapping[str, Any]) -> None:
    if "key" in options:
        suspending.unsuspend_with_key(instance)
    else:
        suspending.unsuspend(instance)


ACTS: Final[Mapping[BatchAction, Act]] = {
    "cancel": Act(_cancel, "cancel", frozenset({"force"})),
    "delete": Act(_delete, "delete", frozenset({"force"})),
    "retry": Act(_retry, "retry", frozenset({"element_id"})),
    "rollback": Act(lambda instance, _: repairing.roll_back(instance), "roll-back"),
    "rewind": Act(
        _rewind,
        "rewind",
        frozenset({"element_id", "variables", "parameters", "deployment_id", "mapping"}),
        frozenset({"element_id"}),
    ),
    "migrate": Act(_migrate, "migrate", frozenset({"deployment_id", "mapping"}), frozenset({"deployment_id"})),
    "suspend": Act(_suspend, "suspend", frozenset({"reason"})),
    "unsuspend": Act(_unsuspend, "unsuspend"),
    # Which stone's is said by schedules alone.
    "check": Act(lambda instance, options: checking.check(instance, options.get("stone")), None),
    "retain": Act(lambda instance, _: undo_requests.give_up_failed(instance), "retry"),
}


def act_upon(instance: Instance, action: BatchAction, options: Mapping[str, Any], client: str) -> None:
    """Do it to one process, with that in its history; raises what the call for one process does."""
    act, changes = ACTS[action], instance.changes
    changes.who = client or None
    try:
        told = {
            "element": options.get("element_id"),
            "name": options.get("deployment_id"),
            "reason": options.get("reason"),
        }
        if act.noted is not None:
            note(instance, "action", action=act.noted, **told)
        act.apply(instance, options)
    finally:
        changes.who = None
