"""What a batch would do to the processes that it is about, by element, stone and reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....models import BatchRecords, InstanceRow, TaskRow
from ....models.vocabulary import BatchAction
from ...authoring.definitions import Definitions
from ...errors import RiverstoneError
from ...instance.instance import Instance
from ...ledger.ledger import DONE_WITH
from ...showing.records import Records
from ...showing.rehearsals import Rehearsals
from ...showing.why.reasons import Groups, Reason, largest, reasons_of, shown
from ...steps.repair import migrating, rewinding
from ...steps.repair.batching import rewind_target, version_in
from ...views.failures import ReasonGroup
from ...views.undo import RewindPlan

MOST_SUMMED = 10_000
"""Process instances that a summary looks into."""
MOST_LOADED = 500
"""Those of a rewind or a migration, each of which is loaded to be looked at."""


def most_looked_at(action: BatchAction) -> int:
    """How many process instances a preview of this looks into."""
    return MOST_LOADED if action in ("rewind", "migrate") else MOST_SUMMED


class BatchPreviews:
    """Looks at one process after another, and changes none."""

    def __init__(
        self, records: Records, rehearsals: Rehearsals, batches: BatchRecords, definitions: Definitions
    ) -> None:
        self._records = records
        self._rehearsals = rehearsals
        self._batches = batches
        self._definitions = definitions

    def groups(
        self, action: BatchAction, rows: Sequence[InstanceRow], options: Mapping[str, Any]
    ) -> tuple[tuple[ReasonGroup, ...], int]:
        if action in ("cancel", "delete", "rollback"):
            numbers = [row.process_instance_id for row in rows]
            return largest(shown(self._batches.to_undo(numbers, tuple(DONE_WITH))))
        groups = Groups()
        if action in ("suspend", "unsuspend", "check"):
            # It is about processes as a whole, and no task of theirs.
            return groups.told()
        looks = {"rewind": self._rewound, "migrate": self._migrated}
        look = looks.get(action, self._standing)
        for row in rows:
            for reason in look(row, options):
                groups.add(reason)
        return groups.told()

    def _standing(self, row: InstanceRow, options: Mapping[str, Any]) -> list[Reason]:
        """What stands still in one process, at the one element if it is about that."""
        element = options.get("element_id")
        found = reasons_of(self._records, row, standing=True)
        return [reason for reason in found if element in (None, reason.element_id)]

    def _rewound(self, row: InstanceRow, options: Mapping[str, Any]) -> list[Reason]:
        """What a rewind of one process would undo; or why it would be refused."""
        number = row.process_instance_id

        def plan_of(instance: Instance) -> tuple[RewindPlan, list[TaskRow]]:
            target = rewind_target(instance, options["element_id"])
            plan = rewinding.preview_rewind(instance, target.id, version_in(instance, options))
            return plan, [instance.tasks[int(step.task_id)] for step in plan.steps]

        try:
            plan, tasks = self._rehearsals.of(number, plan_of)
        except RiverstoneError as error:
            return [Reason(number, options["element_id"], None, error.message)]
        if plan.migration is not None and plan.migration.findings:
            return [Reason(number, element, None, text) for element, text in plan.migration.findings.items()]
        return [Reason(number, task.node, task.stone, "") for task in tasks]

    def _migrated(self, row: InstanceRow, options: Mapping[str, Any]) -> list[Reason]:
        """What a migration of one process would move; or what stands against it."""
        number = row.process_instance_id
        try:
            definition = self._definitions.get(options["deployment_id"])
            plan = self._rehearsals.of(number, lambda copy: migrating.rehearse(copy, definition, options["mapping"]))
        except RiverstoneError as error:
            return [Reason(number, "", None, error.message)]
        if plan.findings:
            return [Reason(number, element, None, text) for element, text in plan.findings.items()]
        # Not the process itself, in which all of it is.
        return [Reason(number, element, None, "") for element in plan.moves if element != row.key]
