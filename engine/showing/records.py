"""Reading what the store holds of one process and its tasks, as it may be shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from typing import Any, TypeVar

from ...models import ContentRow, DecisionMadeRow, InstanceRow, PutOut, RecordRow, SummaryRow, TaskRow
from ...models.databases.statements import parts
from ...models.search.resources import DriftRow, ResourceRow
from ..authoring.sources import texts_of
from ..errors import UnknownProcessInstance, UnknownTask
from ..instance.facilities import Facilities
from ..instance.flags import Flags
from ..instance.notes.variables import read as read_variables
from ..instance.resting import Rested, at_rest
from ..ledger.ledger import needs_somebody
from ..ledger.secrets import may_hide_variables
from ..ledger.window import Window
from ..mask import Mask
from ..undo.creation import undo_ids
from ..undo.file import sources_of
from ..views.decisions import DecisionMade
from ..views.failures import Failure
from ..views.history import HistoryEntry
from ..views.pages import Page
from ..views.processes import Need, ProcessInstance, Situation, Token
from ..views.resources import Resource, ResourceDrift
from ..views.tasks import Task, TaskCount, TaskState
from . import masked_views
from .lists.awaited import awaited_of

DECISIONS_AT_ONCE = 1_000
"""How many decisions of a process are read at once for its history."""
WITH_VARIABLES = 25
"""How many records are read at once with their variables, which may be large."""
TASKS_AT_ONCE = 1_000
"""How many rows of a long ledger are read at once."""
Row = TypeVar("Row", TaskRow, PutOut)
UNDONE = ("rollback.success", "cancel.success", "delete.success")


class Records:
    """Shows what is durable: what the store holds, or what was just committed."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self.store = facilities.store
        self.stones = facilities.stones

    def rows(self, number: int) -> tuple[InstanceRow, ContentRow]:
        """One instance as it is stored; raises UnknownProcessInstance."""
        found = self.store.record(number)
        if found is None:
            raise UnknownProcessInstance(str(number))
        return found

    def mask(self, number: int) -> Mask | None:
        """What hides the secrets of one instance; raises UnknownProcessInstance.

        It is asked for when all was read that is to be shown: a secret that came since would be shown.
        """
        return self._mask_of(*self.rows(number))

    def _mask_of(self, row: InstanceRow, content: ContentRow) -> Mask | None:
        # An undo shows what its origin was started with, so it hides the same secrets.
        if row.origin is not None:
            return self.mask(row.origin)
        definition = self.facilities.definitions.get(row.deployment_id)
        # Most processes have no secret tasks, and their record is shown without reading all of these.
        tasks = self._in_parts(self.store.some_tasks, row.process_instance_id) if row.flags & Flags.SECRETS else ()
        return masked_views.mask_for(definition, content, tasks, self.stones)

    def _show(
        self, row: InstanceRow, content: ContentRow, window: Window | None, tasks: Iterable[TaskRow] | None = None
    ) -> ProcessInstance:
        """The record of one, with the ``window`` on its ledger if that is long."""
        number = row.process_instance_id
        outputs = self._put_out(row, window) if tasks is None else masked_views.outputs_of(tasks, self.stones)
        kept = self.kept([row]).get(number, 0)
        waits_for = awaited_of(self.store, [row], None if window is None else window.open_rows()).get(number, ())
        if (tasks is not None and row.phase == "ended") or not (outputs or waits_for):
            # All that is shown is of one state.
            mask = self._mask_of(row, content)
        else:
            row, content, mask = self._masked(row, content)
        return masked_views.show_instance(row, content, outputs, mask, kept=kept, waits_for=waits_for)

    def _masked(self, row: InstanceRow, content: ContentRow) -> tuple[InstanceRow, ContentRow, Mask | None]:
        """One that was read before, with what hides the secrets in all that was read of it since."""
        number, found = row.process_instance_id, dict[int, tuple[InstanceRow, ContentRow]]()
        masks = self.masks([row], found)
        if number not in masks:
            raise UnknownProcessInstance(str(number))
        return *found.get(number, (row, content)), masks[number]

    def _put_out(self, row: InstanceRow | RecordRow, window: Window | None) -> dict[str, Any]:
        """What one has put out, by namespace: of a long ledger by its fold, in which there may be no secrets."""
        if window is None:
            return self.put_out([row]).get(row.process_instance_id, {})
        number = row.process_instance_id
        if not row.flags & Flags.SECRETS and not self.stones.have_secret_outputs:
            outputs = masked_views.outputs_of(window.here(), self.stones, window.fold)
            # A secret may have come since the row was read.
            if self.store.without_flag([number], Flags.SECRETS):
                return outputs
        return masked_views.outputs_of(self._in_parts(self.store.outputs_after, number), self.stones)

    def put_out(self, rows: Collection[InstanceRow | RecordRow]) -> dict[int, dict[str, Any]]:
        """The same of several, at most 500, by their ids; each long ledger is looked at by itself."""
        long = [row for row in rows if row.folded]
        short = [row.process_instance_id for row in rows if not row.folded]
        found = self.store.outputs_of(short) if short else {}
        shown = {number: masked_views.outputs_of(told, self.stones) for number, told in found.items()}
        return shown | {row.process_instance_id: self._put_out(row, self._window(row)) for row in long}

    @staticmethod
    def _in_parts(read: Callable[[int, int, int], list[Row]], number: int) -> Iterator[Row]:
        """The rows of one ledger, oldest first; others get the interpreter between two parts."""
        last = 0
        while True:
            part = read(number, last, TASKS_AT_ONCE)
            yield from part
            if len(part) < TASKS_AT_ONCE:
                return
            last = part[-1].id
            time.sleep(0)

    def _window(self, row: InstanceRow | RecordRow) -> Window | None:
        """What steps need of a long ledger; None for any other."""
        return Window.open(self.store, row.process_instance_id, row.folded) if row.folded else None

    def kept(self, rows: Iterable[InstanceRow | SummaryRow]) -> Mapping[int, int]:
        """How many results each of these keeps although it was undone; nothing is asked for those that were not."""
        return self.store.kept_counts([row.process_instance_id for row in rows if row.status in UNDONE])

    def instance(self, number: int) -> ProcessInstance:
        """One record; raises UnknownProcessInstance."""
        row, content = self.rows(number)
        return self._show(row, content, self._window(row))

    def situation(self, number: int) -> Situation:
        """One record, and whether anything is still to be waited for; raises UnknownProcessInstance."""
        row, content = self.rows(number)
        # By the row that is shown; what is read after it may be newer, and is then told of as another change.
        mark, window = self.store.revision_mark(row), self._window(row)
        return Situation(instance=self._show(row, content, window), mark=mark, need=self._need(row, window))

    def situation_at_end(self, number: int, ended: Rested | None) -> tuple[Situation | None, str]:
        """The same of one that has ended or needs somebody, None of any other, which is not shown; and its mark.

        ``ended`` is what was just committed. Raises UnknownProcessInstance.
        """
        row, content, tasks = ended if ended is not None else (*self.rows(number), None)
        mark, window = self.store.revision_mark(row), self._window(row)
        need = self._need(row, window)
        if need is None:
            return None, mark
        return Situation(instance=self._show(row, content, window, tasks), mark=mark, need=need), mark

    def _need(self, row: InstanceRow, window: Window | None) -> Need | None:
        if at_rest(row):
            return "ended" if row.phase == "ended" else "paused"
        return "person" if self._needs_somebody(row, window) else None

    def _needs_somebody(self, row: InstanceRow, window: Window | None) -> bool:
        undos = undo_ids(row).values()
        if window is None:
            return self.store.needs_somebody([row.process_instance_id, *undos])
        return any(map(needs_somebody, window.open_rows())) or (bool(undos) and self.store.needs_somebody([*undos]))

    def variables(self, number: int) -> dict[str, Any]:
        """The variables of one instance; raises UnknownProcessInstance."""
        row, content = self.rows(number)
        found = read_variables(content)
        mask = self._mask_of(row, content)
        return found if mask is None else dict(mask.mask_value(found))

    def at_rest(self, number: int) -> Rested | None:
        """One instance if nothing goes on in it; raises UnknownProcessInstance."""
        row, content = self.rows(number)
        return Rested(row, content) if at_rest(row) else None

    def rested(self, instance: Rested) -> ProcessInstance:
        """The record of an instance that has come to rest."""
        return self._show(instance.row, instance.content, self._window(instance.row), instance.tasks)

    def tokens(self, number: int) -> list[Token]:
        """Where one instance stands, beside its open tasks; raises UnknownProcessInstance."""
        row, _ = self.rows(number)
        tokens, waits, tasks = self.store.tokens(number), self.store.waits(number), self.store.tasks(number)
        mask = self.mask(number)
        return [*masked_views.show_tokens(tokens, waits, tasks, mask), *masked_views.show_failed(row)]

    def failures(self, number: int) -> list[Failure]:
        """What has failed in one instance and stands still; raises UnknownProcessInstance."""
        row, _ = self.rows(number)
        if not row.attention:
            return []
        tasks = {task.id: task for task in self.store.tasks(number)}
        tokens, waits = self.store.tokens(number), self.store.waits(number)
        return masked_views.show_failures(tokens, waits, tasks, self.mask(number))

    def sources(self, number: int) -> tuple[str, ...]:
        """The BPMN files that one instance runs; raises UnknownProcessInstance."""
        row, _ = self.rows(number)
        deployment = self.store.catalogue.deployment(row.deployment_id)
        return texts_of(sources_of(self.store, deployment)) if deployment is not None else ()

    def tasks(
        self,
        number: int,
        *,
        after: int = 0,
        limit: int | None = None,
        element_id: str | None = None,
        state: TaskState | None = None,
    ) -> list[Task]:
        """The tasks of one instance ``after`` one, oldest first; raises UnknownProcessInstance."""
        running = self.facilities.dispatcher.running
        whole = limit is None and not after and element_id is None and state is None
        rows = self.store.tasks(number) if whole else self.store.some_tasks(number, after, limit, element_id, state)
        ledger = {row.id: row for row in rows}
        if not whole:
            # Of many that followed the same, one says what that was.
            named = {int(row.after) for row in rows if row.after and row.after[0] != "["} - ledger.keys()
            ledger.update((row.id, row) for each in named if (row := self.store.task(each)) is not None)
        followed, mask = masked_views.Followed(ledger), self.mask(number)
        return [
            masked_views.show_task(row, self.stones, mask, followed, running=bool(row.open) and running(row.id))
            for row in rows
        ]

    def task_counts(self, number: int) -> list[TaskCount]:
        """The tasks of one instance, counted by element and state; raises UnknownProcessInstance."""
        from .lists.task_counts import count_tasks  # late, since few programs are asked this

        return count_tasks(self.store, number, lambda: self.mask(number), self.facilities.dispatcher.running)

    def resources(self, rows: Sequence[ResourceRow]) -> Iterator[Resource]:
        """What exists by the ledger, as it may be shown; that of processes that were purged since is left out."""
        masks = self._masks(row.instance.process_instance_id for row in rows)
        for row in rows:
            number = row.instance.process_instance_id
            if number in masks:
                yield masked_views.show_resource(row, self.stones, masks[number])

    def drift(self, rows: Sequence[DriftRow]) -> Iterator[ResourceDrift]:
        """What checks have not found as it was made, as it may be shown; without that of processes purged since."""
        masks = self._masks(row.process_instance_id for row in rows)
        for row in rows:
            number = row.process_instance_id
            if number in masks:
                mask = masks[number]
                told = row._asdict()
                del told["task_id"]
                told["stone"] = row.stone if mask is None else mask.mask_text(row.stone)
                yield ResourceDrift(**{**told, "process_instance_id": str(number)})

    def masks(
        self,
        rows: Iterable[InstanceRow | RecordRow | SummaryRow],
        found: dict[int, tuple[InstanceRow, ContentRow]] | None = None,
    ) -> dict[int, Mask | None]:
        """What hides the secrets of each of several instances, asked for together; of none whose origin is gone.

        It too is asked for when all was read that is to be shown, so whether there are secrets is not asked of these
        ``rows`` alone. The records of those that may have any are put into ``found``: of the moment of what hides them.
        """
        masks: dict[int, Mask | None] = {}
        own: dict[int, list[int]] = {}
        hiding: dict[str, bool] = {}
        rows = list(rows)
        without = [row.process_instance_id for row in rows if row.origin is None and not row.flags & Flags.SECRETS]
        plain = self.store.without_flag(without, Flags.SECRETS)
        for row in rows:
            number, deployment_id = row.process_instance_id, row.deployment_id
            if number in plain:
                # Asked once for all that are of the same version, as most of a page may be.
                if deployment_id not in hiding:
                    definition = self.facilities.definitions.get(deployment_id)
                    hiding[deployment_id] = may_hide_variables(definition, self.stones)
                if not hiding[deployment_id]:
                    masks[number] = None
                    continue
            own.setdefault(number if row.origin is None else row.origin, []).append(number)
        for number, mask in self._masks(own, found).items():
            masks.update(dict.fromkeys(own[number], mask))
        return masks

    def _masks(
        self, numbers: Iterable[int], found: dict[int, tuple[InstanceRow, ContentRow]] | None = None
    ) -> dict[int, Mask | None]:
        """The same by the ids of those that are still there."""
        masks: dict[int, Mask | None] = {}
        for some in parts(list(dict.fromkeys(numbers)), WITH_VARIABLES):
            for row, content in self.store.records(some):
                number = row.process_instance_id
                with suppress(UnknownProcessInstance):
                    masks[number] = self._mask_of(row, content)
                if found is not None:
                    found[number] = row, replace(content, variables=None, changed={})
        return masks

    def history(self, number: int, *, limit: int, after: int) -> Page[HistoryEntry]:
        """What happened in one instance, oldest first, but for the first ``after``; raises UnknownProcessInstance."""
        from .history import history_of  # late, since few programs are asked this

        row, _ = self.rows(number)
        undos = self._undo_rows(row)
        notes, decisions = self.store.history(number), self._every_decision(number)
        tasks = self.store.tasks(number)
        entries = history_of(row, tasks, undos, decisions, notes, self.stones, self.mask(number))
        shown = tuple(entries[after : after + limit])
        return Page(items=shown, cursor=str(after + limit) if len(entries) > after + limit else None)

    def _every_decision(self, number: int) -> list[DecisionMadeRow]:
        """All that one instance has decided, newest first, read a part at a time."""
        found: list[DecisionMadeRow] = []
        while True:
            part = self.store.decisions_made(number, limit=DECISIONS_AT_ONCE, before=found[-1].id if found else None)
            found += part
            if len(part) < DECISIONS_AT_ONCE:
                return found

    def _undo_rows(self, row: InstanceRow) -> list[InstanceRow]:
        """The rows of an instance's undos and rewinds."""
        found: dict[int, InstanceRow] = {}
        numbers = list(undo_ids(row).values())
        while numbers:
            undo = self.store.instance(numbers.pop())
            if undo is not None:
                found[undo.process_instance_id] = undo
                # Each rewind knows the one before it.
                if undo.rewind_id is not None and undo.rewind_id not in found:
                    numbers.append(undo.rewind_id)
        return list(found.values())

    def decisions_made(self, number: int, *, limit: int, before: int | None) -> Page[DecisionMade]:
        """The decisions that one instance has made, newest first, fewer where they are large.

        Raises UnknownProcessInstance.
        """
        rows = self.store.decisions_made(number, limit=limit + 1, before=before)
        mask = self.mask(number)
        sizes = accumulate(row.size for row in rows)
        fitting = 1 + sum(1 for size in sizes if size < self.facilities.limits.page_size)
        some = rows[: min(limit, fitting)]
        shown = tuple(masked_views.show_decision(row, mask) for row in some)
        return Page(items=shown, cursor=str(some[-1].id) if len(rows) > len(some) else None)

    def task(self, number: int) -> Task:
        """One task; raises UnknownTask."""
        row = self.store.task(number)
        if row is None:
            raise UnknownTask(str(number))
        running = bool(row.open) and self.facilities.dispatcher.running(number)
        first = self.store.task(int(row.after)) if row.after and row.after[0] != "[" else None
        mask = self.mask(row.process_instance_id)
        followed = masked_views.Followed({row.id: row} if first is None else {row.id: row, first.id: first})
        return masked_views.show_task(row, self.stones, mask, followed, running=running)
