"""Reading what the store holds of processes and tasks, as it may be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import accumulate
from typing import Any, TypeVar, get_args

from ...models import (
    ContentRow,
    DecisionMadeRow,
    EngineRow,
    FoundInstances,
    InstanceFilter,
    InstanceRow,
    Place,
    PutOut,
    Sort,
    TaskRow,
    count_instances,
    find_instances,
    find_places,
    place_of,
)
from ...models.search.resources import DriftRow, ResourceRow
from ...models.vocabulary import ProcessState
from ..authoring.sources import texts_of
from ..errors import RiverstoneError, UnknownProcessInstance, UnknownTask
from ..instance.facilities import Facilities
from ..instance.flags import Flags
from ..instance.instance import Instance
from ..instance.notes.variables import read as read_variables
from ..instance.resting import Rested, at_rest
from ..language import effort
from ..ledger.ledger import needs_somebody
from ..ledger.secrets import may_hide_variables
from ..ledger.window import Window
from ..mask import Mask
from ..undo.creation import undo_ids
from ..undo.file import sources_of
from ..undo.instance import UndoInstance, load_instance
from ..views.decisions import DecisionMade
from ..views.failures import Failure
from ..views.history import HistoryEntry
from ..views.pages import Page
from ..views.processes import Awaited, Explanation, Need, ProcessInstance, ProcessSummary, SearchPage, Situation, Token
from ..views.resources import Resource, ResourceDrift
from ..views.tasks import Task, TaskCount, TaskState
from ..views.undo import RewindPlan
from . import masked_views
from .lists.awaited import awaited_of
from .why.failures import first_failures

T = TypeVar("T")
AT_ONCE, MOST_COMPARED = 100, 1_000
"""How many rows are read at once, and in all for one part, whose texts are compared here."""
FEW_RECORDS = 25
"""How many records, whose variables may be large, are read at once."""
PIECES = 2
"""How many pieces of a long list are gone through for one part."""
DECISIONS_AT_ONCE = 1_000
"""How many decisions of a process are read at once for its history."""
AT_A_TIME = 500
"""How many rows are read at once of those that are only counted or listed."""
MOST_TRIES = 5
"""How often something is read again that changes while it is read."""


UNDONE = ("rollback.success", "cancel.success", "delete.success")


class Records:
    """Shows what is durable: what the store holds, or what was just committed."""

    def __init__(self, facilities: Facilities) -> None:
        self.facilities = facilities
        self.store = facilities.store
        self.stones = facilities.stones

    def _rows(self, number: int) -> tuple[InstanceRow, ContentRow]:
        found = self.store.record(number)
        if found is None:
            raise UnknownProcessInstance(str(number))
        return found

    def mask(self, number: int) -> Mask | None:
        """What hides the secrets of one instance; raises UnknownProcessInstance."""
        return self._mask(*self._rows(number))

    def _mask(self, row: InstanceRow, content: ContentRow) -> Mask | None:
        # An undo shows what its origin was started with, so it hides the same secrets.
        if row.origin is not None:
            return self._mask(*self._rows(row.origin))
        definition = self.facilities.definitions.get(row.deployment_id)
        # Most processes have no secret tasks, and their record is shown without reading all of these.
        tasks = self.store.tasks(row.process_instance_id) if row.flags & Flags.SECRETS else ()
        return masked_views.mask_for(definition, content, tasks, self.stones)

    def _show(
        self, row: InstanceRow, content: ContentRow, window: Window | None, tasks: Iterable[TaskRow] | None = None
    ) -> ProcessInstance:
        """The record of one, with the ``window`` on its ledger if that is long."""
        number, fold = row.process_instance_id, None
        told: Iterable[TaskRow | PutOut] | None = tasks
        if told is None and window is not None and not (row.flags & Flags.SECRETS or self.stones.have_secret_outputs):
            told, fold = window.here(), window.fold
        elif told is None:
            told = self.store.outputs_of([number]).get(number, ())
        outputs: dict[str, Any] = masked_views.outputs_of(told, self.stones, fold)
        return masked_views.show_instance(
            row,
            content,
            outputs,
            self._mask(row, content),
            kept=self._kept([row]).get(number, 0),
            waits_for=awaited_of(self.store, [row], None if window is None else window.open_rows()).get(number, ()),
        )

    def _window(self, row: InstanceRow) -> Window | None:
        """What steps need of a long ledger; None for any other."""
        return Window.open(self.store, row.process_instance_id, row.folded) if row.folded else None

    def _kept(self, rows: Iterable[InstanceRow]) -> Mapping[int, int]:
        """How many results each of these keeps although it was undone; nothing is asked for those that were not."""
        return self.store.kept_counts([row.process_instance_id for row in rows if row.status in UNDONE])

    def instance(self, number: int) -> ProcessInstance:
        """One record; raises UnknownProcessInstance."""
        row, content = self._rows(number)
        return self._show(row, content, self._window(row))

    def situation(self, number: int) -> Situation:
        """One record, and whether anything is still to be waited for; raises UnknownProcessInstance."""
        row, content = self._rows(number)
        # By the row that is shown; what is read after it may be newer, and is then told of as another change.
        mark, window = self.store.revision_mark(row), self._window(row)
        return Situation(instance=self._show(row, content, window), mark=mark, need=self._need(row, window))

    def situation_at_end(self, number: int, ended: Rested | None) -> tuple[Situation | None, str]:
        """The same of one that has ended or needs somebody, None of any other, which is not shown; and its mark.

        ``ended`` is what was just committed. Raises UnknownProcessInstance.
        """
        row, content, tasks = ended if ended is not None else (*self._rows(number), None)
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
        row, content = self._rows(number)
        found = read_variables(content)
        mask = self._mask(row, content)
        return found if mask is None else dict(mask.mask_value(found))

    def at_rest(self, number: int) -> Rested | None:
        """One instance if nothing goes on in it; raises UnknownProcessInstance."""
        row, content = self._rows(number)
        return Rested(row, content) if at_rest(row) else None

    def rested(self, instance: Rested) -> ProcessInstance:
        """The record of an instance that has come to rest."""
        return self._show(instance.row, instance.content, self._window(instance.row), instance.tasks)

    def instances(
        self,
        wanted: InstanceFilter,
        *,
        limit: int,
        before: int | None,
    ) -> Page[ProcessInstance]:
        """Records, newest first, of instances with an id below ``before``; fewer where they are large."""
        place = None if before is None else (before,)
        places = find_places(self.store, wanted, limit=limit + 1, before=place, sort="id").found
        numbers = [number for (number,) in places]
        shown: list[ProcessInstance] = []
        room = self.facilities.limits.page_size
        for start in range(0, min(limit, len(numbers)), FEW_RECORDS):
            for record in self._several(numbers[start : min(start + FEW_RECORDS, limit)]):
                shown.append(record)
                room -= len(record.process_content) + len(record.outputs or "") + len(record.native_outputs)
                if room < 0 and record.process_instance_id != str(numbers[-1]):
                    return Page(items=tuple(shown), cursor=record.process_instance_id)
        return Page(items=tuple(shown), cursor=str(numbers[limit - 1]) if len(numbers) > limit else None)

    def _several(self, numbers: Sequence[int]) -> Iterator[ProcessInstance]:
        """Several records in this order; one that was purged since is left out."""
        found = {row.process_instance_id: (row, content) for row, content in self.store.records(numbers)}
        tasks = self.store.outputs_of(numbers)
        rows = [row for row, _ in found.values()]
        kept, awaited = self._kept(rows), awaited_of(self.store, rows)
        # Asked once for all that are of the same version, as most of a page may be.
        plain = set(filter(self._is_plain, {row.deployment_id for row in rows if row.origin is None}))
        for number in numbers:
            if number in found:
                row, content = found[number]
                told = tasks.get(number)
                hides = row.origin is not None or row.flags & Flags.SECRETS or row.deployment_id not in plain
                # An origin that was purged between takes what it undid with it.
                with suppress(UnknownProcessInstance):
                    yield masked_views.show_instance(
                        row,
                        content,
                        masked_views.outputs_of(told, self.stones) if told else {},
                        self._mask(row, content) if hides else None,
                        kept=kept.get(number, 0),
                        waits_for=awaited.get(number, ()),
                    )

    def _is_plain(self, deployment_id: str) -> bool:
        """Whether no variable of the processes of a deployment may be secret."""
        return not may_hide_variables(self.facilities.definitions.get(deployment_id), self.stones)

    def summaries(self, wanted: InstanceFilter, *, limit: int, before: Place | None, sort: Sort = "id") -> SearchPage:
        """The same without variables and outputs, which may be large, in this order."""
        if before is not None:
            before = self._in_order(before, sort)
        part, more = self._part(wanted, limit=limit, before=before, sort=sort)
        kept, awaited = self._kept(part.rows), awaited_of(self.store, part.rows)
        failures = first_failures(self.store, part.rows)
        shown: list[ProcessSummary] = []
        for row in part.rows:
            number = row.process_instance_id
            # One that was purged since is left out: what would have to be hidden in it is not known any more.
            with suppress(UnknownProcessInstance):
                summary = masked_views.show_summary(
                    row,
                    self._mask_in_list(row, awaited.get(number, ()), failures.get(number)),
                    kept=kept.get(number, 0),
                    waits_for=awaited.get(number, ()),
                    failure=failures.get(number),
                )
                shown.append(summary)
        return SearchPage(
            items=tuple(shown),
            cursor=None if more is None else "-".join(map(str, more)),
            inside_words_from=None if part.inside_from is None else str(part.inside_from),
        )

    def found(self, wanted: InstanceFilter, *, most: int) -> list[InstanceRow]:
        """All that a search finds, inside of words too, newest first, up to so many."""
        rows: list[InstanceRow] = []
        before: Place | None = None
        while len(rows) < most:
            count = min(AT_A_TIME, most - len(rows))
            part, before = self._part(wanted, limit=count, before=before, sort="id", whole=True)
            rows += part.rows
            if before is None:
                break
        return rows

    def _in_order(self, place: Place, sort: Sort) -> Place:
        """A place in this order, where a list ended that was perhaps in another."""
        if sort == "id" or len(place) > 1:
            return place[-1:] if sort == "id" else place
        row = self.store.instance(place[0])
        return (0, 0) if row is None else place_of(row, sort)

    def _part(
        self, wanted: InstanceFilter, *, limit: int, before: Place | None, sort: Sort, whole: bool = False
    ) -> tuple[FoundInstances, Place | None]:
        """A part of the rows, and where the next begins.

        A text that may be encrypted or hold a secret is compared here, as it is shown; a part of few finds ends early.
        """
        error, compared = wanted.error, 0
        asked = wanted if error is None or self.store.cipher is None else wanted._replace(error="")
        found: list[InstanceRow] = []
        while True:
            count = limit + 1 - len(found) if error is None else AT_ONCE
            part = find_instances(self.store, asked, limit=count, before=before, sort=sort, whole=whole)
            found += [row for row in part.rows if error is None or self._tells(row, error.lower())]
            compared += MOST_COMPARED // PIECES if part.stopped is not None else len(part.rows)
            if len(found) > limit:
                return part._replace(rows=found[:limit]), place_of(found[limit - 1], sort)
            if part.stopped is None and len(part.rows) < count:
                return part._replace(rows=found), None
            before = part.stopped or place_of(part.rows[-1], sort)
            if compared >= MOST_COMPARED:
                return part._replace(rows=found), before

    def _tells(self, row: InstanceRow, text: str) -> bool:
        """Whether an error of one instance holds this text, in the form in which it may be shown."""
        told = [row.reason]
        if row.awaits == "attention":
            told += [task.reason for task in self.store.tasks(row.process_instance_id)]
            undos = [self.store.instance(number) for number in undo_ids(row).values()]
            told += [undo.reason for undo in undos if undo is not None]
        with suppress(UnknownProcessInstance):
            mask = self._mask(*self._rows(row.process_instance_id))
            return any(text in (each if mask is None else mask.mask_text(each)).lower() for each in told if each)
        return False

    def counts(self, wanted: InstanceFilter) -> dict[ProcessState, int]:
        """How many instances there are in each state, at most as many as are counted."""
        states: tuple[ProcessState, ...] = get_args(ProcessState)
        return {state: count_instances(self.store, wanted._replace(state=state)) for state in states}

    def _mask_in_list(self, row: InstanceRow, awaited: Iterable[Awaited], failure: str | None) -> Mask | None:
        """What hides the secrets in a summary, where there may be any; raises UnknownProcessInstance."""
        # What may have to be hidden is in the reasons, and in names of messages and signals.
        if (
            row.reason is not None
            or failure is not None
            or row.suspension is not None
            or any(each.kind in ("message", "signal") for each in awaited)
        ):
            return self._mask(*self._rows(row.process_instance_id))
        return None

    def tokens(self, number: int) -> list[Token]:
        """Where one instance stands, beside its open tasks; raises UnknownProcessInstance."""
        row, content = self._rows(number)
        tokens, waits, tasks = self.store.tokens(number), self.store.waits(number), self.store.tasks(number)
        mask = self._mask(row, content)
        return [*masked_views.show_tokens(tokens, waits, tasks, mask), *masked_views.show_failed(row)]

    def failures(self, number: int) -> list[Failure]:
        """What has failed in one instance and stands still; raises UnknownProcessInstance."""
        row, content = self._rows(number)
        if not row.attention:
            return []
        tasks = {task.id: task for task in self.store.tasks(number)}
        tokens, waits = self.store.tokens(number), self.store.waits(number)
        return masked_views.show_failures(tokens, waits, tasks, self._mask(row, content))

    def masked_plan(self, instance: Instance, plan: RewindPlan) -> RewindPlan:
        """What a rewind would do, as it may be shown."""
        mask = self._mask(instance.row, instance.content)
        return plan if mask is None else replace(plan, variables=mask.mask_value(dict(plan.variables)))

    def why(self, number: int, engines: Sequence[EngineRow]) -> Explanation:
        """Why one instance stands where it stands; ``engines`` carry out stones. Raises UnknownProcessInstance."""
        from .why.explanation import explain  # late, since few programs are asked this by a person

        for tries in range(MOST_TRIES):
            row, content = self._rows(number)
            try:
                explanation = explain(
                    *self._with_undos(row, content), self._mask(row, content), {engine.id: engine for engine in engines}
                )
            except (KeyError, StopIteration):
                # Rows that do not fit together, since a step has changed them in between; else it is a defect.
                if tries + 1 == MOST_TRIES:
                    raise
                continue
            if self.store.revision(number) == row.revision:
                break
        return explanation

    def _with_undos(self, row: InstanceRow, content: ContentRow) -> tuple[Instance, list[UndoInstance]]:
        """An instance as it is stored now, with its undos, oldest first."""
        instance = load_instance(self.facilities, row, content, self._load)
        loaded = [
            load_instance(self.facilities, *self._rows(number), lambda _: instance) for number in undo_ids(row).values()
        ]
        return instance, [undo for undo in loaded if isinstance(undo, UndoInstance)]

    def rehearsed(self, number: int, act: Callable[[Instance], T]) -> T:
        """What an act makes of a copy that nobody else has, of one state of the instance; raises what it does."""
        for left in reversed(range(MOST_TRIES)):
            revision = self.store.revision(number)
            try:
                copy = self._load(number)
                # No more than a step may look at.
                with effort.turn(self.facilities.limits, self.facilities.clock.now):
                    found = act(copy)
            except (KeyError, StopIteration, RiverstoneError):
                # Rows may not fit together, or tell of another state, where a step has changed them in between.
                if left == 0 or self.store.revision(number) == revision:
                    raise
            else:
                if left == 0 or self.store.revision(number) == revision:
                    break
        return found

    def _load(self, number: int) -> Instance:
        return load_instance(self.facilities, *self._rows(number), self._load)

    def sources(self, number: int) -> tuple[str, ...]:
        """The BPMN files that one instance runs; raises UnknownProcessInstance."""
        row, _ = self._rows(number)
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
        mask = self._mask(*self._rows(number))
        running = self.facilities.dispatcher.running
        whole = limit is None and not after and element_id is None and state is None
        rows = self.store.tasks(number) if whole else self.store.some_tasks(number, after, limit, element_id, state)
        ledger = {row.id: row for row in rows}
        if not whole:
            # Of many that followed the same, one says what that was.
            named = {int(row.after) for row in rows if row.after and row.after[0] != "["} - ledger.keys()
            ledger.update((row.id, row) for each in named if (row := self.store.task(each)) is not None)
        followed = masked_views.Followed(ledger)
        return [
            masked_views.show_task(row, self.stones, mask, followed, running=bool(row.open) and running(row.id))
            for row in rows
        ]

    def task_counts(self, number: int) -> list[TaskCount]:
        """The tasks of one instance, counted by element and state; raises UnknownProcessInstance."""
        from .lists.task_counts import count_tasks  # late, since few programs are asked this

        mask = self._mask(*self._rows(number))
        return count_tasks(self.store, number, mask, self.facilities.dispatcher.running)

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

    def _masks(self, numbers: Iterable[int]) -> dict[int, Mask | None]:
        """What hides the secrets of each of these processes that is still there."""
        masks: dict[int, Mask | None] = {}
        for number in set(numbers):
            with suppress(UnknownProcessInstance):
                masks[number] = self.mask(number)
        return masks

    def history(self, number: int, *, limit: int, after: int) -> Page[HistoryEntry]:
        """What happened in one instance, oldest first, but for the first ``after``; raises UnknownProcessInstance."""
        from .history import history_of  # late, since few programs are asked this

        row, content = self._rows(number)
        undos = self._undo_rows(row)
        notes = self.store.history(number)
        mask = self._mask(row, content)
        decisions = self._every_decision(number)
        entries = history_of(row, self.store.tasks(number), undos, decisions, notes, self.stones, mask)
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
        mask = self._mask(*self._rows(number))
        rows = self.store.decisions_made(number, limit=limit + 1, before=before)
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
        mask = self._mask(*self._rows(row.process_instance_id))
        running = bool(row.open) and self.facilities.dispatcher.running(number)
        first = self.store.task(int(row.after)) if row.after and row.after[0] != "[" else None
        followed = masked_views.Followed({row.id: row} if first is None else {row.id: row, first.id: first})
        return masked_views.show_task(row, self.stones, mask, followed, running=running)
