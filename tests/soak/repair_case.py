"""One random process whose failures pause, repaired at random: tried again, skipped, done by hand, gone back, held up.

Whatever has a preview is looked at before, and what comes of it is held against that. One in four is cancelled in the
end, the others are deleted. Two engines of one store take turns at it in every other case, and each may die of any
commit. ``python -m tests.soak.repair_case 1000 [first seed] [--progress FILE]`` plays many and tells which fail; with
the file a stopped run goes on.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

from riverstone.engine import Conflict, Engine, Failure, Invalid, Task, VirtualClock
from riverstone.models.vocabulary import UndoKind

from .foretold import Foretold, Wish
from .undo_case import UndoCase
from .undo_checks import ancestors
from .undo_land import HOOKS, KINDS
from .undo_stress import play_as_told


class Seat(NamedTuple):
    """One of the engines, and the stone that it lacks."""

    engine: Engine
    missing: str | None


class RepairCase(UndoCase):
    """Plays one case; what it comes to is compared with the same model undisturbed."""

    def __init__(self, seed: int, folder: Path, *, whole: bool = True, foretold: bool = False) -> None:
        """Without ``whole`` a seed plays what it did before there were two engines, checks and undos of a part.

        Without ``foretold`` it plays what it did before previews were looked at, and some were cancelled in the end.
        """
        super().__init__(seed, folder)
        self.cancelled = foretold and seed % 4 == 0
        self.told = Foretold(self, looks=foretold)
        self.whole = whole
        self.model.plain = True
        self.model.partial = whole and self.random.random() < 0.5
        self.seats, self.seated = [Seat(self.engine, None)], 1
        if whole and self.random.random() < 0.5:
            self.seats.append(Seat(self.open(), None))
        self.seated = 0
        self.land.trouble = self.random.choice((0.05, 0.2, 0.35))
        self.versions: list[str] = []
        self.kept: set[str] = set()
        """The tasks that a rewind has given up by name."""

    # -- the engines

    def bury(self) -> None:
        """Let all be taken for dead but those that are alive elsewhere."""
        alive = [seat.engine._facilities.engine_id for n, seat in enumerate(self.seats) if n != self.seated]
        with closing(sqlite3.connect(self.file)) as connection, connection:
            marks = ", ".join("?" * len(alive))
            connection.execute(f"UPDATE engine_node SET pid = 99999999 WHERE id NOT IN ({marks})", alive)
        connection.close()

    def sit(self, seated: int) -> None:
        """Ask this engine from now on."""
        self.seats[self.seated] = Seat(self.engine, self.missing)
        self.seated = seated
        self.engine, self.missing = self.seats[seated]

    def close(self) -> None:
        """Close all engines."""
        for seated in range(len(self.seats)):
            self.sit(seated)
            self.engine.close()

    def play(self) -> None:
        """Run the case to its end and check it there; raises AssertionError."""
        deadly, self.deadly = self.deadly, 0.0
        source = self.model.source()
        other = source.replace(b"<startEvent ", b'<startEvent name="Begin" ', 1)
        self.versions = [self.engine.deploy(each).deployment_id for each in (other, source)]
        self.deadly = deadly
        self.alive(lambda: self.engine.start(name="case", key="main", on_failure="pause"))
        found = [known for known in self.engine.instances(limit=9).items if known.kind == "start"]
        if not found:
            self.close()
            return
        self.started = found[0].process_instance_id
        for _ in range(self.random.randint(3, 30)):
            if self.whole:
                self.sit(self.random.randrange(len(self.seats)))
            self.alive(self.random.choice((*[self.pass_time] * 3, *[self.repair] * 3, self.restart)))
        if self.cancelled and self.engine.get(self.started).status == "running":
            self.cancel()
        else:
            self.end()
            self.check_at_the_end(source)
        self.close()

    # -- what somebody does

    def repair(self) -> None:
        """Somebody decides about what has failed, or goes back, whether that is allowed or not."""
        engine, started = self.engine, self.started
        wishes = [Wish("nothing", lambda: None)]
        for failure in engine.failures(started):
            wishes += self.repairs_of(failure)
        wishes.append(Wish("retry a rewind", lambda: engine.retry(started)))
        tasks = [task for task in engine.tasks(started) if task.kind == "start"]
        for task in self.random.sample(tasks, min(2, len(tasks))):
            look = partial(engine.preview_rewind, started, task.task_id)
            wishes.append(Wish("rewind", partial(self.rewind, task), look, self.told.rewound))
        wishes.append(Wish("suspend", partial(engine.suspend, started)))
        wishes.append(Wish("unsuspend", partial(engine.unsuspend, started)))
        wishes.append(Wish("suspend key", lambda: engine.suspend_key("main")))
        wishes.append(Wish("unsuspend key", self.unsuspend_key))
        if self.whole:
            wishes += [Wish("lose", self.lose), Wish("check", partial(engine.check, started))]
            wishes.append(Wish("accept gone", self.accept_gone))
        wishes.append(Wish("migrate", partial(engine.migrate, started, self.random.choice(self.versions))))
        wish = self.random.choice(wishes)
        try:
            self.told.carry_out(wish)
        except (Conflict, Invalid) as error:
            text = error.message.partition(": ")[2] if "cannot go back" in error.message else error.message
            self.history.append(f"{wish.name} refused: {text[-60:]}")
        else:
            self.history.append(wish.name)

    def repairs_of(self, failure: Failure) -> list[Wish]:
        """What may be done about one thing that has failed."""
        engine, holds, element_id = self.engine, self.told.repaired, failure.element_id
        look = partial(engine.preview_element_repair, self.started, "retry", element_id)
        wishes = [Wish("retry", partial(engine.retry, self.started, element_id=element_id), look, holds)]
        if (failed := failure.task_id) is not None:
            see = partial(engine.preview_repair, failed)
            wishes.append(Wish("rerun", partial(engine.rerun, failed), partial(see, "retry"), holds))
            wishes.append(Wish("skip", partial(engine.skip, failed), partial(see, "skip"), holds))
            by_hand = partial(engine.done_by_hand, failed)
            wishes.append(Wish("done by hand", by_hand, partial(see, "done-by-hand"), holds))
        return wishes

    def foretold_undo(self, kind: UndoKind) -> None:
        """Cancel or delete the process, and hold that against its preview."""
        act = partial(self.engine.cancel if kind == "cancel" else self.engine.delete, self.started)
        look = partial(self.engine.preview, self.started, kind)
        self.told.carry_out(Wish(kind, act, look, partial(self.told.undone, kind)))

    def cancel(self) -> None:
        """Give the process up where it stands: all goes but what is to stay, in order."""
        self.come_to_rest_with_stones()
        self.deadly = 0.0
        # An engine that has just come back may have an outcome to enter that ends the process.
        self.engine.run_pending()
        if self.engine.get(self.started).status != "running":
            return
        self.foretold_undo("cancel")
        self.land.peace()
        for _ in range(100):
            record = self.engine.get(self.started)
            if record.status == "cancel.failed":
                self.engine.retry_undo(self.started)
            elif record.status == "cancel.success":
                break
            self.let_go_on()
        assert self.engine.get(self.started).status == "cancel.success"
        self.check_calls()
        self.check_what_exists()
        self.history.append("cancel")

    def lose(self) -> None:
        """Somebody throws away what the process made, and tells nobody."""
        if self.land.things:
            self.land.things.pop(self.random.choice(list(self.land.things)))

    def accept_gone(self) -> None:
        """Take what is gone for undone, and nothing that is there."""
        exist = {each.task_id for each in self.engine.resources(process_instance_id=self.started, limit=500).items}
        self.engine.accept_gone(self.started)
        left = {each.task_id for each in self.engine.resources(process_instance_id=self.started, limit=500).items}
        assert not [key for key in self.land.things if key.rsplit("-", 2)[1] in exist - left]

    def unsuspend_key(self) -> None:
        self.engine.unsuspend_key("main")

    def rewind(self, task: Task) -> None:
        """Go back to a task, giving up what has to be."""
        plan = self.engine.preview_rewind(self.started, task.task_id)
        retain = [step.task_id for step in plan.steps if step.action == "retain"]
        self.kept.update(retain)
        self.engine.rewind(self.started, task.task_id, retain=retain)

    def end(self) -> None:
        """With all faults gone, whatever stands still is tried again, until the process has ended."""
        for seated in range(len(self.seats)):
            self.sit(seated)
            self.come_to_rest_with_stones()
        self.land.peace()
        self.deadly = 0.0
        if self.engine.suspended_keys():
            self.unsuspend_key()
        if self.engine.get(self.started).suspended is not None:
            self.engine.unsuspend(self.started)
        for _ in range(200):
            if self.at_rest():
                break
            record = self.engine.get(self.started)
            if record.attention:
                self.engine.retry(self.started)
            self.let_go_on()
        assert self.at_rest(), f"it never ended: {self.engine.why(self.started).sentences}"

    def let_go_on(self) -> None:
        """Some time goes by at all engines."""
        assert isinstance(self.clock, VirtualClock)
        self.clock.advance(11)
        for seated in range(len(self.seats)):
            self.sit(seated)
            self.engine.run_pending()

    def come_to_rest_with_stones(self) -> None:
        """All stones are there again."""
        if self.missing is not None:
            code, self.missing = self.missing, None
            stone = next(stone for stone in self.land.stones() if stone.code == code)
            self.alive(lambda: self.engine.register(stone))

    # -- what must hold

    def check_at_the_end(self, source: bytes) -> None:
        """What was done is what an undisturbed run does, in order; and a delete leaves nothing."""
        record = self.engine.get(self.started)
        assert record.status == "success", record
        tasks = {task.task_id: task for task in self.engine.tasks(self.started)}
        marks = self.undo_marks()
        force = Counter(
            task.element_id
            for task_id, task in tasks.items()
            if task.kind == "start" and task_id not in self.rewound() and task_id in marks
        )
        if b"<boundaryEvent" not in source:
            # Where a timer is on the border of something, what is repaired may come too late for it.
            assert force == self.undisturbed(source), self.differences(force, self.undisturbed(source))
        self.foretold_undo("delete")
        for _ in range(50):
            if self.engine.get(self.started).status == "delete.success":
                break
            self.let_go_on()
        assert self.engine.get(self.started).status == "delete.success"
        self.check_calls()
        self.check_what_exists()

    def check_what_exists(self) -> None:
        """What exists at the end was to be kept, or cannot be taken back."""
        tasks = {task.task_id: task for task in self.engine.tasks(self.started)}
        marks = self.undo_marks()
        for key in self.land.things:
            task = tasks[key.rsplit("-", 2)[1]]
            kept = marks[task.task_id] in ("retained", "skipped") or task.task_id in self.kept
            assert kept, f"{task} leaks {key}"

    def rewound(self) -> set[str]:
        """The tasks that were taken back by a rewind."""
        rows = self.stored("SELECT id, state FROM task WHERE process_instance_id = ?", int(self.started))
        return {str(number) for number, state in rows if "rewound" in json.loads(state or "{}").get("riverstone", {})}

    def differences(self, one: Counter[str], other: Counter[str]) -> str:
        """How two runs differ."""
        return f"more: {one - other}, fewer: {other - one}"

    def undisturbed(self, source: bytes) -> Counter[str]:
        """How often each element runs where nothing goes wrong."""
        calm = type(self.land)(self.random, 0.0)
        with Engine("sqlite:///:memory:", clock=VirtualClock(1_800_000_000_000), stones=calm.stones()) as engine:
            engine.deploy(source)
            number = engine.start(key="main", name="calm").process_instance_id
            engine.wait(number, 100_000)
            return Counter(task.element_id for task in engine.tasks(number) if task.kind == "start")

    def check_calls(self) -> None:
        """An undo hook begins only when all that came after its task is taken back, or is to stay."""
        tasks = {task.task_id: task for task in self.engine.tasks(self.started)}
        undos = [known for known in self.engine.instances(limit=400).items if known.kind != "start"]
        targets = {
            task.task_id: task.origin_task_id
            for known in undos
            for task in self.engine.tasks(known.process_instance_id)
        }
        causes = {task_id: ancestors(tasks, task_id) for task_id in tasks}
        marks = self.undo_marks()
        calls = [
            (event, targets.get(task_id) or task_id, what, moment)
            for moment, (event, task_id, what) in enumerate(self.land.calls)
        ]
        for event, task_id, what, moment in calls:
            if event not in KINDS or what != "begin" or self.land.calls[moment][1] not in targets:
                continue
            for later, after in tasks.items():
                if task_id not in causes[later] or after.stone is None or marks[later] in ("never-begun", "retained"):
                    continue
                begun = [when for kind, number, _, when in calls if number == later and kind == "start"]
                if not begun or begun[0] > moment or event not in HOOKS.get(after.stone, ()) or later in self.kept:
                    continue
                ended = [
                    when for kind, number, end, when in calls if number == later and kind in KINDS and end == "done"
                ]
                left = {key.rsplit("-", 2)[1] for key in self.land.things}
                gone = any(when < moment for when in ended) or later not in left
                assert gone, f"{event} of {task_id} before that of {later}"


if __name__ == "__main__":
    sys.exit(play_as_told(partial(RepairCase, foretold=True)))
