"""The engine's calls about what has failed and stands still, in a process that pauses and in debug runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ... import jsontext
from ...authoring.definitions import Definition
from ...errors import Conflict, Invalid, UnknownProcessInstance, UnknownTask
from ...instance.instance import Instance
from ...river.turn import Turn
from ...steps.repair import migrating, repair_plans, repairing, retrying, rewinding, skipping, undo_requests
from ...steps.repair.rewind_request import RewindRequest
from ...store_errors import engine_errors
from ...views.failures import Failure
from ...views.processes import ProcessInstance
from ...views.tasks import Task
from ...views.undo import MigrationPlan, RepairAction, RepairPlan, RewindPlan
from ..workings import number_of
from .suspension import SuspensionCalls


class RepairCalls(SuspensionCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def failures(self, process_instance_id: str) -> list[Failure]:
        """What has failed in a process and stands still until somebody decides; raises UnknownProcessInstance."""
        with engine_errors():
            return self._records.failures(number_of(process_instance_id, UnknownProcessInstance))

    def retry(
        self, process_instance_id: str, *, element_id: str | None = None, retain: Sequence[str] = ()
    ) -> ProcessInstance:
        """Try again what has failed in a process and stands still, or what has at one element; or its failed undo.

        ``retain`` gives up tasks of a failed undo for ever. Raises UnknownProcessInstance, Conflict, Invalid.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        kept = [number_of(task_id, UnknownTask) for task_id in retain]

        def again(instance: Instance) -> None:
            undo_requests.retry_failed(instance, element_id, kept)

        self._asked("retry", number, again, element=element_id, retained=list(retain) or None)
        return self.get(process_instance_id)

    def rerun(self, task_id: str, parameters: Mapping[str, Any] | None = None, *, attempt: int | None = None) -> Task:
        """Run a failed task that stands still again, its parameters changed by those given.

        What the failed attempt has put out is rolled back before. With other parameters the attempt is rolled back in
        any case, and the next one has another key; if its stone has no ``rollback``, it stays in the ledger as it is,
        and a new task is returned in its place. With an ``attempt`` nothing is done unless it is the task's last one
        yet. Raises UnknownTask, Conflict (``attempt-changed``), Invalid.
        """
        number, values = number_of(task_id, UnknownTask), self._checked(parameters, "parameters")
        going_on = [number]

        def again(process: Instance) -> None:
            going_on[0] = retrying.rerun(process, number, values, attempt)

        self._asked("rerun", self._instance_of(number), again, task=number)
        return self.task(str(going_on[0]))

    def skip(self, task_id: str, *, attempt: int | None = None) -> Task:
        """Go on without a failed task that stands still; what its attempts may have made is rolled back before.

        With an ``attempt`` nothing is done unless it is the task's last one yet. Raises UnknownTask, Conflict
        (``attempt-changed``).
        """
        number = number_of(task_id, UnknownTask)
        instance_number = self._instance_of(number)
        self._asked("skip", instance_number, lambda process: skipping.skip_task(process, number, attempt), task=number)
        return self.task(task_id)

    def skip_element(self, process_instance_id: str, element_id: str) -> ProcessInstance:
        """The same for an element of the model, whether a stone was to do its work or not.

        Raises UnknownProcessInstance, Conflict, also for a gateway, which has to decide.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked("skip", number, lambda process: skipping.skip(process, element_id), element=element_id)
        return self.get(process_instance_id)

    def done_by_hand(
        self, task_id: str, outputs: Mapping[str, Any] | None = None, *, attempt: int | None = None
    ) -> Task:
        """Say that somebody has done a failed task's work, which counts as made from now on, with these outputs.

        A later undo calls the stone's hook with them. With an ``attempt`` nothing is done unless it is the task's last
        one yet. Raises UnknownTask, Conflict (``attempt-changed``), Invalid for outputs that the stone does not
        declare.
        """
        number, values = number_of(task_id, UnknownTask), self._checked(outputs, "outputs")
        instance_number = self._instance_of(number)
        self._asked(
            "done-by-hand",
            instance_number,
            lambda process: repairing.done_by_hand(process, number, values, attempt),
            task=number,
        )
        return self.task(task_id)

    def preview_repair(
        self,
        task_id: str,
        action: RepairAction,
        *,
        parameters: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        attempt: int | None = None,
    ) -> RepairPlan:
        """What :meth:`rerun`, :meth:`skip` or :meth:`done_by_hand` would do now; nothing is changed.

        It is refused as the call itself would be.

        Args:
            task_id: The failed task that stands still.
            action: ``retry``, ``skip`` or ``done-by-hand``.
            parameters: Of a retry: values that replace the task's.
            outputs: Of a work done by hand: what the stone would have put out.
            attempt: The task's last attempt, as it was seen.

        Raises:
            UnknownTask: For a task that there is none of.
            Conflict: For one that does not stand still after a failure, or that cannot be repaired so.
            Invalid: For another action, for values that do not belong to it (``repair-action``), and for values that
                its stone does not declare.
        """
        number = number_of(task_id, UnknownTask)
        given, made = self._checked(parameters, "parameters"), self._checked(outputs, "outputs")
        repair_plans.check_action(action, given, made)
        with engine_errors():
            return self._rehearsals.of(
                self._instance_of(number),
                lambda copy: repair_plans.plan_for_task(
                    copy, action, number, parameters=given, outputs=made, attempt=attempt
                ),
            )

    def preview_element_repair(
        self, process_instance_id: str, action: RepairAction, element_id: str | None = None
    ) -> RepairPlan:
        """What :meth:`retry` of all that has failed in a process, or :meth:`skip_element`, would do now.

        Nothing is changed, and it is refused as the call itself would be. Raises UnknownProcessInstance, Conflict,
        Invalid (``repair-action``: of all only a retry is shown, and what was done by hand is a task's).
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        repair_plans.check_action(action, {}, {})
        with engine_errors():
            return self._rehearsals.of(number, lambda copy: repair_plans.plan_for_element(copy, action, element_id))

    def resume(self, task_id: str) -> ProcessInstance:
        """Roll back the process that this failed task holds up, or the debug run that it belongs to.

        Raises UnknownTask, Conflict.
        """
        number = number_of(task_id, UnknownTask)
        instance_number = self._instance_of(number)
        self._asked("roll-back", instance_number, lambda process: repairing.resume(process, number), task=number)
        return self.get(str(instance_number))

    def roll_back(self, process_instance_id: str) -> ProcessInstance:
        """Roll back a process in which something has failed and stands still.

        Raises UnknownProcessInstance, Conflict.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked("roll-back", number, repairing.roll_back)
        return self.get(process_instance_id)

    def rewind(
        self,
        process_instance_id: str,
        to: str,
        *,
        variables: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        retain: Sequence[str] = (),
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> ProcessInstance:
        """Go back to a task: what came causally after it is rolled back, and then it begins again.

        Branches that do not follow from it go on. Variables return to what they were, and joins wait again.

        Args:
            to: The task's id.
            variables: Variables of the process, set before the task begins again.
            parameters: Values that the task is given in place of its own.
            retain: Tasks that no rollback can undo, as :meth:`preview_rewind` tells; what they made stays.
            deployment_id: Another version of the model, on which the task begins again. What does not follow from it
                is moved there in the same step, as by :meth:`migrate`; what is undone need not be there any more.
            mapping: By the id of an element, that of the element that takes its place in that version.

        Raises UnknownProcessInstance, UnknownTask, Conflict (``rewind-refused``, with the reason; ``hooks-run`` where
        hooks beside are in hand, for another version), UnknownDeployment, Invalid (``migration-invalid`` too).
        """
        number, task = number_of(process_instance_id, UnknownProcessInstance), number_of(to, UnknownTask)
        kept = [number_of(task_id, UnknownTask) for task_id in retain]
        values, given = self._checked(variables, "variables"), self._checked(parameters, "parameters")
        version = self._version(deployment_id, mapping)
        request = RewindRequest(task, kept)
        self._asked(
            "rewind",
            number,
            lambda process: request.go_back(process, variables=values, parameters=given, version=version),
            of_all=lambda process: process.row.phase in ("running", "paused"),
            prepare=request.prepare,
            task=task,
            name=deployment_id,
            retained=list(retain) or None,
        )
        return self.get(process_instance_id)

    def preview_rewind(
        self,
        process_instance_id: str,
        to: str,
        *,
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
    ) -> RewindPlan:
        """What :meth:`rewind` would do now; nothing is changed.

        With another version of the model the plan tells what is moved there. What stands against that is among its
        findings, and not refused.

        Raises UnknownProcessInstance, UnknownTask, UnknownDeployment, Conflict (``rewind-refused``, with the reason),
        Invalid (``migration-invalid`` for what no version of this process can be).
        """
        number, task = number_of(process_instance_id, UnknownProcessInstance), number_of(to, UnknownTask)
        version = self._version(deployment_id, mapping)
        if version is not None:
            with engine_errors():
                return self._rehearsals.of(
                    number,
                    lambda copy: self._rehearsals.masked_plan(copy, rewinding.preview_rewind(copy, task, version)),
                )

        def action(turn: Turn) -> RewindPlan:
            instance = turn.instance(number)
            return self._rehearsals.masked_plan(instance, rewinding.preview_rewind(instance, task))

        plan: RewindPlan = self._pump.step(action)
        return plan

    def _version(
        self, deployment_id: str | None, mapping: Mapping[str, str] | None
    ) -> tuple[Definition, Mapping[str, str]] | None:
        """The version on which something begins again, with where its elements are there; raises Invalid."""
        moved = self._mapping(mapping)
        if deployment_id is None and moved:
            text = "A mapping of elements needs a deployment_id: name the version that they are mapped to."
            raise Invalid(text, code="migration-invalid", errors={"deploymentId": [text]})
        if deployment_id is None:
            return None
        with engine_errors():
            return self._facilities.definitions.get(deployment_id), moved

    def migrate(
        self,
        process_instance_id: str,
        deployment_id: str,
        *,
        mapping: Mapping[str, str] | None = None,
        timeout: float = 0.0,
    ) -> ProcessInstance:
        """Move what a process stands on to another version of its model, and let it go on there.

        Tokens go to the elements of the same ids, or as the ``mapping`` of ids says; a timer keeps its time where it
        is written the same. What was made, and how it is undone, stays as it is. It can be moved back in the same way.

        Args:
            deployment_id: The other version.
            mapping: By the id of an element, that of the element that takes its place.
            timeout: Seconds to wait for hooks that are in hand, which come to their end first.

        Raises UnknownProcessInstance, UnknownDeployment, Invalid (``migration-invalid``, with what is wrong by
        element; nothing is changed), Conflict (``hooks-run`` after the timeout).
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        given = self._mapping(mapping)
        with engine_errors():
            definition = self._facilities.definitions.get(deployment_id)
        until = time.monotonic() + timeout
        while True:
            try:
                self._asked(
                    "migrate", number, lambda process: migrating.migrate(process, definition, given), name=deployment_id
                )
                return self.get(process_instance_id)
            except Conflict as error:
                if error.code != "hooks-run" or time.monotonic() >= until:
                    raise
            time.sleep(0.05)

    def plan_migration(
        self, process_instance_id: str, deployment_id: str, *, mapping: Mapping[str, str] | None = None
    ) -> MigrationPlan:
        """What :meth:`migrate` would do now, and what stands against it; nothing is changed.

        Raises UnknownProcessInstance, UnknownDeployment, Invalid, Conflict.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        given = self._mapping(mapping)
        with engine_errors():
            definition = self._facilities.definitions.get(deployment_id)
            return self._rehearsals.of(number, lambda copy: migrating.rehearse(copy, definition, given))

    def _mapping(self, mapping: Mapping[str, str] | None) -> dict[str, str]:
        found = self._checked(mapping, "mapping")
        wrong = {name: ["Has to be the id of an element."] for name, to in found.items() if not isinstance(to, str)}
        if wrong:
            raise Invalid("The mapping is from ids of elements to ids.", code="migration-invalid", errors=wrong)
        return found

    def set_variables(
        self, process_instance_id: str, variables: Mapping[str, Any], *, task_id: str | None = None
    ) -> ProcessInstance:
        """Set variables of a process that has not ended; with a ``task_id`` as they are seen from that task.

        Raises UnknownProcessInstance, UnknownTask, Conflict, Invalid for values that the parameter template refuses.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        task = None if task_id is None else number_of(task_id, UnknownTask)
        values = self._checked(variables, "variables")
        self._asked("set-variables", number, lambda process: repairing.set_variables(process, values, task), task=task)
        return self.get(process_instance_id)

    def _checked(self, values: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
        found = dict(values or {})
        jsontext.check(found, limits=self.limits, name=name)
        return found
