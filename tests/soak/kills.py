"""Random models, faults, requests and kills: ``python -m tests.soak.kills 1000 [first seed] [kind of database]``.

In each round several lives of an engine work on one database, and each but the last is killed: at a random failpoint,
or at a random moment. What holds whatever happened is checked when everything has come to rest. The kinds are
``sqlite``, ``postgresql`` and ``mariadb``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from riverstone.engine import Conflict, Engine, NotFound, ProcessInstance, Stone, Task, TaskInfo, failpoints

from ..crashes.ground import UNDO_EVENTS, Ground, wrong_deliveries
from ..crashes.matrix import ended, forked, warm
from ..models.stores import bare
from .undo_checks import ancestors
from .undo_models import RandomModel

LIVES = 10
"""Kills in one round."""
HURRY = 500
"""How many times shorter all times of the models are."""
AT_ONCE = 4
MOST_WRONG = 100
"""After so many findings there is enough to look at."""
SETTLED = {"undone", "retained", "skipped", "never-begun"}
RESTING = 60.0
"""Seconds within which everything must have come to rest in the last life."""


class Mail(Stone):
    """Cannot be taken back; may fail before or after it has worked, for each attempt always in the same way."""

    code = "mail"
    ground: ClassVar[Ground]
    trouble: ClassVar[float]

    def start(self, task: TaskInfo) -> None:
        self.work(task, "made")
        task.add_output("id", task.idempotency_key)

    def work(self, task: TaskInfo, what: str) -> None:
        """Do one thing, or fail."""
        self.ground.write(task, "begin")
        fate = Random(f"{task.idempotency_key} {task.event} {task.attempt}").random()
        if fate < self.trouble / 2:
            raise RuntimeError("failed before")
        if what == "taken" and task.start_key not in self.ground.things():
            raise NotFound(task.start_key)
        self.ground.write(task, what)
        if fate < self.trouble:
            raise RuntimeError("failed after")


class Shy(Mail):
    """Can only be deleted."""

    code = "shy"

    def delete(self, task: TaskInfo) -> None:
        self.work(task, "taken")


class Make(Shy):
    """Can be taken back in every way."""

    code = "make"

    def rollback(self, task: TaskInfo) -> None:
        self.work(task, "taken")

    def cancel(self, task: TaskInfo) -> None:
        self.work(task, "taken")


class Stubborn(Make):
    """Tries again."""

    code = "stubborn"
    retries = 2
    retry_backoff = 0.01


class Watch(Make):
    """Takes a few looks to be ready."""

    code = "watch"
    monitor_interval = 0.01

    def monitor(self, task: TaskInfo) -> bool:
        self.ground.write(task, "looked")
        task.state["looks"] = task.state.get("looks", 0) + 1
        return bool(task.state["looks"] >= 3)


class Take(Mail):
    """A compensation handler: removes what it is told."""

    code = "take"

    def start(self, task: TaskInfo) -> None:
        self.ground.write(task, "begin")
        self.ground.write(task, "taken", start_key=task.parameters["of"])


@dataclass
class Round:
    """One model on one database, worked on by one engine after the other."""

    seed: int
    folder: Path
    url: str
    wrong: list[str] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        random = Random(self.seed)
        self.source = RandomModel(random, hurry=HURRY, plain=True).source()
        self.trouble = random.choice((0.0, 0.05, 0.15))
        self.ground = Ground(self.folder / "calls")
        self.promised = self.folder / "promised"

    def engine(self) -> Engine:
        """An engine on the database."""
        kinds: tuple[type[Mail], ...] = (Mail, Shy, Make, Stubborn, Watch, Take)
        members = {"ground": self.ground, "trouble": self.trouble, "grace": 0.05}
        stones = [type(kind.__name__, (kind,), {**members, "__doc__": kind.__doc__}) for kind in kinds]
        return Engine(self.url, stones=stones, dispatcher="threads", threads=4)

    def promise(self, *what: str) -> None:
        """Write down what the engine has acknowledged."""
        with self.promised.open("a") as file:
            file.write(" ".join(what) + "\n")

    def promises(self) -> list[list[str]]:
        """What the engine has acknowledged: (request, process)."""
        return [line.split() for line in self.promised.read_text().splitlines()] if self.promised.exists() else []

    def live(self, life: int) -> None:
        """Start some processes, ask for this and that, and go on with all there is."""
        random = Random(f"{self.seed} {life}")
        last = life == LIVES
        if not last and random.random() < 0.7:
            failpoints.kill_at(random.choice(failpoints.names()), random.choice((1, 2, 5, 10, 20, 40)))
        # Now and then while it begins, but where that takes long it is to come to work too.
        early = random.random() < 0.2
        delay = random.uniform(0.02, 0.6)
        if not last and early:
            kill_in(delay)
        with self.engine() as engine:
            engine.deploy(self.source)
            if not last and not early:
                kill_in(delay)
            for number in range(0 if last else random.randint(0, 2)):
                started = engine.start(key="main", name="soak", idempotency_key=f"{life}-{number}")
                self.promise("start", started.process_instance_id)
                if random.random() < 0.3:
                    self.ask(engine, random)
            self.rest(engine)
            if last:
                self.check(engine)
        if not last:
            # It came to its end before anything killed it.
            os.kill(os.getpid(), signal.SIGKILL)

    def ask(self, engine: Engine, random: Random) -> None:
        """Cancel or delete some process, if that is allowed."""
        number = random.choice([promise[1] for promise in self.promises()])
        kind = random.choice(("cancel", "delete"))
        with suppress(Conflict):
            getattr(engine, kind)(number)
            self.promise(kind, number)

    def rest(self, engine: Engine) -> None:
        """Return when nothing moves any more; raises AssertionError if that is never."""
        deadline = time.monotonic() + RESTING
        while moving := [known for known in self.instances(engine) if _moves(known)]:
            assert time.monotonic() < deadline, (
                f"stuck: {[(known, engine.tasks(known.process_instance_id)) for known in moving]}"
            )
            time.sleep(0.02)

    @staticmethod
    def instances(engine: Engine) -> list[ProcessInstance]:
        """All there are."""
        return list(engine.instances(limit=400).items)

    # -- what must hold

    def check(self, engine: Engine) -> None:
        """Everything that holds of processes at rest, whatever has happened."""
        found = {known.process_instance_id: known for known in self.instances(engine)}
        kept = [tuple(promise) for promise in self.promises()]
        for request, number in kept:
            if number not in found:
                self.wrong.append(f"{request} of {number} was acknowledged and is lost")
            elif request != "start" and not found[number].status.startswith((request, "delete")):
                self.wrong.append(f"{number} was to be {request}ed and is {found[number].status}")
        things: dict[str, list[str]] = {}
        for key in self.ground.things():
            things.setdefault(key.rsplit("-", 2)[1], []).append(key)
        every = {task.task_id for number in found for task in engine.tasks(number)}
        self.wrong += [
            f"task {task_id} made {keys} and is not known" for task_id, keys in things.items() if task_id not in every
        ]
        for known in found.values():
            if known.kind == "start":
                self.check_process(engine, known, things)
        lines = self.ground.lines()
        self.wrong += [text for text in wrong_deliveries(lines) if "keys" in text]

    def check_process(self, engine: Engine, known: ProcessInstance, things: dict[str, list[str]]) -> None:
        """One process: its ledger says what exists, and its undo kept to the order."""
        number = known.process_instance_id
        tasks = {task.task_id: task for task in engine.tasks(number)}
        marks = dict(
            engine._store.read("SELECT `id`, `undo` FROM `task` WHERE `process_instance_id` = ?", (int(number),))
        )
        _, _, end = known.status.partition(".")
        for task in tasks.values():
            mark = marks[int(task.task_id)]
            if task.end_time is None:
                self.wrong.append(f"{task} is open in a process at rest")
            if task.kind != "start" or task.stone is None:
                continue
            if end == "success" and mark not in SETTLED:
                self.wrong.append(f"{known.status} of {number} left {task} as {mark}")
            if mark == "undone" and task.status != "unknown" and things.get(task.task_id):
                self.wrong.append(f"{task} is undone but exists")
            if not end and mark is None and task.status.endswith("success") and not things.get(task.task_id):
                self.wrong.append(f"{task} succeeded but nothing exists")
        for kind in UNDO_EVENTS:
            undo_id = getattr(known, f"{kind}_process_instance_id")
            if undo_id is not None:
                self.check_order(tasks, engine.tasks(undo_id))

    def check_order(self, tasks: dict[str, Task], undo: list[Task]) -> None:
        """No hook of an undo was called before those of all that came after its task had ended well."""
        hooks = {task.task_id: task.origin_task_id or "" for task in undo}
        first: dict[str, int] = {}
        done: dict[str, int] = {}
        for moment, line in enumerate(self.ground.lines()):
            if line["task"] in hooks:
                target = hooks[line["task"]]
                if line["what"] == "begin":
                    first.setdefault(target, moment)
                    # Delivered again it counts until it has ended, wherever that is not told.
                elif line["what"] == "taken":
                    done.setdefault(target, moment)
        for target, began in first.items():
            for later in first:
                if later != target and target in ancestors(tasks, later) and done.get(later, -1) > began:
                    self.wrong.append(f"{target} was undone before {later}, which followed it")


def kill_in(seconds: float) -> None:
    """Kill this process then, whatever it is doing."""
    killer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGKILL))
    killer.daemon = True
    killer.start()


def _moves(known: ProcessInstance) -> bool:
    return not known.paused and (known.status in ("running", "debug") or known.status.endswith(".begin"))


def play_round(seed: int, folder: Path, url: str) -> None:
    """Play one round in processes of their own, and leave in ``folder`` what came of it."""
    played = Round(seed, folder, url)
    kills = 0
    for life in range(LIVES):
        kills += ended(forked(lambda life=life: played.live(life))) == -signal.SIGKILL  # type: ignore[misc]

    def last() -> None:
        played.live(LIVES)
        with played.engine() as engine:
            ends = Counter(f"{known.kind} {known.status}" for known in Round.instances(engine))
        (folder / "wrong").write_text(json.dumps([played.wrong, ends]))

    code = ended(forked(last))
    report = folder / "wrong"
    wrong, ends = json.loads(report.read_text()) if report.exists() else ([f"the last life ended with {code}"], {})
    (folder / "result").write_text(json.dumps({"kills": kills, "wrong": wrong, "ends": ends}))


def soak(kills: int, first: int = 0, kind: str = "sqlite") -> dict[str, Any]:
    """Play rounds until so many lives were killed; counts of all, and what was wrong with the folders of these."""
    total: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    under_way: dict[int, tuple[int, Path]] = {}
    seed = first
    while (total["kills"] < kills and len(wrong) < MOST_WRONG) or under_way:
        while total["kills"] + len(under_way) * LIVES < kills and len(under_way) < AT_ONCE and len(wrong) < MOST_WRONG:
            folder = Path(tempfile.mkdtemp(prefix=f"soak-{seed}-"))
            under_way[forked(lambda: _alone(seed, folder, kind))] = (seed, folder)  # noqa: B023
            seed += 1
        pid, _ = os.wait()
        played, folder = under_way.pop(pid)
        result = folder / "result"
        found: dict[str, Any] = {"kills": 0, "wrong": ["no result"], "ends": {}}
        if result.exists():
            found = json.loads(result.read_text())
        total.update(kills=found["kills"], rounds=1)
        ends.update(found["ends"])
        if found["wrong"]:
            wrong += [f"seed {played} in {folder}: {text}" for text in found["wrong"]]
            print("\n".join(wrong[-len(found["wrong"]) :]), flush=True)
        else:
            shutil.rmtree(folder)
    return {**total, "ends": dict(ends), "wrong": wrong}


def _alone(seed: int, folder: Path, kind: str) -> None:
    # A round is long, and its lives have alarms of their own.
    signal.alarm(0)
    with bare(kind, folder) as url:
        play_round(seed, folder, url)


def main(kills: str = "1000", first: str = "0", kind: str = "sqlite") -> int:
    """Soak, and print what came of it; the number of things that were wrong."""
    with tempfile.TemporaryDirectory() as folder:
        warm(Path(folder))
    began = time.monotonic()
    found = soak(int(kills), int(first), kind)
    spent = time.monotonic() - began
    print(f"{found['kills']} kills in {found['rounds']} rounds, {len(found['wrong'])} wrong, {spent:.0f} s")
    print(", ".join(f"{end}: {times}" for end, times in sorted(found["ends"].items())))
    return len(found["wrong"])


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:4])))
