"""The engine's calls for many processes at once: batches, what they would do, and why many have failed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from ...models import BatchItemRow, BatchRecords, BatchRow, InstanceFilter, InstanceRow
from ...models.vocabulary import BatchAction, BatchResult, BatchState
from .. import jsontext
from ..clock import moment
from ..errors import Conflict, Invalid, RiverstoneError, UnknownBatch, UnknownProcessInstance
from ..instance.ledger import DONE_WITH
from ..mask import MASKED
from ..operating.audit import present_call
from ..river.batches import Batches
from ..river.turn import Turn
from ..showing.reasons import Groups, Reason, largest, reasons_of, shown
from ..steps.repair import migrating, rewinding, suspending
from ..steps.repair.batching import ACTS, rewind_target, version_in
from ..store_errors import engine_errors
from ..views.batches import Batch, BatchItem, BatchPreview
from ..views.failures import ReasonGroup, Reasons
from ..views.pages import Page
from .processes import ProcessCalls
from .repairs import RepairCalls
from .workings import cursor_of, row_before

MOST_SUMMED = 10_000
"""Process instances that a summary looks into."""
MOST_LOADED = 500
"""Those of a rewind or a migration, each of which is loaded to be looked at."""
SEARCHED = frozenset(inspect.signature(ProcessCalls.search).parameters) - {"self", "limit", "cursor", "sort", "owner"}
FASTEST, SLOWEST = 10_000.0, 0.001


class BatchCalls(RepairCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    _batches: Batches

    def batch(
        self,
        action: BatchAction,
        where: Mapping[str, Any],
        *,
        rate: float | None = None,
        force: bool = False,
        element_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
        reason: str | None = None,
        owner: str | None = None,
    ) -> Batch:
        """Do the same to many processes, one after the other, the longest known first.

        Which these are is settled when it returns. It goes on by itself, after a restart too, and what refuses is told
        for each process by :meth:`batch_items`.

        Args:
            action: ``cancel``, ``delete``, ``retry`` (what stands still after a failure, or a failed undo),
                ``rollback``, ``rewind`` (to the last task at ``element_id``), ``migrate`` (to ``deployment_id``),
                ``suspend``, ``unsuspend``, ``check`` (see the call of that name), or ``retain``: give up for ever
                whatever a failed undo could not take back.
            where: What the processes must have, by the arguments of :meth:`search`; at least one of them.
            rate: The most processes a second, from 0.001 to 10,000.
            force: Of a cancel and a delete.
            element_id: Where a rewind goes back to, or the only element that is tried again.
            variables: Of a rewind: variables of the process, set before its task begins again.
            parameters: Of a rewind: values that the task is given in place of its own.
            deployment_id: Of a migration: the other version. Of a rewind: that on which its task begins again.
            mapping: Of both: by the id of an element, that of the one that takes its place there.
            reason: Of a suspension: why, at most 1,000 characters.

        Raises:
            UnknownDeployment: For another version that there is none of.
            Invalid: For options that the action does not take, for a filter that asks for nothing
                (``batch-unfiltered``) or finds nothing (``batch-empty``), and for more processes than the limit
                ``batch_processes`` (``batch-too-large``).
        """
        options = self._options(
            action,
            force=force,
            element_id=element_id,
            variables=variables,
            parameters=parameters,
            deployment_id=deployment_id,
            mapping=mapping,
            reason=reason,
        )
        check_rate(rate)
        wanted, searched = self._searched_for(where, owner)
        return self._begin_batch(action, options, wanted, searched, rate=rate, owner=owner)

    def _begin_batch(
        self,
        action: BatchAction,
        options: Mapping[str, Any],
        wanted: InstanceFilter,
        searched: Mapping[str, Any],
        *,
        rate: float | None = None,
        owner: str | None = None,
        who: str | None = None,
    ) -> Batch:
        """Settle which processes it is about, and let it begin; raises Invalid where there are none, or too many."""
        with engine_errors():
            numbers = [each.process_instance_id for each in reversed(self._found(wanted))]
            call = present_call()
            client = (who or ("" if call is None else call.who))[:255]
            batch_id = self._prepare(action, options, searched, numbers, client=client, owner=owner, rate=rate)
        return self._change(batch_id, owner, "running", ("preparing",))

    def _prepare(
        self,
        action: BatchAction,
        options: Mapping[str, Any],
        searched: Mapping[str, Any],
        numbers: Sequence[int],
        *,
        client: str,
        owner: str | None,
        rate: float | None,
    ) -> str:
        """Write which processes a batch is about; its id. Raises StoreError."""
        row = BatchRow(
            id=str(uuid4()),
            action=action,
            options=jsontext.dumps(dict(options)),
            searched=jsontext.dumps(dict(searched)),
            state="preparing",
            total=len(numbers),
            created=self.clock.now(),
            client=client,
            owner_name=owner,
            rate=rate,
        )
        self._records_of_batches.write(row, numbers)
        return row.id

    def preview_batch(
        self,
        action: BatchAction,
        where: Mapping[str, Any],
        *,
        force: bool = False,
        element_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        deployment_id: str | None = None,
        mapping: Mapping[str, str] | None = None,
        reason: str | None = None,
        owner: str | None = None,
    ) -> BatchPreview:
        """What such a :meth:`batch` would do now; nothing is changed. Raises Invalid."""
        options = self._options(
            action,
            force=force,
            element_id=element_id,
            variables=variables,
            parameters=parameters,
            deployment_id=deployment_id,
            mapping=mapping,
            reason=reason,
        )
        wanted, _ = self._searched_for(where, owner)
        with engine_errors():
            rows = self._found(wanted)
            most = MOST_LOADED if action in ("rewind", "migrate") else MOST_SUMMED
            groups, left_out = self._groups(action, rows[:most], options)
        return BatchPreview(
            action=action,
            processes=len(rows),
            tasks=sum(group.tasks for group in groups) + left_out,
            groups=groups,
            left_out=left_out,
            partial=len(rows) > most,
        )

    def failures_by_reason(self, where: Mapping[str, Any] | None = None, *, owner: str | None = None) -> Reasons:
        """Why the processes that a search finds have failed: by element, stone and reason, the commonest first.

        Reasons that differ in numbers and ids alone are one. At most 10,000 processes are looked at, the newest, and
        100 groups told of. ``where`` are arguments of :meth:`search`; without any all that need somebody are meant.
        Raises Invalid.
        """
        wanted, _ = self._searched_for(where or {"state": "attention"}, owner, narrowed=False)
        groups = Groups()
        with engine_errors():
            rows = self._records.found(wanted, most=MOST_SUMMED + 1)
            for row in rows[:MOST_SUMMED]:
                for reason in reasons_of(self._records, row):
                    groups.add(reason)
        told, left_out = groups.told()
        looked = min(len(rows), MOST_SUMMED)
        return Reasons(processes=looked, groups=told, left_out=left_out, partial=len(rows) > MOST_SUMMED)

    # -- looking

    def batches(self, *, limit: int = 50, cursor: str | None = None, owner: str | None = None) -> Page[Batch]:
        """Batches, newest first; raises Malformed for a cursor that is none."""
        with engine_errors():
            found = self._records_of_batches.batches(owner=owner, limit=limit + 1, before=cursor_of(cursor))
        last = found[limit - 1] if len(found) > limit else None
        return Page(
            items=tuple(map(_view, found[:limit])), cursor=None if last is None else f"{last.created}-{last.id}"
        )

    def batch_progress(self, batch_id: str, *, owner: str | None = None) -> Batch:
        """How far one batch is; raises UnknownBatch."""
        with engine_errors():
            return _view(self._batch_row(batch_id, owner))

    def batch_items(
        self,
        batch_id: str,
        *,
        result: BatchResult | None = None,
        limit: int = 50,
        cursor: str | None = None,
        owner: str | None = None,
    ) -> Page[BatchItem]:
        """What came of each process of a batch, in its order; raises UnknownBatch, Malformed for a wrong cursor."""
        with engine_errors():
            self._batch_row(batch_id, owner)
            after = row_before(cursor) or 0
            found = self._records_of_batches.items(batch_id, result=result, limit=limit + 1, after=after)
            for row in found:
                row.reason = self._masked_reason(row)
        cursor = str(found[limit - 1].number) if len(found) > limit else None
        return Page(items=tuple(map(_item, found[:limit])), cursor=cursor)

    def _masked_reason(self, row: BatchItemRow) -> str | None:
        if row.reason is None:
            return None
        try:
            mask = self._records.mask(row.process_instance_id)
        except UnknownProcessInstance:
            return row.reason
        return row.reason if mask is None else mask.mask_text(row.reason)

    # -- steering

    def pause_batch(self, batch_id: str, *, owner: str | None = None) -> Batch:
        """Let a batch do nothing more for now; raises UnknownBatch, Conflict."""
        return self._change(batch_id, owner, "paused", ("running", "paused"))

    def resume_batch(self, batch_id: str, *, rate: float | None = None, owner: str | None = None) -> Batch:
        """Let a paused batch go on, at another ``rate`` if one is given; raises UnknownBatch, Conflict, Invalid."""
        check_rate(rate)
        return self._change(batch_id, owner, "running", ("paused", "running"), rate)

    def stop_batch(self, batch_id: str, *, owner: str | None = None) -> Batch:
        """End a batch before its end: what it has done stays done. Raises UnknownBatch, Conflict."""
        return self._change(batch_id, owner, "stopped", ("running", "paused", "stopped"))

    def _change(
        self,
        batch_id: str,
        owner: str | None,
        state: BatchState,
        allowed: tuple[BatchState, ...],
        rate: float | None = None,
    ) -> Batch:
        def action(turn: Turn) -> BatchRow:
            row = self._batch_row(batch_id, owner, prepared="preparing" not in allowed)
            if row.state not in allowed:
                what = "resumed" if state == "running" else state
                text = f"The batch {batch_id} has the state {row.state!r}, so it cannot be {what} any more."
                raise Conflict(text, code="batch-over", status=row.state)
            changed = replace(row, state=state, engine=None, rate=row.rate if rate is None else rate)
            if state == "running":
                changed.due = self.clock.now()
            elif state == "stopped" and row.ended is None:
                changed.ended = self.clock.now()
            turn.changes.batches.append(changed)
            return row

        if state == "running" and self._pump.inline is not None:
            # It works at it in this very call.
            self._batches.note(batch_id)
        self._pump.step(action)
        if state == "running" and self._pump.inline is None:
            self._batches.note(batch_id)
            self._river.inbox.wake()
        return self.batch_progress(batch_id, owner=owner)

    # -- what is asked for

    @property
    def _records_of_batches(self) -> BatchRecords:
        return self._batches.records

    def _batch_row(self, batch_id: str, owner: str | None, *, prepared: bool = True) -> BatchRow:
        row = self._records_of_batches.batch(batch_id)
        if row is None or (owner is not None and row.owner_name != owner) or (prepared and row.state == "preparing"):
            raise UnknownBatch(batch_id)
        return row

    def _found(self, wanted: InstanceFilter) -> list[InstanceRow]:
        most = self.limits.batch_processes
        rows = self._records.found(wanted, most=most + 1)
        if not rows:
            raise Invalid("No process is found by this, so there is nothing to do.", code="batch-empty")
        if len(rows) > most:
            text = f"More than {most} processes are found (limit batch_processes): search for fewer."
            raise Invalid(text, code="batch-too-large")
        return rows

    def _options(self, action: BatchAction, **given: Any) -> dict[str, Any]:
        act = ACTS.get(action)
        if act is None:
            text = f"{str(action)[:50]!r} is nothing that a batch does: use {', '.join(ACTS)}."
            raise Invalid(text, code="batch-action", errors={"action": [text]})
        options = {name: value for name, value in given.items() if value not in (None, False, {})}
        wrong = {name: [f"Is no option of {action}."] for name in options if name not in act.options}
        wrong |= {name: [f"Is needed for {action}."] for name in act.required if not options.get(name)}
        if wrong:
            raise Invalid(f"Some options do not fit {action}: {', '.join(wrong)}.", code="batch-options", errors=wrong)
        for name in ("variables", "parameters"):
            if name in options:
                options[name] = self._checked(options[name], name)
        if "reason" in options:
            suspending.check_reason(options["reason"])
        if "mapping" in act.options:
            # Where there is none of that id, nothing begins.
            version = self._version(options.get("deployment_id"), options.get("mapping"))
            if version is not None:
                options["mapping"] = version[1]
        return options

    def _searched_for(
        self, where: Mapping[str, Any], owner: str | None, *, narrowed: bool = True
    ) -> tuple[InstanceFilter, dict[str, Any]]:
        """The filter, and what it was made of as JSON; undos are told apart from what they undo by default."""
        unknown = sorted(set(where) - SEARCHED)
        if unknown:
            errors = {name: ["Is nothing to search for."] for name in unknown}
            raise Invalid(f"{unknown[0][:50]!r} is nothing to search for.", code="batch-filter", errors=errors)
        given = {name: value for name, value in where.items() if value not in (None, "", (), [], {})}
        if narrowed and not set(given) - {"kind"}:
            text = "This would be every process: say which ones, for example by their state."
            raise Invalid(text, code="batch-unfiltered")
        wanted = self._wanted(owner=owner, **{"kind": "start", **given})
        return wanted, {name: _plain(value) for name, value in given.items()}

    # -- what a batch would do

    def _groups(
        self, action: BatchAction, rows: list[InstanceRow], options: Mapping[str, Any]
    ) -> tuple[tuple[ReasonGroup, ...], int]:
        if action in ("cancel", "delete", "rollback"):
            numbers = [row.process_instance_id for row in rows]
            return largest(shown(self._records_of_batches.to_undo(numbers, tuple(DONE_WITH))))
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
        """What a rewind of one process would take back; or why it would be refused."""
        number = row.process_instance_id
        try:
            instance = self._records.copy(number)
            target = rewind_target(instance, options["element_id"])
            plan = rewinding.preview_rewind(instance, target.id, version_in(instance, options))
        except RiverstoneError as error:
            return [Reason(number, options["element_id"], None, error.message)]
        if plan.migration is not None and plan.migration.findings:
            return [Reason(number, element, None, text) for element, text in plan.migration.findings.items()]
        tasks = [instance.tasks[int(step.task_id)] for step in plan.steps]
        return [Reason(number, task.node, task.stone, "") for task in tasks]

    def _migrated(self, row: InstanceRow, options: Mapping[str, Any]) -> list[Reason]:
        """What a migration of one process would move; or what stands against it."""
        number = row.process_instance_id
        try:
            definition = self._facilities.definitions.get(options["deployment_id"])
            plan = migrating.rehearse(self._records.copy(number), definition, options["mapping"])
        except RiverstoneError as error:
            return [Reason(number, "", None, error.message)]
        if plan.findings:
            return [Reason(number, element, None, text) for element, text in plan.findings.items()]
        # Not the process itself, in which all of it is.
        return [Reason(number, element, None, "") for element in plan.moves if element != row.key]


def check_rate(rate: Any) -> None:
    """Raise Invalid for what is no number of processes a second."""
    if rate is None:
        return
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not SLOWEST <= rate <= FASTEST:
        text = f"The rate is not a number of processes a second from {SLOWEST:g} to {FASTEST:g}."
        raise Invalid(text, code="batch-rate", errors={"rate": [text]})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, (tuple, list)) else value


def _view(row: BatchRow) -> Batch:
    return Batch(
        batch_id=row.id,
        action=row.action,
        options={name: _hidden(name, value) for name, value in jsontext.read(row.options).items()},
        where=jsontext.read(row.searched),
        state=row.state,
        total=row.total,
        done=row.done,
        refused=row.refused,
        rate=row.rate,
        created=moment(row.created),
        ended=moment(row.ended),
        client=row.client or None,
        owner=row.owner_name,
    )


def _hidden(name: str, value: Any) -> Any:
    """An option as it is shown: any of the values may be a secret of one of the processes."""
    return dict.fromkeys(value, MASKED) if name in ("variables", "parameters") else value


def _item(row: BatchItemRow) -> BatchItem:
    return BatchItem(
        process_instance_id=str(row.process_instance_id),
        result=row.result,
        code=row.code,
        reason=row.reason,
        ended=moment(row.ended),
    )
