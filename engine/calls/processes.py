"""The engine's calls about processes: starting them, looking at them, and telling them what they wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Literal

from ...models import AlreadyUsed, InstanceFilter, Sort, digests
from ...models.vocabulary import InstanceKind, ProcessState, ProcessStatus
from .. import jsontext
from ..clock import milliseconds
from ..errors import StoreUnavailable, UnknownProcessInstance, UnknownTask
from ..instance.resting import Rested
from ..instance.secrets import secret_outputs
from ..river.turn import Turn
from ..river.waiters import Watch
from ..showing.statistics import read_statistics
from ..steps import user_tasks
from ..store_errors import engine_errors
from ..triggers.starts import CheckedStart, Drain
from ..views.decisions import DecisionMade
from ..views.history import HistoryEntry
from ..views.pages import Page
from ..views.processes import Explanation, Picture, ProcessInstance, SearchPage, Situation, Token
from ..views.statistics import Statistics
from ..views.tasks import Task, TaskCount, TaskState
from .workings import Workings, number_of, place_before, refuse_other_words, row_before

INLINE_STEP = 0.1
"""Seconds after which a thread that waits for an inline engine carries out what is due."""


class ProcessCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    def start(
        self,
        *,
        name: str,
        key: str | None = None,
        deployment_id: str | None = None,
        model_id: str | None = None,
        variables: Mapping[str, Any] | None = None,
        business_key: str | None = None,
        idempotency_key: str | None = None,
        rollback: bool = True,
        protected: bool = False,
        drain: Drain = "stop",
        on_failure: str | None = None,
        owner: str | None = None,
        callback_url: str | None = None,
        priority: int = 0,
    ) -> ProcessInstance:
        """Start a process: the newest deployment of a key, one deployment, or (in debug mode) a model as it now stands.

        Returns the record as it is where the process first waits, whatever the dispatcher; look again with ``get``
        or ``wait``. With an ``idempotency_key`` the same request again returns the same instance. It belongs to
        ``owner``, who sees it through :meth:`owned_by`. When a task fails, its siblings are asked to stop;
        with ``drain="all"`` those that run come to their end before the rollback begins, as in CloudFormation.
        ``on_failure`` is ``rollback``, ``pause`` (only what has failed stands still, until somebody decides: see
        :meth:`rerun`), ``pause PT2H`` (and is rolled back if nobody has by then) or ``keep``, which ``rollback=False``
        means too. An element's own policy goes before it; without it the model's counts.

        ``callback_url`` is told what it comes to, see :attr:`~riverstone.engine.Engine.webhooks`. Of the same owner's
        tasks that wait for a quota, those of the process with the highest ``priority`` come first; an element's own
        counts in place of it.

        Raises Malformed, Unknown…, Invalid, VariablesInvalid, Conflict (the key was used for another request),
        LimitExceeded (``instances_per_key``).
        """
        return self._start(
            None,
            name=name,
            key=key,
            deployment_id=deployment_id,
            model_id=model_id,
            variables=variables,
            business_key=business_key,
            idempotency_key=idempotency_key,
            rollback=rollback,
            protected=protected,
            drain=drain,
            on_failure=on_failure,
            owner=owner,
            callback_url=callback_url,
            priority=priority,
        )

    def start_watched(self, told: Callable[[], None], **asked: Any) -> tuple[ProcessInstance, Watch | None]:
        """Start what is ``asked`` as :meth:`start` does, and have ``told`` called as :meth:`watch` does.

        Where there is a watch, it tells of whatever comes after the start, so there is nothing to look for before it
        does. There is none of an inline engine, or where the same request has started the process before.
        """
        watches: list[Watch] = []

        def watch(started: ProcessInstance | Literal[False]) -> None:
            if started:
                watches.append(self._river.watch_started(int(started.process_instance_id), told))

        started = self._start(watch, **asked)
        for each in watches:
            self._give_look(each)
        return started, watches[0] if watches else None

    def _start(self, then: Callable[[ProcessInstance | Literal[False]], None] | None, **asked: Any) -> ProcessInstance:
        started: ProcessInstance | Literal[False] = False
        if asked.get("callback_url") is not None:
            self.webhooks.allowed.check(asked["callback_url"])
        while not started:
            # Once more only where a newer version was deployed since the request was checked against the one before.
            with engine_errors():
                request = self._starts.request(**asked)
                if request.idempotency is not None:
                    before = self._starts.started_before(request.idempotency)
                    if before is not None:
                        return self._records.instance(before)
            try:
                started = self._pump.step(partial(self._starts.begin_newest, request=request), then)
            except AlreadyUsed as error:
                return self._first_to_use(request, error)
        if started.awaits == "quota":
            # The commit has given the slots: whether there was one for it, the turn could not know.
            with suppress(UnknownProcessInstance):
                return self.get(started.process_instance_id)
        return started

    def _first_to_use(self, request: CheckedStart, error: AlreadyUsed) -> ProcessInstance:
        """The same idempotency key was used at the same moment, and the other request came first: what that started."""
        with engine_errors():
            first = self._starts.started_before(request.idempotency) if request.idempotency else None
        if first is None:
            raise StoreUnavailable(f"The process could not be stored: {error}") from error
        return self.get(str(first))

    def get(self, process_instance_id: str) -> ProcessInstance:
        """The record of one process instance; raises UnknownProcessInstance."""
        with engine_errors():
            return self._records.instance(number_of(process_instance_id, UnknownProcessInstance))

    def instances(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        status: ProcessStatus | None = None,
        key: str | None = None,
        name: str | None = None,
        owner: str | None = None,
    ) -> Page[ProcessInstance]:
        """Process instances, newest first; raises Malformed for a cursor that is none."""
        statuses = () if status is None else (status,)
        refuse_other_words(status=(statuses, ProcessStatus))
        wanted = InstanceFilter(statuses=statuses, key=key, name=name, owner=owner)
        with engine_errors():
            return self._records.instances(wanted, limit=limit, before=row_before(cursor))

    def search(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        text: str | None = None,
        statuses: Sequence[ProcessStatus] = (),
        state: ProcessState | None = None,
        kind: InstanceKind | None = None,
        key: str | None = None,
        business_key: str | None = None,
        stone: str | None = None,
        element: str | None = None,
        error: str | None = None,
        variables: Mapping[str, Any] | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        ended_from: datetime | None = None,
        ended_before: datetime | None = None,
        sort: Sort = "id",
        owner: str | None = None,
    ) -> SearchPage:
        """Process instances without their variables and outputs, newest first.

        Args:
            cursor: That of the part before; in another order the list goes on after the same process.
            text: Words of the name or the business key, or what these begin with, or a part of the key, or an id, in
                any case. Of the newest 10,000 also what stands inside of words; where there are more, the answer says
                from which process on (``inside_words_from``).
            state: How the process's own work ended, whatever was undone since (``success``, ``failed``, ``canceled``),
                for whom it waits (``attention``, ``person``, ``event``), or ``running``: the rest.
            kind: ``start`` or that of an undo.
            stone: The code of a stone that a forward run has used, or tried to.
            element: The id of an element at which a task is open or a token waits.
            error: A part of what is told of a failure, in any case.
            variables: By name (``namespace.name`` for one in a namespace), what variables of the process have to be
                now that its parameter template declares ``Searchable``.
            sort: ``id``, or the last first by when they ``started`` or ``ended``.

        Raises:
            Malformed: For a cursor that is none.
            Invalid: For a value of a variable that is none, and a word that is no state, status, kind or order.
        """
        refuse_other_words(sort=([sort], Sort))
        wanted = self._wanted(
            owner=owner,
            text=text,
            statuses=statuses,
            state=state,
            kind=kind,
            key=key,
            business_key=business_key,
            stone=stone,
            element=element,
            error=error,
            variables=variables,
            started_from=started_from,
            started_before=started_before,
            ended_from=ended_from,
            ended_before=ended_before,
        )
        with engine_errors():
            return self._records.summaries(wanted, limit=limit, before=place_before(cursor), sort=sort)

    def _wanted(
        self,
        *,
        owner: str | None,
        statuses: Sequence[ProcessStatus] = (),
        variables: Mapping[str, Any] | None = None,
        started_from: datetime | None = None,
        started_before: datetime | None = None,
        ended_from: datetime | None = None,
        ended_before: datetime | None = None,
        **plain: Any,
    ) -> InstanceFilter:
        """What :meth:`search` takes, as the store is asked."""
        jsontext.check_texts(owner=owner, **plain)
        states, kinds = [plain.get("state")], [plain.get("kind")]
        refuse_other_words(statuses=(statuses, ProcessStatus), state=(states, ProcessState), kind=(kinds, InstanceKind))
        return InstanceFilter(
            **plain,
            owner=owner,
            statuses=tuple(statuses),
            values=self._searched(variables or {}),
            started_from=milliseconds(started_from),
            started_before=milliseconds(started_before),
            ended_from=milliseconds(ended_from),
            ended_before=milliseconds(ended_before),
        )

    def _searched(self, variables: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        from ..authoring.templates import searchable_texts  # late, since few programs search

        cipher = self._store.cipher
        return tuple((name, digests(text, cipher)) for name, text in searchable_texts(variables).items())

    def counts(
        self, *, kind: InstanceKind | None = None, key: str | None = None, owner: str | None = None
    ) -> dict[ProcessState, int]:
        """How many process instances :meth:`search` finds in each state, at most 1,000 of each."""
        with engine_errors():
            return self._records.counts(InstanceFilter(kind=kind, key=key, owner=owner))

    def statistics(
        self,
        *,
        since: datetime | None = None,
        key: str | None = None,
        runs: int = 2000,
        owner: str | None = None,
    ) -> Statistics:
        """What the last forward runs came to: failures, retries and durations by version, stone and element.

        Args:
            since: Those that began from then on; without a zone by this machine's.
            key: Of this key alone.
            runs: At most so many, the newest; 5,000 at most.
            owner: Those of this owner alone.
        """
        begun, most = milliseconds(since), min(max(runs, 1), 5000)
        with engine_errors():
            return read_statistics(self._store, since=begun, key=key, owner=owner, most_runs=most)

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
        number = number_of(process_instance_id, UnknownProcessInstance)
        with engine_errors():
            return self._records.history(number, limit=limit, after=row_before(cursor) or 0)

    def decisions_made(
        self, process_instance_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DecisionMade]:
        """The decisions of DMN that one process instance has made, newest first, each with the rules that counted.

        ``limit`` is 500 at most. Raises UnknownProcessInstance, Malformed for a cursor that is none.
        """
        number, wanted = number_of(process_instance_id, UnknownProcessInstance), min(max(limit, 1), 500)
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
            return self._records.why(number_of(process_instance_id, UnknownProcessInstance), engines)

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
        return process_picture(xml, tasks, tokens, decisions=self.decisions_made(process_instance_id, limit=500).items)

    def wait(self, process_instance_id: str, timeout: float | None = None) -> ProcessInstance:
        """Return when the process has ended, its undo included, or needs somebody: after a failure, or suspended.

        While it waits for a message, a signal or a timer this goes on waiting. ``timeout`` is in seconds.
        Raises WaitTimeout, UnknownProcessInstance.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        rested = self._pump.wait(number, lambda: self._at_rest(number), timeout)
        with engine_errors():
            return self._records.rested(rested)

    def variables(self, process_instance_id: str) -> dict[str, Any]:
        """The variables of a process as they are now, secrets hidden; raises UnknownProcessInstance."""
        number = number_of(process_instance_id, UnknownProcessInstance)
        with engine_errors():
            return self._records.variables(number)

    def situation(self, process_instance_id: str, *, wait: float = 0, since: str | None = None) -> Situation:
        """How a process stands now, and whether it goes on by itself.

        With ``wait`` (seconds) it returns when the process has ended or needs somebody, at the latest after that; with
        ``since`` (the mark of a situation) when there is another mark. Raises UnknownProcessInstance.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        until = time.monotonic() + wait
        woken = threading.Event()
        watchers = self._river if wait else self._river.watchers
        watch = watchers.watch(number, woken.set, any_change=since is not None)
        try:
            while True:
                with engine_errors():
                    found = self._records.situation(number)
                left = until - time.monotonic()
                news = found.need is not None if since is None else found.mark != since
                if news or left <= 0:
                    return found
                watch.mark = found.mark
                if self._pump.inline is not None:
                    self._pump.run_pending()
                    left = min(left, INLINE_STEP)
                woken.wait(left)
                woken.clear()
        finally:
            watch.stop()

    def watch(self, process_instance_id: str, told: Callable[[], None], *, any_change: bool = False) -> Watch:
        """Have ``told`` called from now on when a process may have come to rest or may need somebody.

        With ``any_change`` that is after each of its steps and those of its undos. Steps of other engines are seen
        soon, at the latest within about half a second, once :attr:`Watch.mark` tells what was last seen. ``told`` is
        called in any thread and must not block; look with :meth:`situation` then, or with :attr:`Watch.look`, which
        reads less. Call :meth:`Watch.stop` in the end.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        watch = self._river.watch(number, told, any_change=any_change)
        self._give_look(watch)
        return watch

    def _give_look(self, watch: Watch) -> None:
        watch.look = lambda: self._seen(watch)

    def _seen(self, watch: Watch) -> Situation | None:
        with engine_errors():
            found, watch.mark = self._records.situation_at_end(watch.number, watch.ended)
        return found

    def _at_rest(self, number: int) -> Rested | None:
        with engine_errors():
            return self._records.at_rest(number)

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
