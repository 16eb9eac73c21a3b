"""The engine's calls for workers over HTTP: they fetch tasks under topics, lock them, and answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from math import ceil
from typing import Any

from ....models import ExternalFilter, ExternalRow
from ... import jsontext
from ...errors import Invalid, LimitExceeded, StoreUnavailable, UnknownProcessInstance
from ...mask import cut
from ...river.offers import OfferWatch
from ...river.standstill import Unstepped
from ...river.turn import Turn
from ...steps.tasks import external_tasks as steps
from ...steps.tasks.external_tasks import Lock, UnknownExternalTask, WorkerAnswer
from ...store_errors import engine_errors
from ...work import LONGEST_LOG_LINE, MOST_LOG_LINES
from ..workings import number_of
from .external_searches import ExternalSearches, owned
from .external_topics import Asked
from .external_views import MOST_AT_ONCE, ExternalTask, Topic, TopicLook, holds, read_id, shown, topic_asked

ROUNDS = 10
"""How often one fetch looks for more where what it found waits for a quota."""
LONGEST_LOOK = 1.0
"""Seconds in which one fetch begins to look at more tasks because the variables of those before them do not fit."""
LONGEST_TURN = 0.01
"""Seconds after which one that looks at variables lets others have their turns: many may look at the same time."""
MOST_UNFIT = 100_000
"""Tasks of which it is known that their variables do not fit: beyond that all are looked at anew."""
MOST_PLACES = 1000
"""Of fetches that did not come to the end: beyond that all begin anew."""
LONGEST_LOCK = 7 * 24 * 3600 * 1000
"""Milliseconds for which a task can be locked."""
LONGEST_NAME = 255


class TopicRefused(Invalid):
    """A topic that whoever asks may not fetch."""

    code = "topic-refused"

    def __init__(self, topic: str) -> None:
        super().__init__(f"This key is not for the topic {topic!r}: use one that lists it.")


class ExternalCalls(ExternalSearches):
    """What workers over HTTP ask of one engine; see :meth:`limited` for those who may not do all."""

    # -- fetching

    def fetch(
        self,
        worker: str,
        topics: Sequence[Topic],
        *,
        most: int = 1,
        by_priority: bool = True,
        newest: bool = False,
    ) -> list[ExternalTask]:
        """Lock tasks under these topics for a worker, by priority and age; empty where there are none.

        Raises Invalid.
        """
        self._check(worker, topics)
        self.learn(each.name for each in topics)
        most, got = min(most, MOST_AT_ONCE), list[ExternalTask]()
        if most < 1:
            return got
        wanted = [(topic, self._asked(topic)) for topic in topics]
        looks = [TopicLook(topic, asked, self._passed.get(asked, 0)) for topic, asked in wanted]
        until, rounds = time.monotonic() + LONGEST_LOOK, ROUNDS
        while looks and len(got) < most:
            try:
                locked = self._fetch(worker, looks, most - len(got), by_priority=by_priority, newest=newest)
            except StoreUnavailable:
                if not got:
                    raise
                break
            except Unstepped as error:
                rounds -= 1
                if not rounds:
                    raise
                # Nobody has asked for this one alone, and what can be had is not to wait for it.
                self._pump.stand_still(error)
                continue
            got += [task for lock, task in locked if lock.is_held]
            rounds -= 1
            if rounds and not all(lock.is_held for lock, _ in locked):
                # Those that wait for a quota now are not found again.
                continue
            looks, rounds = [each.behind() for each in looks if each.has_more], ROUNDS
            if time.monotonic() >= until:
                break
        self._keep_place([asked for _, asked in wanted], [] if got else looks)
        return got

    def _asked(self, topic: Topic) -> Asked:
        values = jsontext.dumps(dict(sorted(topic.process_variables.items())))
        return self.owner, topic.name, sha256(values.encode()).hexdigest()

    def _keep_place(self, wanted: Iterable[Asked], looks: Sequence[TopicLook]) -> None:
        """Let the next fetch go on where this one had no time to look further, and else begin at the first task."""
        for asked in wanted:
            self._passed.pop(asked, None)
        if len(self._passed) > MOST_PLACES:
            self._passed.clear()
        self._passed.update({each.asked: each.offset for each in looks})

    def _fetch(
        self, worker: str, looks: Sequence[TopicLook], most: int, *, by_priority: bool, newest: bool
    ) -> list[tuple[Lock, ExternalTask]]:
        """Those that may be had now; those of them that found their quotas full wait in line since."""
        topics = [each.topic for each in looks]
        waiters = self.offers.waiters(each.name for each in topics)
        found: list[tuple[ExternalRow, TopicLook]] = []
        with engine_errors():
            for look in looks:
                topic, wanted = look.topic, _filter(look.topic, self.owner)
                few = most if not topic.process_variables else MOST_AT_ONCE
                rows = self.facilities.external.find(
                    wanted, limit=few, offset=look.offset, by_priority=by_priority, newest=newest
                )
                look.has_more = bool(topic.process_variables) and len(rows) == few
                found += [(row, look) for row in self._unknown(look, rows)]
                if waiters > 1 and len(topics) == 1:
                    # Whoever waits beside this one gets its share.
                    most = min(most, max(1, ceil(self.facilities.external.count(wanted) / waiters)))
        if len(topics) > 1:
            age = -1 if newest else 1
            found.sort(key=lambda each: (-each[0].priority if by_priority else 0, age * each[0].created))
        locked: list[tuple[Lock, ExternalTask]] = []
        while found and len(locked) < most:
            try:
                part, looked_at = self._pump.step(
                    partial(self._lock, worker=worker, found=found, most=most - len(locked))
                )
            except (StoreUnavailable, Unstepped):
                if not locked:
                    raise
                # What is locked is the worker's, and nobody else can have it.
                break
            locked, found = locked + part, found[looked_at:]
        return locked

    def _unknown(self, look: TopicLook, rows: Sequence[ExternalRow]) -> Sequence[ExternalRow]:
        """Those that may fit: whoever waits is told to look twice a second, and most have not changed since."""
        if not look.topic.process_variables or not self._unfit:
            return rows
        known = {row.task_id: at for row in rows if (at := self._unfit.get((look.asked, row.task_id))) is not None}
        numbers = {row.process_instance_id for row in rows if row.task_id in known}
        present = self.facilities.store.revisions(sorted(numbers))
        return [row for row in rows if known.get(row.task_id, -1) != present.get(row.process_instance_id)]

    def _note_unfit(self, turn: Turn, asked: Asked, row: ExternalRow) -> None:
        instance = turn.instance(row.process_instance_id)
        # What an undo is asked for is of another process, of whose changes its own revision tells nothing.
        if instance.row.origin is None:
            if len(self._unfit) >= MOST_UNFIT:
                self._unfit.clear()
            self._unfit[asked, row.task_id] = turn.revisions[row.process_instance_id]

    def watch(self, topics: Collection[str], told: Callable[[], None]) -> OfferWatch:
        """Have ``told`` called, in any thread, when a task may be had under one of these topics."""
        return self.offers.watch(topics, told, self.owner)

    def _lock(
        self, turn: Turn, *, worker: str, found: Sequence[tuple[ExternalRow, TopicLook]], most: int
    ) -> tuple[list[tuple[Lock, ExternalTask]], int]:
        """Those that may be had, and how many were looked at: each may have variables that take long to be read."""
        locked: list[tuple[Lock, ExternalTask]] = []
        seen: set[int] = set()
        until = time.monotonic() + LONGEST_TURN
        for place, (row, look) in enumerate(found):
            topic = look.topic
            is_over = turn.is_over() or (topic.process_variables and time.monotonic() >= until)
            if len(locked) == most or (place and is_over):
                return locked, place
            if row.task_id in seen:
                continue
            seen.add(row.task_id)
            try:
                instance = turn.instance(row.process_instance_id)
            except UnknownProcessInstance:
                continue
            if not holds(instance, topic.process_variables):
                self._note_unfit(turn, look.asked, row)
                continue
            taken = steps.lock(instance, row.task_id, worker, topic.lock, most_losses=self.facilities.limits.lost_locks)
            if taken is not None:
                locked.append((taken, shown(instance, instance.tasks[row.task_id], taken.row, topic)))
        return locked, len(found)

    # -- answering

    def complete(
        self,
        task_id: str,
        worker: str | None,
        variables: Mapping[str, Any] | None = None,
        local_variables: Mapping[str, Any] | None = None,
        *,
        delivery: int | None = None,
    ) -> None:
        """A task is done. Raises UnknownExternalTask, also where it has ended; Invalid while another has it.

        ``worker`` None is whoever has it; with ``delivery`` it is Conflict where that is not the present one.
        """
        given = WorkerAnswer(
            result="done", variables=variables or {}, local_variables=local_variables or {}, delivery=delivery
        )
        self._answer(task_id, worker, given)

    def fail(
        self,
        task_id: str,
        worker: str | None,
        reason: str | None = None,
        details: str | None = None,
        *,
        retries: int = 0,
        pause: int = 0,
        variables: Mapping[str, Any] | None = None,
        local_variables: Mapping[str, Any] | None = None,
        delivery: int | None = None,
    ) -> None:
        """A task has failed: it is tried ``retries`` times more, after ``pause`` milliseconds. Raises as complete."""
        if not (0 <= retries < 2**31 and 0 <= pause < 2**41):
            raise Invalid("Retries and the pause before them are not below zero.", code="fields-invalid")
        given = WorkerAnswer(
            result="failed",
            variables=variables or {},
            local_variables=local_variables or {},
            reason=_text(reason, 2000) or "The worker gave no reason.",
            details=_text(details, 20_000) or None,
            retries=retries,
            pause=pause,
            delivery=delivery,
        )
        self._answer(task_id, worker, given)

    def throw(
        self,
        task_id: str,
        worker: str | None,
        code: str,
        reason: str | None = None,
        variables: Mapping[str, Any] | None = None,
        *,
        delivery: int | None = None,
    ) -> None:
        """A BPMN error: what no boundary event catches is a failure. Raises as complete."""
        given = WorkerAnswer(
            result="bpmn-error",
            variables=variables or {},
            local_variables={},
            reason=_text(reason, 2000) or code,
            error_code=_text(code, LONGEST_NAME),
            delivery=delivery,
        )
        self._answer(task_id, worker, given)

    def set_variables(self, process_instance_id: str, worker: str, variables: Mapping[str, Any]) -> None:
        """What a worker has got so far of the one task of a process that it has: outputs and variables, as at its end.

        Raises UnknownExternalTask where it has none, Invalid where it has several.
        """
        number = number_of(process_instance_id, UnknownExternalTask)
        self._weigh(variables)
        with engine_errors():
            wanted = self._seen(ExternalFilter(process_instance_id=number, worker=worker))
            rows = self.facilities.external.find(wanted, limit=2)
        if len(rows) > 1:
            text = f"{worker!r} has several tasks of process {number}, so it is not clear of which these variables are"
            raise Invalid(f"{text}: give them when it completes one.", code="external-task-unclear")
        if not rows:
            raise UnknownExternalTask(process_instance_id)
        act = partial(steps.set_variables, task_id=rows[0].task_id, worker=worker, values=variables)
        self._pump.step(lambda turn: act(turn.instance(number)))

    def _weigh(self, values: Mapping[str, Any]) -> None:
        limits = self.facilities.limits
        jsontext.check(values, limits=limits, name="variables")
        if jsontext.weigh(values, limits.output_size) > limits.output_size:
            raise LimitExceeded("output_size", f"The variables have more than {limits.output_size} bytes.")

    def _answer(self, task_id: str, worker: str | None, given: WorkerAnswer) -> None:
        for values in (given.variables, given.local_variables):
            self._weigh(values)
        act = partial(steps.answer, wanted=read_id(task_id), worker=worker, given=given)
        if self._step(task_id, act) == "late":
            raise UnknownExternalTask(task_id)

    # -- locks and the rest

    def extend(self, task_id: str, worker: str | None, milliseconds: int) -> None:
        """Let a worker keep a task. Raises UnknownExternalTask as soon as it should stop, Invalid for what is over."""
        act = partial(steps.extend, wanted=read_id(task_id), worker=worker, milliseconds=_lasting(milliseconds))
        self._step(task_id, act)

    def tell(
        self, task_id: str, worker: str | None, *, percent: float | None = None, lines: Sequence[str] = ()
    ) -> None:
        """Say how far a task is, from 0 to 100, and lines for its log, which are shown while it is carried out.

        Raises UnknownExternalTask as soon as the worker should stop, Invalid where it has not got the task.
        """
        share = None if percent is None else max(0, min(100, int(percent)))
        told = tuple(cut(jsontext.storable(line), LONGEST_LOG_LINE) for line in lines[-MOST_LOG_LINES:])
        act = partial(steps.tell, wanted=read_id(task_id), worker=worker, percent=share, lines=told)
        self._step(task_id, act)

    def lock(self, task_id: str, worker: str, milliseconds: int) -> None:
        """Give one task to a worker; raises UnknownExternalTask, Invalid while another has it or its quota is full."""
        losses = self.facilities.limits.lost_locks
        act = partial(
            steps.lock_one,
            wanted=read_id(task_id),
            worker=_name(worker),
            milliseconds=_lasting(milliseconds),
            most_losses=losses,
        )
        taken: Lock | None = self._step(task_id, act)
        if taken is not None and not taken.is_held:
            text = f"External task {task_id} waits for a slot of its quota: it is offered again when it has one."
            raise Invalid(text, code="quota-full")

    def unlock(self, task_id: str) -> None:
        """Offer a task again; raises UnknownExternalTask."""
        self._step(task_id, partial(steps.unlock, wanted=read_id(task_id)))

    def set_priority(self, task_id: str, priority: int) -> None:
        """Have a task fetched before or after others; raises UnknownExternalTask."""
        if not -(2**31) <= priority < 2**31:
            raise Invalid("A priority is a number of 32 bits.", code="fields-invalid")
        self._step(task_id, partial(steps.set_priority, wanted=read_id(task_id), priority=priority))

    def set_retries(self, task_id: str, retries: int) -> None:
        """Let the next fetch tell another number of tries that are left; raises UnknownExternalTask."""
        if not 0 <= retries < 2**31:
            raise Invalid("The number of retries is below zero.", code="fields-invalid")
        self._step(task_id, partial(steps.set_retries, wanted=read_id(task_id), retries=retries))

    def _step(self, task_id: str, act: Callable[..., Any]) -> Any:
        number = read_id(task_id).task_id
        with engine_errors():
            row = self.facilities.store.task(number)
            instance = None if row is None else self.facilities.store.instance(row.process_instance_id)
        strange = instance is None or (self.owner is not None and instance.owner_name != self.owner)
        if row is None or strange or not self.may(topic_asked(row, read_id(task_id))):
            raise UnknownExternalTask(task_id)
        return self._pump.step(lambda turn: act(turn.instance(row.process_instance_id)))

    def _check(self, worker: str, topics: Sequence[Topic]) -> None:
        _name(worker)
        for topic in topics:
            _name(topic.name)
            _lasting(topic.lock)
            if not self.may(topic.name):
                raise TopicRefused(topic.name)


def _filter(topic: Topic, owner: str | None) -> ExternalFilter:
    wanted = ExternalFilter(
        topics=[topic.name],
        owners=topic.owners,
        keys=topic.keys,
        deployment_ids=topic.deployment_ids,
        business_key=topic.business_key,
        version_tag=topic.version_tag,
        locked=False,
    )
    return owned(wanted, owner)


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise Invalid(f"A worker or topic has 1 to {LONGEST_NAME} printable characters.", code="fields-invalid")
    return text


def _lasting(milliseconds: int) -> int:
    if not 0 < milliseconds <= LONGEST_LOCK:
        raise Invalid(f"A task is locked for 1 to {LONGEST_LOCK} milliseconds.", code="fields-invalid")
    return milliseconds


def _text(text: str | None, longest: int) -> str:
    return jsontext.storable(text or "")[:longest]
