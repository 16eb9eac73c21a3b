"""The engine's calls that have stones look whether what they made is still there: once, or again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import uuid4

from ...models import StoreError
from ...models.operating.check_schedules import CheckSchedules
from ...models.row_types.batches import CheckScheduleRow
from ...models.search.resources import ResourceFilter, Resources
from .. import jsontext
from ..bpmn.running.timers.cycles import Cycle, read_cycle
from ..clock import moment
from ..errors import Conflict, ExpressionError, Invalid, RiverstoneError, Unknown, UnknownProcessInstance, UnknownTask
from ..instance.instance import Instance
from ..operating.audit import present_call
from ..steps import checking
from ..store_errors import engine_errors
from ..views.processes import ProcessInstance
from ..views.resources import CheckSchedule, Resource
from .repair.batch_requests import check_rate
from .resources import ResourceCalls
from .workings import number_of

logger = logging.getLogger("riverstone.engine")

RATE = 5.0
"""Processes a second, where a schedule says nothing else: others are not to notice it."""
LONGEST_TEXT = 255


class UnknownCheckSchedule(Unknown):
    """No schedule of checks has this id."""

    code = "unknown-check-schedule"

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier[:100], f"No schedule of checks has the id {identifier[:100]!r}: list them.")


class CheckCalls(ResourceCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def check(self, process_instance_id: str) -> tuple[Resource, ...]:
        """Ask the stones of a process whether what they made is still there, and as it was.

        It changes nothing but what is known, which :meth:`resources` tells. An inline engine has asked when this
        returns; else answers come in later, and what is returned are those of before. At most 500 are returned. Many
        processes are checked by a batch, or by :meth:`schedule_checks`.

        Raises UnknownProcessInstance, Conflict while that is being undone.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._pump.step(lambda turn: checking.check(turn.instance(number)))
        return self.resources(process_instance_id=process_instance_id, limit=500).items

    def accept_gone(self, process_instance_id: str, tasks: Sequence[str] = ()) -> ProcessInstance:
        """Take what the last check has found gone for undone: that of these tasks, or all of it.

        No undo calls their hooks any more. Raises UnknownProcessInstance, UnknownTask, Conflict.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        numbers = [number_of(task_id, UnknownTask) for task_id in tasks]

        def accept(instance: Instance) -> None:
            checking.accept_gone(instance, numbers, Resources(self._store).checks_of(number))

        self._asked("accept-gone", number, accept, retained=list(tasks) or None)
        return self.get(process_instance_id)

    def schedule_checks(
        self,
        every: str,
        *,
        stone: str | None = None,
        key: str | None = None,
        rate: float = RATE,
        owner: str | None = None,
    ) -> CheckSchedule:
        """Check what exists by the ledger again and again, whichever engines of the store are there.

        Each turn is a batch of the action ``check``, begun by one engine. A turn that comes while the one before is
        still under way is skipped, as are those that came while no engine was there.

        Args:
            every: When: an ISO 8601 repetition such as ``R/PT6H``, a duration such as ``PT6H``, or cron such as
                ``0 3 * * *``; no more often than the limit ``check_interval`` allows (once a minute).
            stone: Only what the stone with this code made.
            key: Only in processes of this key.
            rate: The most processes a second, from 0.001 to 10,000.
            owner: Only in processes of this owner.

        Raises Invalid, Conflict where there are as many as the limit ``check_schedules`` allows (100).
        """
        check_rate(rate)
        for name, text in (("stone", stone), ("key", key)):
            if text is not None and not 0 < len(text) <= LONGEST_TEXT:
                wrong = f"Must be a text of 1 to {LONGEST_TEXT} characters."
                raise Invalid(f"The {name} is empty or too long.", code="fields-invalid", errors={name: [wrong]})
        now, call = self.clock.now(), present_call()
        due, cycle = _read(every, now, self.limits.check_interval)
        row = CheckScheduleRow(
            id=str(uuid4()),
            every=every,
            cycle=jsontext.dumps([*cycle]),
            due=due,
            stone=stone,
            key=key,
            rate=rate,
            created=now,
            client="" if call is None else call.client[:LONGEST_TEXT],
            owner_name=owner,
        )
        with engine_errors():
            if len(self._check_schedules.all(None)) >= (most := self.limits.check_schedules):
                text = f"There are {most} schedules of checks already (limit check_schedules): remove one."
                raise Conflict(text, code="check-schedules")
            self._check_schedules.add(row)
        return _shown(row)

    def check_schedules(self, *, owner: str | None = None) -> tuple[CheckSchedule, ...]:
        """When what exists is checked by itself, and what came of the last turns; the oldest schedule first."""
        with engine_errors():
            return tuple(map(_shown, self._check_schedules.all(owner)))

    def unschedule_checks(self, schedule_id: str, *, owner: str | None = None) -> None:
        """Check no more by this schedule; a turn that has begun goes on as a batch. Raises UnknownCheckSchedule."""
        with engine_errors():
            if not self._check_schedules.remove(schedule_id, owner):
                raise UnknownCheckSchedule(schedule_id)

    def pause_checks(self, schedule_id: str, *, owner: str | None = None) -> CheckSchedule:
        """Let no turn of a schedule begin until :meth:`resume_checks`; one that has begun goes on as a batch.

        Raises UnknownCheckSchedule, and Conflict (``check-schedule-over``) for one that comes no more.
        """

        def pause(row: CheckScheduleRow, cycle: Any) -> tuple[int | None, Any]:
            return None, {"cycle": cycle, "due": row.due}

        return self._change_checks(schedule_id, owner, pause, paused=True)

    def resume_checks(self, schedule_id: str, *, owner: str | None = None) -> CheckSchedule:
        """Let a schedule go on that was paused; turns that would have come meanwhile are skipped.

        Raises UnknownCheckSchedule.
        """

        def resume(row: CheckScheduleRow, held: Any) -> tuple[int | None, Any]:
            now = self.clock.now()
            if held["due"] > now:
                return held["due"], held["cycle"]
            found = Cycle.of(held["cycle"]).following(held["due"], now + 1)
            return (None, held["cycle"]) if found is None else (found[0], [*found[1]])

        return self._change_checks(schedule_id, owner, resume, paused=False)

    def _change_checks(
        self,
        schedule_id: str,
        owner: str | None,
        change: Callable[[CheckScheduleRow, Any], tuple[int | None, Any]],
        *,
        paused: bool,
    ) -> CheckSchedule:
        """Change a schedule as it is now, once more where another engine has begun a turn of it meanwhile."""
        with engine_errors():
            while True:
                row = self._check_schedules.schedule(schedule_id)
                if row is None or owner not in (None, row.owner_name):
                    raise UnknownCheckSchedule(schedule_id)
                held = jsontext.read(row.cycle)
                if row.is_paused is paused:
                    return _shown(row)
                if row.due is None and paused:
                    text = f"The schedule {schedule_id} comes no more: remove it, or add another."
                    raise Conflict(text, code="check-schedule-over")
                due, cycle = change(row, held)
                after = replace(row, due=due, cycle=jsontext.dumps(cycle))
                if self._check_schedules.change(row, after.due, after.cycle):
                    return _shown(after)

    # -- their turns

    @property
    def _check_schedules(self) -> CheckSchedules:
        return CheckSchedules(self._store)

    def _begin_due_checks(self, now: int) -> bool:
        """Begin the turns that have come and that no other engine has begun; whether there were any."""
        begun = False
        for row in self._check_schedules.due(now):
            found = Cycle.of(jsontext.read(row.cycle)).following(row.due or now, now + 1)
            due, cycle = (None, row.cycle) if found is None else (found[0], jsontext.dumps([*found[1]]))
            if not self._check_schedules.move(row, due, cycle, now):
                continue
            begun = True
            if self._pump.inline is not None:
                self._begin_checks(row)
            else:
                # Which processes there are may take long to find out.
                threading.Thread(target=self._begin_checks, args=(row,), name="riverstone-checks", daemon=True).start()
        return begun

    def _begin_checks(self, row: CheckScheduleRow) -> None:
        try:
            # As it is now that the turn is this engine's: the batch before may have been noted since it was found due.
            if (present := self._check_schedules.schedule(row.id)) is None:
                return
            batch_id, reason = self._checks_of_turn(present)
            self._check_schedules.note(row.id, batch_id, reason)
        except (RiverstoneError, StoreError) as error:
            logger.warning("a turn of the checks %s could not be begun: %s", row.id, error)

    def _checks_of_turn(self, row: CheckScheduleRow) -> tuple[str | None, str | None]:
        """The batch of a turn, or why there is none."""
        before = None if row.batch_id is None else self._records_of_batches.batch(row.batch_id)
        if before is not None and before.state in ("running", "paused"):
            return None, "The checks before had not ended, so these were left out."
        most = self.limits.batch_processes
        wanted = ResourceFilter(stone=row.stone, key=row.key, owner=row.owner_name)
        numbers = Resources(self._store).processes(wanted, most=most + 1)
        if not numbers:
            return None, "Nothing exists that could be checked."
        left_out = None
        if len(numbers) > most:
            left_out = f"More than {most} processes have something (limit batch_processes): the newest were left out."
        searched = {name: text for name, text in (("stone", row.stone), ("key", row.key)) if text is not None}
        options = {} if row.stone is None else {"stone": row.stone}
        about: dict[str, Any] = {"client": row.client, "owner": row.owner_name, "rate": row.rate}
        batch_id = self._prepare("check", options, searched, numbers[:most], **about)
        self._change(batch_id, None, "running", ("preparing",))
        return batch_id, left_out


def _read(every: str, now: int, interval: float) -> tuple[int, Cycle]:
    """When a schedule comes first, and what is to come of it, no more often than in so many seconds; raises Invalid."""
    try:
        if len(every) > LONGEST_TEXT:
            raise ExpressionError(f"A schedule has at most {LONGEST_TEXT} characters.")
        repeated = f"R/{every.strip()}" if every.strip().startswith("P") else every
        cycle, begins = read_cycle(repeated, now, 1, sunday=0)
        found = cycle.first(now) if begins else cycle.following(cycle.start, cycle.start)
        if found is None:
            raise ExpressionError(f"The schedule {every!r} never comes.")
        due, cycle = found
        times = [due, *cycle.turns(due, 4)]
        fastest = 1000 * interval
        if min((after - before for before, after in pairwise(times)), default=fastest) < fastest:
            text = f"The schedule {every!r} comes more often than every {interval:g} seconds (limit check_interval)."
            raise ExpressionError(text)
    except ExpressionError as error:
        text = error.message
        raise Invalid(text, code="check-schedule-invalid", errors={"every": [text]}) from None
    return due, cycle


def _shown(row: CheckScheduleRow) -> CheckSchedule:
    return CheckSchedule(
        schedule_id=row.id,
        every=row.every,
        stone=row.stone,
        key=row.key,
        rate=row.rate,
        next=moment(row.due),
        last=moment(row.last),
        batch_id=row.batch_id,
        reason=row.reason,
        created=moment(row.created),
        client=row.client or None,
        owner=row.owner_name,
        paused=row.is_paused,
    )
