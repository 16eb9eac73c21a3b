"""What the steps of one commit ask of quotas, decided as it is written.

A step only asks for a slot. Its commit holds the row of the quota and decides: who gets one is handed over, and who
does not is written as one that waits. So no two engines count on the same slot, and none that becomes free is missed.
The commit that frees one tells its engine that somebody may go on; should that die over it, ``due`` tells the others.

Whoever waits stands in the line of its owner, by priority and age; the owners get one turn after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..databases.statements import Delete, Insert, Statement, Update, Writer, select
from ..errors import QuotaGone
from ..row_types.quotas import QuotaRow, QuotaSlotRow

MINUTE = 60_000
GIVEN_TIME = 1000
"""Milliseconds after which other engines see to what an engine was about to let go on."""


class Decided(Protocol):
    """What becomes of a task that has asked for a slot; asked once more where a commit was not answered."""

    def granted(self) -> None:
        """Its hook may be called once this is committed."""

    def refused(self) -> None:
        """It waits."""


@dataclass(slots=True)
class QuotaClaim:
    """One task that asks for a slot; ``is_new`` is one that can have none yet."""

    slot: QuotaSlotRow
    at_once: int | None
    per_minute: int | None
    is_new: bool
    decided: Decided


class QuotaChanges:
    """What the steps of one commit ask for and set free; decided when it is written."""

    def __init__(self, now: str) -> None:
        """``now`` is the question for the database's time."""
        self._now = now
        self.claims: dict[int, QuotaClaim] = {}
        self.freed: dict[tuple[int, int], str | None] = {}
        """Quotas and tasks that hold nothing of it any more, nor wait for it, with the owners of the tasks."""
        self.served: list[int] = []
        """Quotas of which somebody may go on who waits."""

    def claim(self, claim: QuotaClaim) -> None:
        """Ask for a slot for a task."""
        self.freed.pop((claim.slot.quota_id, claim.slot.task_id), None)
        self.claims[claim.slot.task_id] = claim

    def free(self, task_id: int, quota_id: int, owner: str | None) -> None:
        """The task needs none any more."""
        claim = self.claims.get(task_id)
        if claim is not None and claim.slot.quota_id == quota_id:
            del self.claims[task_id]
        self.freed[quota_id, task_id] = owner

    def decide(self, writer: Writer) -> None:
        """Write who holds what and who waits, within a transaction and before anything else.

        The rows of the quotas are held until it ends. Raises QuotaGone where one is not there any more.
        """
        self.served = []
        claims: dict[int, list[QuotaClaim]] = {quota_id: [] for quota_id, _ in self.freed}
        for claim in self.claims.values():
            claims.setdefault(claim.slot.quota_id, []).append(claim)
        # In the same order everywhere, so that no two commits wait for each other.
        for quota_id in sorted(claims):
            freed = {task: owner or "" for (number, task), owner in self.freed.items() if number == quota_id}
            self._decide(writer, quota_id, claims[quota_id], freed)

    def _decide(self, writer: Writer, quota_id: int, claims: list[QuotaClaim], freed: dict[int, str]) -> None:
        found = writer.find(HOLD, (quota_id,))
        if not found:
            if claims:
                raise QuotaGone("a quota that was not used for long is gone")
            return
        # Only now: whoever waited for the row would have an earlier time than those it waited for.
        writer.cursor.execute(self._now)
        count = _Count(writer, QuotaRow(*found[0]), int(writer.cursor.fetchone()[0]))
        if freed:
            writer.write(DELETE_SLOT, [(task_id, quota_id) for task_id in freed])
        count.begin()
        if claims:
            count.row.at_once, count.row.per_minute = claims[-1].at_once, claims[-1].per_minute
        for claim in sorted(claims, key=lambda each: -each.slot.undo):
            count.take(claim)
        count.write(freed.values())
        if count.is_served:
            self.served.append(quota_id)


class _Count:
    """What is used of one quota, within a commit that holds its row."""

    def __init__(self, writer: Writer, row: QuotaRow, now: int) -> None:
        self.writer = writer
        self.row = row
        self.now = now
        self.held = [0, 0]
        """Slots that are held: forward, and by what takes something back."""
        self.waiting = [False, False]
        self.is_served = False
        self._first = row.granted
        self._slots: list[QuotaSlotRow] = []
        self._known: list[tuple[int, int]] = []
        """Tasks that had a slot or waited for one."""
        self._owners: set[str] = set()
        """Those whose lines may have come to their ends."""
        self._joined: set[tuple[int, str]] = set()

    def begin(self) -> None:
        """Count what is there."""
        for undo, held in self.writer.find(COUNT_HELD, (self.row.id,)):
            self.held[undo] = int(held)
        self.waiting = [self._has_line(undo) for undo in (0, 1)]

    def _has_line(self, undo: int) -> bool:
        return self.writer.finds(HAS_LINE, self.row.id, undo)

    def take(self, claim: QuotaClaim) -> None:
        """Decide about one task."""
        slot = claim.slot
        found = () if claim.is_new else self.writer.find(SLOT, (slot.task_id, self.row.id))
        in_line = keeps = False
        for undo, held in found:
            self._known.append((slot.task_id, self.row.id))
            same = undo == slot.undo
            in_line, keeps = same and not held, same and bool(held)
            if held:
                # Another delivery of the same, or it goes on in the other direction.
                self.held[undo] -= 1
            else:
                self._owners.add(slot.owner_name)
        if (in_line or keeps or not self.waiting[slot.undo]) and self._has_room(slot.undo, claim):
            self._grant(slot, in_line=in_line)
            claim.decided.granted()
        else:
            self._refuse(slot, in_line=in_line)
            claim.decided.refused()
        self._slots.append(slot)

    def _has_room(self, undo: int, claim: QuotaClaim) -> bool:
        if claim.at_once is not None and self.held[undo] >= claim.at_once:
            return False
        if claim.per_minute is None:
            return True
        if not undo and self.waiting[1] and (claim.at_once is None or self.held[1] < claim.at_once):
            # What takes something back is first in line.
            return False
        return self._next_in_minute(claim.per_minute) <= self.now

    def _next_in_minute(self, per_minute: int) -> int:
        """When the next may begin: a minute after the one that is so many before it."""
        number = self.row.granted + 1 - per_minute
        if number > self._first:
            return self.now + MINUTE
        found = self.writer.find(GRANTED, (self.row.id, number)) if number > 0 else ()
        return int(found[0][0]) + MINUTE if found else 0

    def _grant(self, slot: QuotaSlotRow, *, in_line: bool) -> None:
        slot.held = 1
        self.held[slot.undo] += 1
        self.row.granted += 1
        if in_line:
            line = self.row.id, slot.undo, slot.owner_name
            for (turn,) in self.writer.find(TURN, line):
                if slot.undo:
                    self.row.undo_turn = max(self.row.undo_turn, int(turn))
                else:
                    self.row.turn = max(self.row.turn, int(turn))
            self.writer.write(NEXT_TURN, [line])

    def _refuse(self, slot: QuotaSlotRow, *, in_line: bool) -> None:
        slot.held = 0
        self.waiting[slot.undo] = True
        if not in_line:
            self._joined.add((slot.undo, slot.owner_name))

    def write(self, freed: Iterable[str]) -> None:
        """Write what was decided, and when somebody is to go on."""
        row, writer = self.row, self.writer
        if self._known:
            writer.write(DELETE_SLOT, self._known)
        if self._slots:
            writer.run(INSERT_SLOT, self._slots)
        for undo, owner in sorted(self._joined):
            if not writer.finds(TURN, row.id, undo, owner):
                writer.write(INSERT_LINE, [(row.id, undo, owner, (row.undo_turn if undo else row.turn) + 1)])
        # Mostly nobody waits, and there is no line.
        lines = [undo for undo in (0, 1) if self.waiting[undo]]
        for owner in sorted({*freed, *self._owners}) if lines else ():
            writer.write(CLOSE_LINE, [(row.id, undo, owner, row.id, undo, owner) for undo in lines])
        if row.per_minute is not None and row.granted > self._first:
            every = range(self._first + 1, row.granted + 1)
            writer.write(INSERT_GRANT, [(row.id, number, self.now) for number in every])
            writer.write(FORGET_GRANTS, [(row.id, row.granted - row.per_minute)])
        self._say_when()
        row.used = self.now
        writer.run(UPDATE_QUOTA, [row])

    def _say_when(self) -> None:
        row = self.row
        self.waiting = [waits and self._has_line(undo) for undo, waits in enumerate(self.waiting)]
        room = [row.at_once is None or held < row.at_once for held in self.held]
        row.due = None
        if any(waits and free for waits, free in zip(self.waiting, room, strict=True)):
            row.due = 0 if row.per_minute is None else self._next_in_minute(row.per_minute)
            self.is_served = row.due <= self.now
            if self.is_served:
                row.due = self.now + GIVEN_TIME


INSERT_SLOT = Insert.of("quota_slot", QuotaSlotRow)
INSERT_LINE = Insert("quota_line", ("quota_id", "undo", "owner_name", "turn"))
INSERT_GRANT = Insert("quota_grant", ("quota_id", "number", "granted"))
DELETE_SLOT = Delete("quota_slot", ("task_id", "quota_id"))
UPDATE_QUOTA = Update("quota", ("at_once", "per_minute", "granted", "turn", "undo_turn", "due", "used"), where=("id",))
NEXT_TURN = Update("quota_line", (), where=("quota_id", "undo", "owner_name"), always={"turn": "`turn` + 1"})
_WAITING = "`quota_id` = ? AND `held` = 0 AND `undo` = ? AND `owner_name` = ?"
CLOSE_LINE = Statement(
    "DELETE FROM `quota_line` WHERE `quota_id` = ? AND `undo` = ? AND `owner_name` = ?"
    f" AND NOT EXISTS (SELECT 1 FROM `quota_slot` WHERE {_WAITING})",
    ("quota_id", "undo", "owner_name"),
)
FORGET_GRANTS = Statement("DELETE FROM `quota_grant` WHERE `quota_id` = ? AND `number` <= ?", ("quota_id", "number"))
HOLD = select("quota", QuotaRow, "`id` = ? FOR UPDATE")
COUNT_HELD = "SELECT `undo`, COUNT(*) FROM `quota_slot` WHERE `quota_id` = ? AND `held` = 1 GROUP BY `undo`"
HAS_LINE = "SELECT 1 FROM `quota_line` WHERE `quota_id` = ? AND `undo` = ? LIMIT 1"
SLOT = "SELECT `undo`, `held` FROM `quota_slot` WHERE `task_id` = ? AND `quota_id` = ?"
GRANTED = "SELECT `granted` FROM `quota_grant` WHERE `quota_id` = ? AND `number` = ?"
TURN = "SELECT `turn` FROM `quota_line` WHERE `quota_id` = ? AND `undo` = ? AND `owner_name` = ?"
TEXTS = (
    HOLD,
    COUNT_HELD,
    HAS_LINE,
    SLOT,
    GRANTED,
    TURN,
    *(value.text for value in list(globals().values()) if isinstance(value, Statement)),
)
