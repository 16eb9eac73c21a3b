"""What riverstone promises of crashes, each promise by its number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from riverstone.engine import Conflict, Engine, Stone, TaskInfo, failpoints
from riverstone.engine.river.engines import dead_engines

from ..features.sketch import definitions, flow, line, process, service
from .ground import Ground
from .reference import told

ROOT = Path(__file__).parents[2]
STONES = """
import os, signal, time
from pathlib import Path
from riverstone.engine import Stone

def call(task):
    with open("calls", "a") as file:
        print(task.event, task.namespace, task.idempotency_key, task.attempt, file=file, flush=True)

class Quick(Stone):
    code = "quick"
    def start(self, task):
        call(task)
        task.add_output("id", task.idempotency_key)
    def cancel(self, task):
        call(task)

class Slow(Quick):
    code = "slow"
    def start(self, task):
        super().start(task)
        time.sleep(float(os.environ.get("SLOW", "30")))

class Watched(Stone):
    code = "watched"
    monitor_interval = 0.01
    looked = 0
    def monitor(self, task):
        call(task)
        Watched.looked += 1
        if os.environ["WATCHED"] == "hang" or (os.environ["WATCHED"] == "once" and Watched.looked > 1):
            time.sleep(30)
        return os.environ["WATCHED"] == "done"

class Poison(Stone):
    code = "poison"
    def start(self, task):
        call(task)
        time.sleep(0.3)  # its sibling has had its turn by then
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of stones, where servers run."""
    (tmp_path / "yard_stones.py").write_text(STONES)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    monkeypatch.setenv("RIVERSTONE_STONES", "yard_stones")
    with Engine(f"sqlite:///{tmp_path}/riverstone.db") as engine:
        engine.stone("quick")(lambda task: None)
        engine.stone("slow")(lambda task: None)
        engine.stone("poison")(lambda task: None)
        engine.stone("watched")(lambda task: None)
        engine.deploy(line("watching", service("w", "watched")))
        engine.deploy(line("shop", service("a", "quick"), service("b", "slow"), service("c", "quick")))
        engine.deploy(forked_line("poisoned", service("p", "poison"), service("q", "quick")))
    return tmp_path


def forked_line(key: str, *nodes: str) -> bytes:
    """A process whose nodes all begin at once."""
    names = [node.split('id="')[1].split('"')[0] for node in nodes]
    ends = '<startEvent id="begin"/><parallelGateway id="split"/><parallelGateway id="join"/><endEvent id="done"/>'
    flows = [flow("begin", "split"), flow("join", "done")]
    flows += [each for name in names for each in (flow("split", name), flow(name, "join"))]
    return definitions(process(key, ends, *nodes, *flows))


@contextmanager
def serving(yard: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL and the process of a server in the yard; it is killed at the end if it still lives."""
    command = [sys.executable, "-c", "from riverstone.api.cli import main; main()", "serve", "--port", "0"]
    changed = {**os.environ, **environment}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=yard, env=changed) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().removeprefix("Listening on ").strip(), server
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGKILL)


def start(url: str, key: str = "shop") -> str:
    """Start a process over HTTP; its id."""
    answer = requests.post(f"{url}/process", json={"key": key, "processName": "test", "variables": {}}, timeout=60)
    assert answer.status_code == 200
    return str(answer.json()["processInstanceId"])


def calls(yard: Path) -> list[list[str]]:
    """Each call of a hook: event, namespace, idempotency key, attempt."""
    file = yard / "calls"
    return [text.split() for text in file.read_text().splitlines()] if file.exists() else []


def until(condition: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)


def instances(yard: Path) -> dict[str, str]:
    """The status of each process in the yard's store."""
    with Engine(f"sqlite:///{yard}/riverstone.db", passive=True) as engine:
        found = engine.instances().items
    return {instance.process_instance_id: instance.status for instance in found if instance.kind == "start"}


def status_of(url: str, number: str) -> str:
    return str(requests.get(f"{url}/process/{number}", timeout=60).json()["processStatus"])


def test_promise_1_an_acknowledged_post_or_put_survives_kill_9(yard: Path) -> None:
    with serving(yard) as (url, server):
        numbers = [start(url) for _ in range(5)]
        server.send_signal(signal.SIGKILL)
    with serving(yard) as (url, server):
        assert [status_of(url, number) for number in numbers] == ["running"] * 5
        answer = requests.put(f"{url}/process/{numbers[0]}/cancel", timeout=60)
        assert answer.status_code == 200
        server.send_signal(signal.SIGKILL)
    with serving(yard, SLOW="0") as (url, _):
        until(lambda: status_of(url, numbers[0]) == "cancel.success")
        for number in numbers[1:]:
            until(lambda: status_of(url, number) == "success")  # noqa: B023


def test_promise_2_the_state_changes_once_for_each_event(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/river.db"
    called: list[str] = []
    with Engine(url, dispatcher="threads") as one, Engine(url, dispatcher="threads") as other:
        for engine in (one, other):
            engine.stone("count")(lambda task: called.append(task.process_instance_id))
        one.deploy(line("asked", '<userTask id="ask"/>', service("c", "count")))
        refused: list[Conflict] = []
        for _ in range(20):
            number = one.start(key="asked", name="test").process_instance_id
            (task,) = one.tasks(number)
            before = one._store.revision(int(number))

            def complete(engine: Engine, task_id: str = task.task_id) -> None:
                try:
                    engine.complete(task_id)
                except Conflict as conflict:
                    refused.append(conflict)

            askers = [threading.Thread(target=complete, args=(engine,)) for engine in (one, other) for _ in range(2)]
            for asker in askers:
                asker.start()
            for asker in askers:
                asker.join()
            assert one.wait(number, 60).status == "success"
            # One step for the person's word, one for what the stone did.
            assert one._store.revision(int(number)) == (before or 0) + 2
        assert len(refused) == 60
        assert sorted(Counter(called).values()) == [1] * 20


def played(folder: Path, *places: str, variant: str = "rollback") -> tuple[Ground, str, list[int]]:
    """Play the reference in processes of their own, each but the last killed at one of these places."""
    ground = Ground(folder / "calls")
    url = f"sqlite:///{folder}/river.db"
    ends: list[int] = []
    for life, place in enumerate((*places, "")):
        script = (
            "from pathlib import Path; from tests.crashes.ground import Ground\n"
            "from tests.crashes.reference import play\n"
            f"play({url!r}, Ground(Path({str(ground.file)!r})), {variant!r}, threads=True, life={life})"
        )
        environment = {**os.environ, failpoints.VARIABLE: place}
        ends.append(subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, check=False).returncode)
    return ground, url, ends


def test_promise_3_every_delivery_of_an_attempt_has_the_same_key_and_the_attempts_number(tmp_path: Path) -> None:
    ground, url, ends = played(tmp_path, "after-hook:1", "before-report:1")

    assert ends == [-9, -9, 0]
    made = [line for line in ground.lines() if (line["namespace"], line["what"]) == ("a", "made")]
    assert len(made) == 3
    assert len({line["key"] for line in made}) == 1
    assert {line["attempt"] for line in made} == {1}
    assert told(url, ground)["wrong"] == []


def test_promise_4_a_late_or_repeated_result_is_recorded_and_moves_nothing(tmp_path: Path) -> None:
    go_on = threading.Event()

    class Late(Stone):
        code = "late"
        timeouts: ClassVar = {"start": 0.1}

        def start(self, task: TaskInfo) -> None:
            go_on.wait(10)
            task.add_output("thing", 7)

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Late], dispatcher="threads") as engine:
        engine.deploy(line("shop", service("a", "late"), service("b", "late")))
        number = engine.start(key="shop", name="test", rollback=False).process_instance_id
        ended = engine.wait(number, 60)
        assert ended.status == "failed"
        assert not engine.tasks(number)[0].outputs
        go_on.set()
        until(lambda: engine.tasks(number)[0].outputs == {"thing": 7})
        again = engine.get(number)
        assert (again.status, again.end_time) == (ended.status, ended.end_time)
        assert len(engine.tasks(number)) == 1


def test_promise_5_the_order_of_an_undo_holds_through_any_crash(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    ground, url, _ = played(quiet)
    wanted = told(url, ground)

    # A hook in hand at the third kill of its engine would be given up: no life here ends with that, however slow it is.
    for number, places in enumerate(
        (
            ("undo-created:1", "after-hook:2", "before-commit:4"),
            ("undo-created:1", "before-hook:3", "within-commit:3"),
            ("undo-created:1", "after-commit:4", "after-hook:3"),
        )
    ):
        killed = tmp_path / f"killed-{number}"
        killed.mkdir()
        ground, url, ends = played(killed, *places)

        assert ends == [-9] * len(places) + [0]
        assert told(url, ground) == wanted
    assert wanted["wrong"] == []


def test_promise_6_an_embedded_restart_goes_on_within_a_second(yard: Path) -> None:
    with serving(yard) as (url, server):
        number = start(url)
        until(lambda: len(calls(yard)) == 2)
        server.send_signal(signal.SIGKILL)
    again: list[float] = []

    begun = time.monotonic()
    with Engine(f"sqlite:///{yard}/riverstone.db", dispatcher="threads") as engine:
        for code in ("quick", "slow"):
            engine.stone(code)(lambda task: again.append(time.monotonic()))
        ended = engine.wait(number, 60)
    assert ended.status == "success"
    assert again[0] - begun < 1


def test_promise_6_the_task_of_a_dead_worker_elsewhere_is_offered_again_after_its_lease(
    yard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(yard) as (url, server):
        number = start(url)
        until(lambda: len(calls(yard)) == 2)
        server.send_signal(signal.SIGKILL)
    monkeypatch.setattr(dead_engines, "LEASE", 2.0)
    monkeypatch.setattr(dead_engines, "WITNESSED", 1.0)
    with Engine(f"sqlite:///{yard}/riverstone.db", passive=True) as engine:
        # As if it had been on another machine, where nobody can see that its process is gone.
        engine._store.execute("UPDATE `engine_node` SET `host` = 'elsewhere' WHERE `id` <> ?", (engine_id(engine),))

    begun = time.monotonic()
    with Engine(f"sqlite:///{yard}/riverstone.db", dispatcher="threads") as engine:
        for code in ("quick", "slow"):
            engine.stone(code)(lambda task: None)
        assert engine.wait(number, 60).status == "success"
    assert time.monotonic() - begun < 25, "it waited for the lease of 30 seconds"


def engine_id(engine: Engine) -> str:
    return engine._facilities.engine_id


def test_promise_7_what_kills_its_process_again_and_again_fails_visibly_and_its_sibling_goes_on(yard: Path) -> None:
    with serving(yard) as (url, server), suppress(requests.RequestException):
        start(url, "poisoned")
        server.wait(10)
    (number,) = instances(yard)
    lives = 1
    while instances(yard)[number] == "running":
        with serving(yard) as (url, server):
            until(lambda: server.poll() is not None or instances(yard)[number] != "running")
        lives += 1
        assert lives < 10, "an endless loop"
    poisoned = [call for call in calls(yard) if call[1] == "p"]
    # With no retries of its own, three losses are what a stone gets.
    assert len(poisoned) == 3
    assert len({call[2] for call in poisoned}) == 1
    with Engine(f"sqlite:///{yard}/riverstone.db", passive=True) as engine:
        assert "lost" in (engine.get(number).reason or "")
        statuses = {task.namespace: task.status for task in engine.tasks(number)}
    assert statuses == {"p": "start.failed", "q": "start.success"}
    assert instances(yard)[number] == "rollback.success"


def test_a_server_that_is_killed_while_it_stops_counts_against_no_task(yard: Path) -> None:
    with serving(yard) as (url, server):
        number = start(url)
        until(lambda: len(calls(yard)) == 2)
    # More often than a task may be lost.
    for life in range(3, 6):
        with serving(yard) as (url, server):
            until(lambda count=life: len(calls(yard)) == count)
            server.send_signal(signal.SIGTERM)
            until(lambda: closing(yard))
    with serving(yard, SLOW="0") as (url, _):
        until(lambda: status_of(url, number) == "success")
    assert [call[1] for call in calls(yard)] == ["a", *"bbbbb", "c"]
    assert len({call[2] for call in calls(yard) if call[1] == "b"}) == 1


def closing(yard: Path) -> bool:
    """Whether an engine of the yard's store has told that it stops."""
    with Engine(f"sqlite:///{yard}/riverstone.db", passive=True) as engine:
        return any(row.closing for row in engine._loop.lease.leases.engines())


def test_a_monitor_that_comes_to_a_look_now_and_then_may_lose_its_engine_as_often_as_it_will(yard: Path) -> None:
    with serving(yard, WATCHED="hang") as (url, _):
        number = start(url, "watching")
        until(lambda: looks(yard) == 1)
    for life in range(1, 5):
        # One look comes back, and the engine is killed in the middle of the next.
        with serving(yard, WATCHED="once"):
            until(lambda count=2 * life: looks(yard) > count)
    with serving(yard, WATCHED="done") as (url, _):
        until(lambda: status_of(url, number) == "success")


def looks(yard: Path) -> int:
    """How often a monitor has begun to look."""
    return sum(call[0] == "monitor" for call in calls(yard))


def test_a_server_that_is_asked_to_stop_brings_in_what_is_half_done(yard: Path) -> None:
    with serving(yard, SLOW="0.7") as (url, server):
        number = start(url)
        until(lambda: len(calls(yard)) == 2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    with Engine(f"sqlite:///{yard}/riverstone.db", passive=True) as engine:
        statuses = {task.namespace: task.status for task in engine.tasks(number)}
        assert (statuses["a"], statuses["b"]) == ("start.success", "start.success")
    with serving(yard, SLOW="0") as (url, _):
        until(lambda: status_of(url, number) == "success")
    assert [call[1] for call in calls(yard)] == ["a", "b", "c"]
