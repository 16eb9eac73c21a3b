"""Where dispatchers report to: what came of tasks, turned into events of the river."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from ...models import Declarations, HandedRow, Handovers, InstanceRow, StoreError, Suspensions
from .. import jsontext
from ..dispatch.inline import InlineDispatcher
from ..errors import Unknown, UnknownProcessInstance
from ..instance.facilities import Facilities, what_is_suspended
from ..ledger.ledger import delivery
from ..observing import logs
from ..secret_sources.source import Secrets
from ..steps import due, live_log, outcomes
from ..steps import saving as steps_saving
from ..steps.draining import is_stopped
from ..stones.hooks.opened import OpenStones
from ..stones.registry import declaration_of
from ..stones.stone import Stone
from ..work import CHECK, LiveLines, Outcome, Saving, Work
from .engines.lease import Lease
from .river import River
from .turn import Action, Turn

logger = logging.getLogger("riverstone.engine")

MOST_AT_ONCE = 100
WAITED = 0.1
"""Seconds for which what was handed over is taken to be as it was committed."""


class RiverReports:
    """Where one engine's dispatcher reports to: outcomes become actions of the river."""

    def __init__(self, facilities: Facilities, river: River, lease: Lease, secrets: Secrets) -> None:
        self.facilities = facilities
        self.secrets = secrets
        self.opened = OpenStones()
        self.limits = facilities.limits
        self.handovers = Handovers(facilities.store)
        self._declarations = Declarations(facilities.store)
        self._suspended = Suspensions(facilities.store)
        self._river = river
        self._lease = lease
        self._stamp = (0, 0)
        self._learning = threading.Lock()

    @property
    def engine_id(self) -> str:
        """The engine's, for now."""
        return self.facilities.engine_id

    def may_begin(self, work: Work, waited: float) -> bool:
        """Whether the hook of work that was submitted so many seconds ago may begin.

        One that is to stop never begins; what the store cannot be asked about is handed over again when it answers.
        """
        facilities = self.facilities
        if work.event == "check":
            return self._may_check(work.stone)
        # Of which key it is the work does not say.
        if waited <= WAITED and self._lease.covers(waited) and not facilities.suspended:
            return True
        try:
            found = facilities.store.in_hand(work.task_id, work.delivery, facilities.engine_id)
            suspended = found is not None and self._is_suspended(found, work.stone, work.event)
        except StoreError:
            self._river.post(lambda turn: self._river.note_out_of_hand(work.process_instance_id))
            return False
        if found is not None and (suspended or is_stopped(found)):
            self._river.post_outcomes([Outcome.of(work, "withdrawn")])
            return False
        return found is not None

    def stone_for(self, work: Work) -> type[Stone] | None:
        """The class that carries out this work; without one, the task waits for its stone."""
        stone = self.facilities.stones.choose(work.stone, work.parameters)
        if stone is None:
            self._river.post(lambda turn: outcomes.stone_is_gone(turn.instance(work.process_instance_id), work.task_id))
        return stone

    def tokens(self, work: Work) -> tuple[str, str | None]:
        """The token by which somebody outside may complete this task, and the address of its callback."""
        made = self.facilities.tokens
        token = made.token_of(work.task_id, int(work.start_key.rpartition("-")[2]))
        return token, made.url_of(token)

    def is_awaited(self, work: Work) -> bool:
        """Whether the hook of this work is a coroutine function, as far as is known now."""
        return self.facilities.stones.is_awaited(work.stone, work.hook or work.event, work.parameters)

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Queue what came of tasks."""
        self.facilities.observers.tell_events(outcomes)
        self._river.post_outcomes(outcomes)

    def tell_lines(self, told: LiveLines) -> None:
        """Enter what a running hook has logged so far.

        The thread that keeps an inline engine going is in the hook, so there the one that tells does it itself.
        """

        def tell(turn: Turn) -> None:
            live_log.tell(turn.instance(told.process_instance_id), told)

        if isinstance(self.facilities.dispatcher, InlineDispatcher):
            with suppress(Unknown):
                self._river.now(tell)
        else:
            self._river.post(tell)

    def report_progress(self, work: Work, percent: int, text: str | None) -> None:
        """Queue how far a running task is."""
        self.progressed(work.process_instance_id, work.task_id, work.attempt, percent)

    def save(self, saving: Saving) -> None:
        """Keep what a start saves; returns once that is durable. Raises Conflict where its task has ended."""

        def keep(turn: Turn) -> bool:
            return steps_saving.save(turn.instance(saving.process_instance_id), saving)

        inline = isinstance(self.facilities.dispatcher, InlineDispatcher)
        if not (self._river.now if inline else self._river.ask)(keep):
            raise steps_saving.ended(saving.task_id)

    # -- for dispatchers whose workers are on other machines

    def enter_saving(self, saving: Saving) -> Future[str | None]:
        """Queue what a start saves; the future tells once it is durable, and then why its task waits no more, if so."""

        def keep(turn: Turn) -> str | None:
            is_awaited = steps_saving.save(turn.instance(saving.process_instance_id), saving)
            return None if is_awaited else steps_saving.ended(saving.task_id).message

        return self._river.submit(keep)

    def progressed(self, process_instance_id: int, task_id: int, attempt: int, percent: int) -> None:
        """Queue how far a running task is."""
        self._river.post(
            lambda turn: outcomes.progressed(turn.instance(process_instance_id), task_id, attempt, percent)
        )

    def enter(self, outcome: Outcome) -> Future[Any]:
        """Queue what came of a task; the future tells when that is durable, or why it cannot be."""
        if outcome.result != "supplied":
            self.facilities.observers.tell_events([outcome])
        return self._river.submit_outcome(outcome)

    def drop_stale(self, process_instance_ids: Iterable[int]) -> None:
        """Queue that copies are forgotten which another engine has changed, so that none spoils a batch of results."""
        numbers = tuple(process_instance_ids)
        self._river.post(lambda turn: turn.cache.drop_stale(numbers, turn.instances))

    def lose(self, task_id: int, process_instance_id: int, delivery: int) -> bool:
        """Whoever had this delivery of a task is lost; an engine offers the task anew, or gives it up."""
        return self.handovers.lose(task_id, process_instance_id, delivery, self.facilities.clock.now())

    def works_in_hand(self, rows: Sequence[HandedRow]) -> list[Work]:
        """What was handed over, once more and as the same deliveries; without what is no longer in hand."""
        found: list[Work] = []
        for start in range(0, len(rows), MOST_AT_ONCE):

            def read(turn: Turn, some: Sequence[HandedRow] = rows[start : start + MOST_AT_ONCE]) -> list[Work]:
                turn.cache.drop_stale({row.process_instance_id for row in some}, turn.instances)
                return [work for row in some if (work := _in_hand(turn, row)) is not None]

            found += self._river.ask(read)
        return found

    def may_worker_begin(self, task_id: int, delivery: int) -> bool:
        """Whether the hook of a delivery in a worker's hands may begin; raises StoreError."""
        if delivery == CHECK:
            looked_at = self.facilities.store.task(task_id)
            return looked_at is not None and self._may_check(looked_at.stone or "")
        found = self.handovers.in_hand(task_id, delivery)
        if found is None or is_stopped(found):
            return False
        task = self.facilities.store.task(task_id)
        return task is not None and not self._is_suspended(found, task.stone or "", task.event)

    def _may_check(self, stone: str) -> bool:
        try:
            return ("stone", stone) not in self._suspended.names()
        except StoreError:
            return False

    def _is_suspended(self, found: InstanceRow, stone: str, event: str) -> bool:
        """Whether no hook but a look of a monitor may begin; raises StoreError."""
        if event == "monitor":
            return False
        return what_is_suspended(found, stone, self._suspended.names()) is not None

    # -- stones that workers declare

    def declare(self, declarations: Iterable[Mapping[str, Any]]) -> None:
        """Keep what workers say of their stones; raises Invalid for what is no declaration.

        Hooks and secrets stay that the ledger's tasks may rely on, until :meth:`forget` is asked for: whoever may
        write to the queue, an old worker too, could otherwise end all undo of a stone or have its secrets shown.
        """
        from ..stones import remote  # late, like all that imports marshmallow

        self.learn()
        rows = []
        for each in declarations:
            declaration: Mapping[str, Any] = remote.checked(each)
            code, serves = declaration["code"], declaration.get("serves", {})
            for stone in self.facilities.stones.known_to_serve(code):
                # Tasks that this one has served would be those of the more particular one.
                if stone.serves != serves and stone.serves.items() <= serves.items():
                    declaration = self._kept(declaration, remote.declared(stone))
            rows.append((code, jsontext.dumps(serves), jsontext.dumps(declaration)))
        self._declarations.save(rows, self.facilities.clock.now(), self._replaced)
        self.learn()

    def forget(self, code: str) -> bool:
        """Forget what workers have declared of a stone; whether there was anything."""
        found = self._declarations.forget(code) > 0
        self.learn()
        return found

    def _replaced(self, before: str, text: str) -> str:
        declaration, old = (jsontext.loads(each, limits=self.limits) for each in (text, before))
        return jsontext.dumps(self._kept(declaration, old))

    def _kept(self, declaration: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        """The declaration, with what tasks may need that one before had."""
        from ..stones import remote  # late, like all that imports marshmallow

        whole, lost = remote.kept(declaration, before)
        code = str(declaration["code"])
        if not lost or not self._declarations.has_tasks(code, declaration.get("serves", {})):
            return declaration
        text = (
            "stone %s was declared without %s, which stay for the tasks that there are: see 'riverstone stone forget'"
        )
        logger.warning(text, code, " and ".join(lost))
        return whole

    def learn(self) -> None:
        """Take in what workers have declared to any engine; tasks that waited for such a stone go on."""
        with self._learning:
            stamp = self._declarations.stamp()
            if stamp == self._stamp:
                return
            from ..stones import remote  # late, like all that imports marshmallow

            rows = self._declarations.all()
            stones = []
            for row in rows:
                try:
                    stone = remote.stone_of(remote.checked(jsontext.loads(row.declaration, limits=self.limits)))
                    declaration_of(stone)
                except Exception as error:
                    # The others are known all the same.
                    logger.error("what was declared of stone %r cannot be read: %s", row.code, logs.where(error))
                else:
                    stones.append(stone)
            self.facilities.stones.learn(stones)
            self._stamp = stamp
        names = [*(row.code for row in rows), *(alias for stone in stones for alias in stone.aliases)]
        codes = names if self.facilities.dispatcher.remote else [*self.facilities.stones.external]
        if codes:
            self.stones_are_back(codes)

    def stones_are_back(self, codes: Sequence[str]) -> None:
        """Queue that tasks which waited for these go on."""
        self._river.post(*self.goings_on(codes))

    def goings_on(self, codes: Sequence[str]) -> list[Action]:
        """For each task that waits for one of these stones, which are there by now, the action that lets it go on."""
        # One that still missed them is in the store by then.
        self._river.let_step_end()
        return [
            partial(_stone_is_back, number=row.process_instance_id, task_id=row.id)
            for row in self.facilities.store.missing_stone_tasks(codes)
        ]


def _stone_is_back(turn: Turn, *, number: int, task_id: int) -> None:
    due.goes_on(turn.instance(number), task_id)


def _in_hand(turn: Turn, row: HandedRow) -> Work | None:
    """A task that was handed over, unless it has gone on since."""
    try:
        instance = turn.instance(row.process_instance_id)
    except UnknownProcessInstance:
        return None
    task = instance.tasks.get(row.task_id)
    same = task is not None and task.open and task.due is None and delivery(task) == row.delivery
    return instance.work(task) if task is not None and same else None
