"""Several engines on one store, killed and paused at work: ``python -m tests.soak.engines SECONDS [kind [engines]]``.

Each engine has a process of its own, which also asks at random for starts, cancels, deletes, messages, signals, and for
what :mod:`.verbs` holds: batches, suspensions, other versions and webhooks. In every other run there are quotas. The
stones write down what they do. At the end one engine brings everything to rest and deletes it, and this tells, by what
the stones have written, which starts began after the undo of their task, which undos ran twice at once, and what is
left though nothing lists it. The kinds are ``sqlite``, ``postgresql`` and ``mariadb``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from riverstone.engine import Deferral, Engine, RiverstoneError, Stone, TaskInfo
from riverstone.engine.river.engines import dead_engines, lease
from riverstone.models import StoreError

from ..features.sketch import catch, definitions, flow, line, process, runs, service
from ..models.stores import bare
from . import verbs
from .undo_models import RandomModel

LEASE = 3.0
GRACE = 1.0
MESSAGE = '<message id="m" name="m"/>'
SIGNAL = '<signal id="s" name="s"/>'
ON_MESSAGE = '<messageEventDefinition messageRef="m"/>'
ON_SIGNAL = '<signalEventDefinition signalRef="s"/>'
SOON = "<timerEventDefinition><timeDuration>PT0.3S</timeDuration></timerEventDefinition>"
PERSON = '<userTask id="person"/>'


class Make(Stone):
    """Makes something that can be taken back; in between it takes a while, and now and then it fails."""

    code = "make"
    retries = 3
    retry_backoff = 0.1
    grace = GRACE
    outputs: ClassVar = {"id": "what it made"}
    log: ClassVar[Path]
    random: ClassVar[Random]

    def thing(self, task: TaskInfo) -> str:
        """What the task is about."""
        return task.start_key

    def write(self, task: TaskInfo, what: str) -> None:
        entry = [what, self.thing(task), task.event, task.task_id, os.getpid(), time.clock_gettime(time.CLOCK_BOOTTIME)]
        with self.log.open("ab", buffering=0) as file:
            file.write(json.dumps(entry).encode() + b"\n")

    def act(self, task: TaskInfo, what: str) -> None:
        self.write(task, f"begin {what}")
        time.sleep(self.random.choice((0, 0, 0.002, 0.02, 0.2)) * self.random.random())
        if what == "made" and self.random.random() < 0.04:
            # Longer than its grace, or than its timeout.
            time.sleep(self.random.random() * 3)
        if self.random.random() < 0.1:
            self.write(task, f"failed {what}")
            raise RuntimeError("it happens")
        self.write(task, what)

    def start(self, task: TaskInfo) -> None:
        self.act(task, "made")
        task.add_output("id", task.start_key)

    def rollback(self, task: TaskInfo) -> None:
        self.act(task, "undone")

    cancel = delete = rollback


class Watch(Make):
    code = "watch"
    monitor_interval = 0.2
    timeouts: ClassVar = {"start": 1.0}

    def monitor(self, task: TaskInfo) -> bool:
        looks = int(task.state.get("looks", 0)) + 1
        task.state["looks"] = looks
        time.sleep(self.random.random() * 0.1)
        return looks > 3


class Awaited(Make):
    """The same as a coroutine; it may be stopped in the middle."""

    code = "awaited"
    grace = 0.3

    async def start(self, task: TaskInfo) -> None:  # type: ignore[override]
        self.write(task, "begin made")
        await asyncio.sleep(self.random.choice((0, 0.01, 0.2, 1.5)) * self.random.random())
        if self.random.random() < 0.1:
            self.write(task, "failed made")
            raise RuntimeError("it happens")
        self.write(task, "made")
        task.add_output("id", task.start_key)


class Ordered(Make):
    """Has its thing made by a supplier, who says by the token of the task when that is done."""

    code = "ordered"
    timeouts: ClassVar = {"start": 5.0}
    orders: ClassVar[Path]

    def start(self, task: TaskInfo) -> Deferral:  # type: ignore[override]
        self.write(task, "begin made")
        later = task.defer(timeout=self.random.choice((0.3, 2.0, 10.0)))
        with self.orders.open("ab", buffering=0) as file:
            file.write(json.dumps([task.start_key, task.task_id, later.token]).encode() + b"\n")
        time.sleep(self.random.choice((0, 0, 0.3)) * self.random.random())
        if self.random.random() < 0.1:
            raise RuntimeError("the line broke after the order")
        return later


class Take(Make):
    """A compensation handler: takes back what it is told."""

    code = "take"

    def thing(self, task: TaskInfo) -> str:
        return str(task.parameters["of"])

    def start(self, task: TaskInfo) -> None:
        self.act(task, "undone")

    def rollback(self, task: TaskInfo) -> None:
        """Nothing takes that back."""

    cancel = delete = rollback


class Doom(Make):
    code = "doom"
    retries = 0

    def start(self, task: TaskInfo) -> None:
        raise RuntimeError("always")


STONES = (Make, Watch, Awaited, Ordered, Take, Doom)
CODES = {"stubborn": "make", "mail": "make", "shy": "watch"}


def models(random: Random) -> list[bytes]:
    """What is deployed: some of these wait for what the engines are asked for."""
    split = process(
        "split",
        '<startEvent id="begin"/><parallelGateway id="fork"/><parallelGateway id="join"/><endEvent id="done"/>',
        service("a", "make"),
        service("b", "watch"),
        PERSON,
        *(flow(*each.split()) for each in ("begin fork", "fork a", "fork b", "fork person", "a join", "b join")),
        *(flow(*each.split()) for each in ("person join", "join done")),
    )
    make = service("a", "make")
    throw = '<intermediateThrowEvent id="{}">{}</intermediateThrowEvent>'
    made = [
        line("two", service("a", "make"), PERSON, service("b", "make")),
        definitions(split),
        line("many", service("a", "make", inside=runs("5")), catch("soon", SOON), service("d", "doom")),
        line("caller", '<callActivity id="call" calledElement="two"/>', service("c", "make"), PERSON),
        line("started", make, catch("more", ON_MESSAGE), service("b", "make"), before=MESSAGE, start=ON_MESSAGE),
        line("listens", service("a", "make"), catch("s1", ON_SIGNAL), service("b", "watch"), PERSON, before=SIGNAL),
        line("awaits", service("a", "awaited"), service("b", "ordered"), PERSON, service("c", "awaited")),
        line("orders", service("a", "ordered", inside=runs("3")), service("b", "awaited")),
        line("throws", make, throw.format("t1", ON_MESSAGE), throw.format("t2", ON_SIGNAL), before=MESSAGE + SIGNAL),
    ]  # fmt: skip
    for number in range(3):
        source = RandomModel(random, hurry=50, plain=True).source().decode()
        for code, other in CODES.items():
            source = source.replace(f'"{code}"', f'"{other}"')
        made.append(source.replace('"main"', f'"random{number}"').encode())
    return made


KEYS = (
    "two",
    "split",
    "many",
    "caller",
    "started",
    "listens",
    "throws",
    "awaits",
    "orders",
    "random0",
    "random1",
    "random2",
)


def engine_on(url: str, log: Path, seed: int, origin: str, *, quotas: bool) -> Engine:
    dead_engines.LEASE, dead_engines.WITNESSED, lease.HEARTBEAT = LEASE, 1.0, LEASE / 6
    Make.log, Make.random = log, Random(seed)
    Ordered.orders = log.with_name("orders")
    verbs.hurry()
    bounds: dict[str, Any] = {"quotas": verbs.QUOTAS, "process_quotas": verbs.PROCESS_QUOTAS} if quotas else {}
    webhooks = (origin, verbs.INSIDE)
    return Engine(url, stones=STONES, dispatcher="threads", threads=6, webhooks=webhooks, **bounds)


def work(url: str, log: Path, seed: int, origin: str, *, quotas: bool) -> None:
    """One engine of several: asks for this and that until it is killed, or its standard input ends."""
    logging.basicConfig(filename=f"{log}.errors", level=logging.ERROR)
    random, ending = Random(seed), threading.Event()
    with engine_on(url, log, seed, origin, quotas=quotas) as engine:

        def listen() -> None:
            sys.stdin.read()
            ending.set()

        threading.Thread(target=listen, daemon=True).start()
        while not ending.wait(random.random() * 0.15):
            with suppress(RiverstoneError, StoreError):
                if random.random() < 0.25:
                    verbs.ask(engine, random, KEYS, origin)
                else:
                    ask(engine, random)


def ask(engine: Engine, random: Random) -> None:
    """Ask an engine for one thing."""
    dice = random.random()
    if dice < 0.3:
        policy = random.choice((None, "rollback", "pause", "pause", "pause PT2S", "keep"))
        engine.start(key=random.choice(KEYS), name="it", on_failure=policy)
        return
    if dice < 0.4:
        engine.message("m", business_key=f"k{random.randint(0, 200)}")
        return
    if dice < 0.45:
        engine.signal("s")
        return
    found = [each for each in engine.instances(limit=40).items if each.kind == "start"]
    if not found:
        return
    number = random.choice(found).process_instance_id
    if dice < 0.6:
        engine.cancel(number, force=random.random() < 0.3)
    elif dice < 0.7:
        engine.delete(number, force=random.random() < 0.3)
    elif dice < 0.75:
        engine.retry_undo(number)
    elif dice < 0.87:
        repair(engine, random, number)
    else:
        for task in engine.tasks(number):
            if task.status == "running" and task.stone is None:
                engine.complete(task.task_id)


def repair(engine: Engine, random: Random, number: str) -> None:
    """Decide about what has failed in a process, or let it go back to one of its tasks."""
    failed = [each.task_id for each in engine.failures(number) if each.task_id is not None]
    if failed and random.random() < 0.8:
        random.choice((engine.rerun, engine.skip, engine.done_by_hand, engine.resume))(random.choice(failed))
    elif random.random() < 0.3:
        engine.retry(number)
    else:
        tasks = [task for task in engine.tasks(number) if task.kind == "start"]
        engine.rewind(number, random.choice(tasks).task_id) if tasks else None


class Supplier:
    """Makes what is ordered, each order once, and says so: soon, late, twice, or never, and then makes nothing."""

    def __init__(self, url: str, log: Path, seed: int) -> None:
        self.engine = Engine(url, stones=STONES, passive=True)
        self.log, self.random = log, Random(seed)
        self.told = 0
        self._orders = log.with_name("orders")
        self._pending: list[tuple[float, str, str, str]] = []
        self._known: set[str] = set()
        self._place = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(0.01):
            self._read()
            now = time.monotonic()
            due, self._pending = (
                [each for each in self._pending if each[0] <= now],
                [each for each in self._pending if each[0] > now],
            )
            for _, key, task_id, token in due:
                self._deliver(key, task_id, token)

    def _read(self) -> None:
        if not self._orders.exists():
            return
        with self._orders.open("rb") as file:
            file.seek(self._place)
            for text in file:
                if not text.endswith(b"\n"):
                    break
                self._place += len(text)
                key, task_id, token = json.loads(text)
                if key not in self._known and self.random.random() < 0.9:
                    self._known.add(key)
                    delay = self.random.choice((0, 0, 0.01, 0.2, 1, 4)) * self.random.random()
                    self._pending.append((time.monotonic() + delay, key, task_id, token))

    def _deliver(self, key: str, task_id: str, token: str) -> None:
        entry = ["made", key, "start", task_id, os.getpid(), time.clock_gettime(time.CLOCK_BOOTTIME)]
        with self.log.open("ab", buffering=0) as file:
            file.write(json.dumps(entry).encode() + b"\n")
        for _ in range(self.random.choice((1, 1, 2))):
            while True:
                with suppress(RiverstoneError, StoreError):
                    self.told += self.engine.complete_deferred(token, {"id": key})
                    break
                time.sleep(0.05)

    def close(self) -> None:
        """Deliver what was ordered, and take no more orders."""
        while self._pending:
            time.sleep(0.1)
        self._ending.set()
        self._thread.join()
        self.engine.close()


def settle(engine: Engine, seconds: float = 120) -> list[str]:
    """Bring everything to an end and have it deleted; what does not come to that while nothing else does."""
    deadline, fewest = time.monotonic() + seconds, sys.maxsize
    while time.monotonic() < deadline:
        going_on = []
        cursor = None
        while True:
            page = engine.instances(limit=200, cursor=cursor)
            going_on += [each for each in page.items if each.kind == "start" and each.status != "delete.success"]
            cursor = page.cursor
            if cursor is None:
                break
        if not going_on:
            return []
        if len(going_on) < fewest:
            fewest, deadline = len(going_on), time.monotonic() + seconds
        for each in going_on:
            with suppress(RiverstoneError):
                if each.status in ("running", "debug"):
                    engine.cancel(each.process_instance_id)
                elif each.status.endswith(".failed") and each.status != "rollback.failed":
                    engine.retry_undo(each.process_instance_id)
                elif not each.status.endswith(".begin"):
                    engine.delete(each.process_instance_id)
        time.sleep(0.5)
    told = [" ".join(engine.why(each.process_instance_id).sentences) for each in going_on]
    return [f"{each.process_instance_id} stays {each.status}: {why}" for each, why in zip(going_on, told, strict=True)]


Entry = list[Any]
"""What happened, to which thing, in which hook, of which task, in which process, and when."""


def check(log: Path, engine: Engine, killed: set[int], paused: list[tuple[int, float, float]]) -> Counter[str]:
    """What the stones have written, against the law."""
    wrong: Counter[str] = Counter()
    by_thing: dict[str, list[Entry]] = defaultdict(list)
    for text in (log.read_text() if log.exists() else "").splitlines():
        entry = json.loads(text)
        by_thing[entry[1]].append(entry)
    for entries in by_thing.values():
        entries.sort(key=lambda entry: float(entry[5]))
        found = [*begun_late(entries), *twice(entries, killed | {pid for pid, *_ in paused})]
        found += [] if found else left(entries, engine, paused)
        wrong.update(found)
        if found:
            print(*found, [(each[0], each[2], each[4], round(each[5] - entries[0][5], 3)) for each in entries])
    wrong["things"] = len(by_thing)
    return wrong


def begun_late(entries: list[Entry]) -> list[str]:
    """Whether a start has begun after an undo of the same."""
    undone = [entry[5] for entry in entries if entry[0] == "begin undone"]
    late = undone and any(entry[0] == "begin made" and entry[5] > undone[0] for entry in entries)
    return ["begun after its undo"] if late else []


def twice(entries: list[Entry], disturbed: set[int]) -> list[str]:
    """Whether two undos ran at once, in processes that nobody killed or paused."""
    running: set[int] = set()
    for what, _, _, _, pid, _ in entries:
        if what == "begin undone":
            if running - {pid} - disturbed:
                return ["undone twice at once"]
            running.add(pid)
        elif what in ("undone", "failed undone"):
            running.discard(pid)
    return []


def left(entries: list[Entry], engine: Engine, paused: list[tuple[int, float, float]]) -> list[str]:
    """Whether a thing is there that nothing lists."""
    made = [entry[0] for entry in entries if entry[0] in ("made", "undone")]
    if not made or made[-1] == "undone" or engine.task(entries[0][3]).undo in ("retained", "left"):
        return []
    slept = any(
        pid == entry[4] and begun < entry[5] and ended + 1 > entries[0][5]
        for pid, begun, ended in paused
        for entry in entries
    )
    return ["left by a pause" if slept else "left"]


def main(seconds: float, kind: str = "sqlite", engines: int = 3, pauses: bool = True) -> int:
    """Let engines work for so long and check what came of it; the number of things that went wrong."""
    random = Random(seed := int(time.time()))
    killed: set[int] = set()
    paused: list[tuple[int, float, float]] = []
    quotas = random.random() < 0.5
    receiver = verbs.Receiver(seed)
    with tempfile.TemporaryDirectory() as folder, bare(kind, Path(folder)) as url:
        log = Path(folder) / "log"
        with Engine(url, stones=STONES, webhooks=(receiver.origin, verbs.INSIDE)) as engine:
            for source in models(random):
                engine.deploy(source.replace(b"<startEvent ", b'<startEvent name="Begin" ', 1))
                engine.deploy(source)
            engine.webhooks.subscribe(receiver.origin + verbs.ALWAYS)

        def begin() -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "tests.soak.engines", "work", url, str(log), str(random.randint(0, 10**9))]
            command += [receiver.origin, *(["quotas"] if quotas else [])]
            return subprocess.Popen(command, stdin=subprocess.PIPE)

        supplier = Supplier(url, log, seed)
        children = [begin() for _ in range(engines)]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # On a busy machine an engine needs longer to come to work at all.
            time.sleep(random.uniform(1, 4) * min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))))
            place = random.randrange(engines)
            child = children[place]
            if pauses and random.random() < 0.4:
                now = time.clock_gettime(time.CLOCK_BOOTTIME)
                child.send_signal(signal.SIGSTOP)
                time.sleep(random.choice((0.5, 2, 6)))
                child.send_signal(signal.SIGCONT)
                paused.append((child.pid, now, time.clock_gettime(time.CLOCK_BOOTTIME)))
            else:
                child.kill()
                child.wait()
                killed.add(child.pid)
                children[place] = begin()
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
        for child in children:
            child.wait(timeout=60)
        with engine_on(url, log, 1, receiver.origin, quotas=quotas) as engine:
            verbs.lift(engine)
            stuck = settle(engine)
            supplier.close()
            stuck += settle(engine)
            stuck += verbs.check_batches(engine) + verbs.check_told(engine, receiver.heard)
            print(f"{supplier.told} deliveries were taken")
            wrong = check(log, engine, killed, paused)
        errors = Path(f"{log}.errors")
        if errors.exists():
            # Each with where it came from, by which many are one.
            told = re.split(r"^(?=ERROR)", errors.read_text(), flags=re.MULTILINE)[1:]
            for text, times in Counter(re.sub(r"[0-9a-f]{12}|[0-9]{2,}", "", each) for each in told).most_common(8):
                print(times, "x", text)
    receiver.close()
    print(*stuck[:10], sep="\n")
    kind = f"{kind} with quotas" if quotas else kind
    print(f"{kind}, seed {seed}, {len(killed)} kills, {len(paused)} pauses: {dict(wrong)}, {len(stuck)} stuck")
    return sum(wrong.values()) - wrong["things"] + len(stuck)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5], quotas="quotas" in sys.argv)
    else:
        given = [*sys.argv[2:], *("sqlite", "3")[len(sys.argv) - 2 :]]
        sys.exit(bool(main(float(sys.argv[1]), given[0], int(given[1]), "calm" not in given)))
