"""The engine's calls about one process: how it stands, what its tasks are, and what it has done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import jsontext
from ..errors import UnknownProcessInstance, UnknownTask
from ..ledger.secrets import secret_outputs
from ..river.turn import Turn
from ..steps.tasks import user_tasks
from ..store_errors import engine_errors
from ..views.decisions import DecisionMade
from ..views.history import HistoryEntry
from ..views.pages import Page, refuse_limit
from ..views.processes import Explanation, Picture, ProcessInstance, Token
from ..views.tasks import Task, TaskCount, TaskState
from .searches import SearchCalls
from .watches import WatchCalls
from .workings import number_of, row_before


class ProcessCalls(WatchCalls, SearchCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def get(self, process_instance_id: str) -> ProcessInstance:
        """The record of one process instance; raises UnknownProcessInstance."""
        with engine_errors():
            return self._records.instance(number_of(process_instance_id, UnknownProcessInstance))

    def tasks(
        self,
        process_instance_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
        element_id: str | None = None,
        state: TaskState | None = None,
    ) -> list[Task]:
        """The tasks of one process instance, oldest first: all, or the first ``limit`` of those ``after`` one.

        Args:
            process_instance_id: Whose tasks.
            limit: At most so many.
            after: The id of the last task that is known already.
            element_id: Those of one element.
            state: Those that have not ended, or that failed or could not be undone.

        Raises:
            UnknownProcessInstance: No process instance has this id.
            UnknownTask: ``after`` is no id.
        """
        if limit is not None:
            refuse_limit(limit)
        number = number_of(process_instance_id, UnknownProcessInstance)
        last = 0 if after is None else number_of(after, UnknownTask)
        with engine_errors():
            return self._records.tasks(number, after=last, limit=limit, element_id=element_id, state=state)

    def task_counts(self, process_instance_id: str) -> list[TaskCount]:
        """The tasks of one process instance counted by element, calls and state, by the first task of each.

        Raises UnknownProcessInstance.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        with engine_errors():
            return self._records.task_counts(number)

    def history(self, process_instance_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[HistoryEntry]:
        """What happened in a process instance, oldest first: beginnings, attempts, variables, events and actions.

        Raises UnknownProcessInstance, Malformed for a cursor that is none.
        """
        refuse_limit(limit)
        number = number_of(process_instance_id, UnknownProcessInstance)
        with engine_errors():
            return self._records.history(number, limit=limit, after=row_before(cursor) or 0)

    def decisions_made(
        self, process_instance_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DecisionMade]:
        """The decisions of DMN that one process instance has made, newest first, each with the rules that counted.

        ``limit`` is 500 at most. Raises UnknownProcessInstance, Malformed for a cursor that is none.
        """
        refuse_limit(limit)
        number, wanted = number_of(process_instance_id, UnknownProcessInstance), min(limit, 500)
        with engine_errors():
            return self._records.decisions_made(number, limit=wanted, before=row_before(cursor))

    def task(self, task_id: str) -> Task:
        """One task; raises UnknownTask."""
        with engine_errors():
            return self._records.task(number_of(task_id, UnknownTask))

    def secret_outputs(self, task_id: str) -> dict[str, Any]:
        """The secret outputs of a task in clear, and what its start has saved under their names; raises UnknownTask.

        Over HTTP this needs the scope ``secrets``, and is written into the audit before it is answered.
        """
        number = number_of(task_id, UnknownTask)
        instance_number = self._instance_of(number)

        def read(turn: Turn) -> dict[str, Any]:
            row = turn.instance(instance_number).tasks.get(number)
            if row is None:
                raise UnknownTask(task_id)
            return secret_outputs(row, self._facilities.stones)

        found: dict[str, Any] = self._pump.step(read)
        return found

    def tokens(self, process_instance_id: str) -> list[Token]:
        """Where one process instance stands beside its open tasks; raises UnknownProcessInstance."""
        with engine_errors():
            return self._records.tokens(number_of(process_instance_id, UnknownProcessInstance))

    def why(self, process_instance_id: str) -> Explanation:
        """Why a process stands where it stands, in sentences, and the next commands; raises UnknownProcessInstance."""
        with engine_errors():
            engines = self._loop.engines_at_work()
            return self._rehearsals.why(number_of(process_instance_id, UnknownProcessInstance), engines)

    def sources(self, process_instance_id: str) -> tuple[str, ...]:
        """The BPMN files, with diagrams, that one process instance runs: that of an undo was made for it.

        Raises UnknownProcessInstance.
        """
        with engine_errors():
            return self._records.sources(number_of(process_instance_id, UnknownProcessInstance))

    def picture(self, process_instance_id: str) -> Picture:
        """The diagram of one process instance, its nodes in the colours of what happened to them, as SVG.

        Raises UnknownProcessInstance.
        """
        from ..showing.picture import process_picture  # late, like whatever else draws

        xml = self.sources(process_instance_id)[0]
        tasks, tokens = self.tasks(process_instance_id), self.tokens(process_instance_id)
        return process_picture(xml, tasks, tokens, decisions=self._every_decision(process_instance_id))

    def _every_decision(self, process_instance_id: str) -> Iterator[DecisionMade]:
        cursor = None
        while True:
            page = self.decisions_made(process_instance_id, limit=500, cursor=cursor)
            yield from page.items
            if (cursor := page.cursor) is None:
                return

    def variables(self, process_instance_id: str) -> dict[str, Any]:
        """The variables of a process as they are now, secrets hidden; raises UnknownProcessInstance."""
        number = number_of(process_instance_id, UnknownProcessInstance)
        with engine_errors():
            return self._records.variables(number)

    def owner_of(self, process_instance_id: str) -> str | None:
        """Whose process instance this is, None where it is nobody's; raises UnknownProcessInstance."""
        with engine_errors():
            row = self._store.instance(number_of(process_instance_id, UnknownProcessInstance))
        if row is None:
            raise UnknownProcessInstance(process_instance_id)
        return row.owner_name

    def owner_of_task(self, task_id: str) -> str | None:
        """Whose process instance this task belongs to; raises UnknownTask."""
        return self.owner_of(str(self._instance_of(number_of(task_id, UnknownTask))))

    def complete(self, task_id: str, outputs: Mapping[str, Any] | None = None) -> Task:
        """Say that a user task is done; raises UnknownTask, Conflict, Invalid for outputs that are not JSON."""
        number = number_of(task_id, UnknownTask)
        values = dict(outputs or {})
        jsontext.check(values, limits=self.limits, name="outputs")
        instance_number = self._instance_of(number)
        self._asked(
            "complete", instance_number, lambda process: user_tasks.complete(process, number, values), task=number
        )
        return self.task(task_id)
