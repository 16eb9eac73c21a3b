"""The engine's calls for many processes at once: batches, how far they are, and why many have failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from ....models import BatchItemRow, BatchRecords, BatchRow, InstanceFilter, read_instances
from ....models.vocabulary import BatchAction, BatchResult, BatchState
from ... import jsontext
from ...errors import Conflict, UnknownBatch, UnknownProcessInstance
from ...operating.audit import present_call
from ...river.batches import Batches
from ...river.turn import Turn
from ...showing.lists.batches import show_batch, show_batch_item
from ...showing.why.reasons import Groups, reasons_of
from ...store_errors import engine_errors
from ...views.batches import Batch, BatchItem, BatchPreview
from ...views.failures import Reasons
from ...views.pages import Page, refuse_limit
from ..workings import cursor_of, row_before
from .batch_previews import MOST_SUMMED, BatchPreviews, most_looked_at
from .batch_requests import BatchRequests, check_rate


class BatchCalls(BatchRequests):
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
                whatever a failed undo has left.
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
            numbers = self._found(wanted)[::-1]
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
            numbers = self._found(wanted)
            most = most_looked_at(action)
            rows = read_instances(self._store, numbers[:most])
            looks = BatchPreviews(
                self._records, self._rehearsals, self._records_of_batches, self._facilities.definitions
            )
            groups, left_out = looks.groups(action, rows, options)
        return BatchPreview(
            action=action,
            processes=len(numbers),
            tasks=sum(group.tasks for group in groups) + left_out,
            groups=groups,
            left_out=left_out,
            partial=len(numbers) > most,
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
            rows = self._lists.found(wanted, most=MOST_SUMMED + 1)
            for row in rows[:MOST_SUMMED]:
                for reason in reasons_of(self._records, row):
                    groups.add(reason)
        told, left_out = groups.told()
        looked = min(len(rows), MOST_SUMMED)
        return Reasons(processes=looked, groups=told, left_out=left_out, partial=len(rows) > MOST_SUMMED)

    # -- looking

    def batches(self, *, limit: int = 50, cursor: str | None = None, owner: str | None = None) -> Page[Batch]:
        """Batches, newest first; raises Malformed for a cursor that is none."""
        refuse_limit(limit)
        with engine_errors():
            found = self._records_of_batches.batches(owner=owner, limit=limit + 1, before=cursor_of(cursor))
        last = found[limit - 1] if len(found) > limit else None
        return Page(
            items=tuple(map(show_batch, found[:limit])), cursor=None if last is None else f"{last.created}-{last.id}"
        )

    def batch_progress(self, batch_id: str, *, owner: str | None = None) -> Batch:
        """How far one batch is; raises UnknownBatch."""
        with engine_errors():
            return show_batch(self._batch_row(batch_id, owner))

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
        refuse_limit(limit)
        with engine_errors():
            self._batch_row(batch_id, owner)
            after = row_before(cursor) or 0
            found = self._records_of_batches.items(batch_id, result=result, limit=limit + 1, after=after)
            for row in found:
                row.reason = self._masked_reason(row)
        cursor = str(found[limit - 1].number) if len(found) > limit else None
        return Page(items=tuple(map(show_batch_item, found[:limit])), cursor=cursor)

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
                # Where it is stepped, and looked for after the commit.
                self._batches.note(batch_id)
            elif state == "stopped" and row.ended is None:
                changed.ended = self.clock.now()
            turn.changes.rare.batches.append(changed)
            return row

        self._pump.step(action)
        return self.batch_progress(batch_id, owner=owner)

    @property
    def _records_of_batches(self) -> BatchRecords:
        return self._batches.records

    def _batch_row(self, batch_id: str, owner: str | None, *, prepared: bool = True) -> BatchRow:
        row = self._records_of_batches.batch(batch_id)
        if row is None or (owner is not None and row.owner_name != owner) or (prepared and row.state == "preparing"):
            raise UnknownBatch(batch_id)
        return row
