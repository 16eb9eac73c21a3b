"""The slots of quotas that an instance's tasks ask for, and when they need them no more.

The commit decides who gets one (:mod:`riverstone.models.commit.quota_changes`). A task keeps its slot as long as
a hook of it may act: while it is in hand, between two looks of its monitor, while somebody outside has
it, and as a straggler.

A task that workers fetch takes its slot when it is fetched. Where that finds no room it stands in line like any other,
and when its turn has come it is offered with a slot that is reserved for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ....models import (
    EXTERNAL,
    Changes,
    Decided,
    ExternalRow,
    QuotaChanges,
    QuotaClaim,
    QuotaRow,
    QuotaSlotRow,
    TaskRow,
)
from ....models.vocabulary import TaskStatus
from ... import jsontext
from ...ledger import deferral, ledger, secrets
from ...stones.quota import Quota
from .offers import lock_of

if TYPE_CHECKING:
    from ...stones.stone import Stone
    from ..facilities import Facilities
    from ..instance import Instance

LONGEST_VALUE = 200


def claim(instance: Instance, row: TaskRow, stone: type[Stone]) -> None:
    """Ask for a slot for a row that is about to be handed over; the commit decides.

    What workers are to fetch asks now only when its turn in line has come.
    """
    if not stone.external or "reserved" in ledger.kept(row):
        _claim(instance, row, stone, _HandOver(instance, row))


def fetch(instance: Instance, row: TaskRow, stone: type[Stone]) -> Fetch | None:
    """Ask for a slot for a row that a worker is about to get, unless one is reserved for it; the commit decides.

    None where it has one already. To be called before the row says that its hook may begin.
    """
    if "reserved" in ledger.kept(row):
        ledger.drop(row, "reserved")
        return None
    decided = Fetch(instance, row)
    _claim(instance, row, stone, decided)
    decided.begin()
    return decided


def _claim(instance: Instance, row: TaskRow, stone: type[Stone], decided: Decided) -> None:
    """Ask for a slot for the row's present hook, if its stone has a quota."""
    quota = instance.facilities.stones.quotas.get(stone) if row.event != "mock" else None
    before = ledger.kept(row).get("quota")
    number = None if quota is None else _number(instance, row, stone, quota)
    if before is not None and before != number:
        _changes(instance).free(row.id, before, instance.row.owner_name)
        ledger.drop(row, "quota")
    if quota is None or number is None:
        return
    if before != number:
        ledger.keep(row, quota=number)
    is_new = row.id in instance.changes.new_tasks
    undo = row.target is not None or row.kind == ledger.COMPENSATION or row.event not in ("start", "monitor")
    slot = QuotaSlotRow(
        task_id=row.id,
        process_instance_id=instance.number,
        quota_id=number,
        undo=int(undo),
        held=0,
        owner_name=instance.row.owner_name or "",
        priority=-int(ledger.kept(row).get("priority", instance.row.priority)),
        created=row.created,
        since=instance.now(),
    )
    _changes(instance).claim(QuotaClaim(slot, quota.at_once, quota.per_minute, is_new, decided))


def free(instance: Instance, row: TaskRow) -> None:
    """Set a row's slot free, unless a hook of it may act or it waits for one."""
    if "quota" in ledger.kept(row) and not (may_act(instance, row) or (row.open and row.status == "queued")):
        leave_line(instance, row)


def leave_line(instance: Instance, row: TaskRow) -> None:
    """A row that waits in line, or has a slot, is not to begin now: it asks again when it is."""
    kept = ledger.kept(row)
    if "quota" in kept:
        _changes(instance).free(row.id, kept["quota"], instance.row.owner_name)
    if "reserved" in kept:
        ledger.drop(row, "reserved")
        instance.changes.task_changed(row)
        instance.changes.instance_changed(instance.row)


def may_act(instance: Instance, row: TaskRow) -> bool:
    """Whether a hook of the row may do something in the world now."""
    if any(owner is not None for owner in instance.stragglers.of(row.id).values()):
        return True
    if not row.open:
        return False
    if row.event == "monitor" or (row.event == "start" and deferral.is_deferred(row)):
        return True
    if row.owner == EXTERNAL:
        # Also one whose lock is over: until another fetches the task it may go on.
        lock = lock_of(instance, row)[0]
        return lock is not None and lock.worker is not None
    return row.status not in ledger.HELD_BACK and row.due is None


def changes_of(changes: Changes, facilities: Facilities) -> QuotaChanges:
    """What a commit changes of quotas."""
    if changes.quotas is None:
        changes.quotas = facilities.quotas.changes()
    return changes.quotas


def _changes(instance: Instance) -> QuotaChanges:
    return changes_of(instance.changes, instance.facilities)


def _number(instance: Instance, row: TaskRow, stone: type[Stone], quota: Quota) -> int:
    """That of the quota, for the value that the row has of the parameter."""
    value = jsontext.read(row.parameters).get(quota.by) if quota.by is not None else None
    return number_of(instance, quota.name or stone.code, value, quota)


def number_of(instance: Instance, name: str, value: object, quota: Quota) -> int:
    """That of the quota with this name, for one value of what it is counted by."""
    facilities = instance.facilities
    key = jsontext.dumps(value)
    if (known := facilities.quotas.known(name, key)) is not None:
        return known
    shown = None
    if quota.by is not None:
        shown = value if isinstance(value, str) else key
        # An undo has no variables of its own.
        of: Instance = getattr(instance, "origin", instance)
        mask = secrets.mask_of(of.definition, lambda: of.context.parameters, (), facilities.stones)
        # A part of a secret would not be known for one.
        shown = (shown if mask is None else mask.mask_text(shown))[:LONGEST_VALUE]
    new = QuotaRow(facilities.store.ids.next(), "", name, shown, quota.at_once, quota.per_minute)
    return facilities.quotas.number(name, key, new)


class _Given(NamedTuple):
    """What a hand-over has made of a row."""

    status: TaskStatus
    owner: str | None
    deadline: int | None
    handed: int
    offered: ExternalRow | None
    is_submitted: bool


class _HandOver:
    """What becomes of a row that was handed over in a step, as its commit decides."""

    def __init__(self, instance: Instance, row: TaskRow) -> None:
        self._instance = instance
        self._row = row
        self._handed = row.handed
        self._given: _Given | None = None
        """What was taken back, which a commit that was not answered is asked for once more."""

    def granted(self) -> None:
        given, row, instance = self._given, self._row, self._instance
        if given is None:
            return
        row.status, row.owner, row.deadline, row.handed = given[:4]
        if given.offered is not None:
            instance.changes.rare.external[row.id] = given.offered
        if given.is_submitted:
            instance.to_hand_over.append(row)
        self._given = None

    def refused(self) -> None:
        """It waits, and so does what was to be offered to workers."""
        if self._given is not None:
            return
        row, instance = self._row, self._instance
        external, submitted = instance.changes.rare.external, instance.to_hand_over
        is_submitted = any(each is row for each in submitted)
        self._given = _Given(row.status, row.owner, row.deadline, row.handed, external.get(row.id), is_submitted)
        row.status, row.owner, row.due, row.deadline, row.handed = "queued", None, None, None, self._handed
        instance.to_hand_over = [each for each in submitted if each is not row]
        if row.id in external:
            external[row.id] = None


class Fetch:
    """What becomes of a row that a worker is about to get, as its commit decides."""

    def __init__(self, instance: Instance, row: TaskRow) -> None:
        self._instance = instance
        self._row = row
        self._state = row.state
        self._given: tuple[TaskStatus, str | None, str | None, ExternalRow | None] | None = None
        """What was taken back, as for a hand-over."""

    @property
    def is_held(self) -> bool:
        """Whether the worker has got it."""
        return self._given is None

    def begin(self) -> None:
        """The row says from now on that its hook may have begun."""
        self._state = self._row.state

    def granted(self) -> None:
        if self._given is not None:
            row = self._row
            row.status, row.owner, row.state, self._instance.changes.rare.external[row.id] = self._given
            self._given = None

    def refused(self) -> None:
        if self._given is not None:
            return
        row, external = self._row, self._instance.changes.rare.external
        self._given = row.status, row.owner, row.state, external.get(row.id)
        row.status, row.owner, row.due, row.deadline, row.state = "queued", None, None, None, self._state
        ledger.keep(row, reserved=True)
        external[row.id] = None
