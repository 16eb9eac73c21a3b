"""Two engines on one store: both work, and when one dies or sleeps the other goes on with what it had."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, failpoints
from riverstone.engine.dispatch.threads import ThreadsDispatcher
from riverstone.engine.errors import UnknownDeployment, VariablesInvalid
from riverstone.engine.river.engines import dead_engines, lease, pids

from ..features.sketch import catch, line, service
from ..features.survivor import make_stones
from ..models.stores import fresh
from ..services import skip
from .yard import Yard, ask, until

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    with fresh(request.param, tmp_path) as url:
        yield Yard(url, tmp_path)


def ended(engine: Engine, count: int, seconds: float = 20) -> list[str]:
    """Wait for all processes to end; their statuses."""
    found = engine.instances(limit=100).items
    assert len(found) == count
    return [engine.wait(each.process_instance_id, timeout=seconds).status for each in found]


def test_what_a_killed_engine_had_in_hand_is_done_by_the_other_with_the_same_keys(yard: Yard) -> None:
    yard.gate.touch()
    with yard.engine() as engine:
        engine.deploy(line("shop", service("a", "held"), service("b", "watched"), service("c", "quick")))
        with yard.worker() as child:
            ask(child, 5, "shop")
            until(lambda: len(yard.called()) == 5)
            child.send_signal(signal.SIGKILL)
        yard.gate.unlink()

        killed = time.monotonic()
        until(lambda: len({call[0] for call in yard.called() if call[4] == "here"}) == 5)
        assert time.monotonic() - killed < dead_engines.LEASE - 2, "it waited for a lease to run out"
        assert ended(engine, 5) == ["success"] * 5

    times = yard.times()
    assert {count for (_, name, event, _), count in times.items() if (name, event) == ("a", "start")} == {2}
    assert {count for (_, name, event, _), count in times.items() if (name, event) == ("c", "start")} == {1}


def test_the_timers_of_a_killed_engine_are_seen_to_by_one_of_the_others(yard: Yard) -> None:
    soon = "<timerEventDefinition><timeDuration>PT1.5S</timeDuration></timerEventDefinition>"
    with yard.engine() as engine, yard.engine():
        engine.deploy(line("shop", catch("soon", soon), service("c", "quick")))
        with yard.worker() as child:
            ask(child, 20, "shop")
            child.send_signal(signal.SIGKILL)
        assert ended(engine, 20) == ["success"] * 20

    assert set(yard.times().values()) == {1}


def test_a_monitor_that_two_engines_could_look_at_is_looked_at_by_one(yard: Yard) -> None:
    with yard.engine() as engine, yard.engine(), yard.worker() as child:
        engine.deploy(line("shop", service("b", "watched")))
        ask(child, 3, "shop")
        assert ended(engine, 3) == ["success"] * 3

    assert len(yard.called()) == 30
    assert {call[4] for call in yard.called()} == {str(child.pid)}


def test_each_engine_sees_at_once_what_the_other_has_ended(yard: Yard) -> None:
    with yard.engine() as one, yard.engine() as other:
        one.deploy(line("shop", service("a", "quick")))
        for here, there in ((one, other), (other, one)):
            started = here.start(key="shop", name="test")
            assert there.wait(started.process_instance_id, timeout=60).status == "success"
            assert there.tasks(started.process_instance_id) == here.tasks(started.process_instance_id)


def test_each_engine_starts_at_once_what_the_other_has_deployed_and_nothing_that_it_has_removed(yard: Yard) -> None:
    with yard.engine() as engine, yard.engine() as other:
        for version in range(1, 4):
            deployment = other.deploy(line("shop", service(f"of-{version}", "quick")))
            started = [engine.start(key="shop", name="of the newest") for _ in range(2)]
            assert {each.deployment_id for each in started} == {deployment.deployment_id}
            for each in started:
                engine.wait(each.process_instance_id, timeout=60)
                assert [task.element_id for task in engine.tasks(each.process_instance_id)] == [f"of-{version}"]
                engine.delete(each.process_instance_id)
                assert engine.wait(each.process_instance_id, timeout=60).status == "delete.success"

        assert deployment.model_id is not None
        other.remove_model(deployment.model_id)
        with pytest.raises(UnknownDeployment):
            engine.start(key="shop", name="of none")


def test_starts_that_come_together_are_of_the_newest_or_refused_each_for_itself(yard: Yard) -> None:
    with yard.engine() as engine, yard.engine() as other, ThreadPoolExecutor(12) as callers:
        engine.deploy(line("shop", service("a", "quick")))
        mill = engine.deploy(line("mill", service("a", "quick")))

        def start(number: int) -> str | None:
            try:
                if number % 2:
                    return engine.start(deployment_id=mill.deployment_id, name="of one").deployment_id
                return engine.start(key="shop", name="of the newest").deployment_id
            except UnknownDeployment:
                return None

        assert None not in callers.map(start, range(0, 12, 2))
        newest = other.deploy(line("shop", service("b", "quick"))).deployment_id
        other.remove_deployment(mill.deployment_id)

        assert list(callers.map(start, range(12))) == [newest, None] * 6


def test_the_variables_of_a_start_are_checked_against_what_another_engine_has_just_deployed(yard: Yard) -> None:
    model = line("shop", service("a", "quick"))
    with yard.engine() as engine, yard.engine() as other:
        other.deploy(model)
        assert engine.start(key="shop", name="free").key == "shop"

        other.deploy(model, parameter_template=[{"Key": "size", "Type": "Number"}])

        with pytest.raises(VariablesInvalid):
            engine.start(key="shop", name="checked", variables={"size": "large"})
        checked = engine.start(key="shop", name="checked", variables={"size": 1})
        assert engine.get(checked.process_instance_id).process_content == '{"size":1}'


def test_the_first_key_that_another_engine_adds_closes_the_door_of_this_one(yard: Yard) -> None:
    with yard.engine() as engine, yard.engine() as other:
        assert not engine.keys.exist()

        other.keys.add("web", scopes=["read"])

        assert other.keys.exist()
        until(engine.keys.exist)


def test_an_engine_that_slept_past_its_lease_finds_its_writes_refused(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.lease = 2
    monkeypatch.setattr(dead_engines, "LEASE", 2)
    monkeypatch.setattr(dead_engines, "WITNESSED", 1)
    monkeypatch.setattr(lease, "HEARTBEAT", 0.4)
    yard.gate.touch()
    with yard.engine() as engine, yard.worker() as child:
        engine.deploy(line("shop", service("a", "held"), service("c", "quick")))
        ask(child, 4, "shop")
        until(lambda: len(yard.called()) == 4)
        child.send_signal(signal.SIGSTOP)
        until(lambda: len({call[0] for call in yard.called() if call[4] == "here"}) == 4)
        yard.gate.unlink()
        assert ended(engine, 4) == ["success"] * 4

        child.send_signal(signal.SIGCONT)
        # It works again, under the same name, and what it had in hand when it slept changes nothing.
        asked = 4

        def works_again() -> bool:
            nonlocal asked
            asked += 1
            ask(child, 1, "shop")
            assert ended(engine, asked) == ["success"] * asked
            return str(child.pid) in {call[4] for call in yard.called() if call[1] == "c"}

        # What it was asked first may have gone to the other while it found out that it was taken for dead.
        until(works_again)
        time.sleep(0.5)
        for instance in engine.instances(limit=100).items:
            assert [task.status for task in engine.tasks(instance.process_instance_id)] == ["start.success"] * 2

    assert {call[4] for call in yard.called() if call[1] == "c"} == {"here", str(child.pid)}
    assert sum(call[1] == "c" for call in yard.called()) == asked


def test_a_stone_that_kills_whoever_carries_it_out_fails_in_the_end_and_takes_no_neighbour_with_it(
    tmp_path: Path,
) -> None:
    yard = Yard(f"sqlite:///{tmp_path}/store.db", tmp_path)
    yard.gate.touch()
    with yard.worker() as child, Engine(yard.url, passive=True) as watching:
        with yard.engine() as engine:
            engine.deploy(line("killer", service("q", "quick"), service("p", "poison")))
            engine.deploy(line("shop", service("a", "held")))
        ask(child, 3, "shop")
        until(lambda: len(yard.called()) == 3)
        ask(child, 1, "killer", dies=True)
        assert child.wait(timeout=60) == -signal.SIGKILL
        killer = watching.instances(key="killer").items[0].process_instance_id
        assert yard.dies(lambda: watching.get(killer).status != "running")
        yard.gate.unlink()
        assert yard.dies(lambda: watching.get(killer).status != "running")
        assert not yard.dies(lambda: watching.get(killer).status != "running")
        with yard.engine() as engine:
            instances = [engine.wait(each.process_instance_id, timeout=60) for each in engine.instances().items]
            task = engine.tasks(killer)[-1]

    assert sum(call[1] == "p" and call[2] == "start" for call in yard.called()) == 3
    assert task.status == "start.failed"
    assert task.reason == "start was lost 3 times with the engine that carried it out, so it is given up"
    assert sorted(each.status for each in instances) == ["rollback.success", *["success"] * 4]


def test_tasks_that_may_be_what_kills_engines_are_taken_one_at_a_time_but_one_right_after_the_other(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    running, most = Counter[str](), Counter[str]()
    lock, together = threading.Lock(), threading.Barrier(5)

    class Counted(Stone):
        code = "counted"

        def start(self, task: TaskInfo) -> None:
            kind = task.parameters["kind"]
            with lock:
                running[kind] += 1
                most[kind] = max(most[kind], running[kind])
            if kind == "cleared":
                together.wait(60)
            with lock:
                running[kind] -= 1

    with Engine(url, stones=[Counted], passive=True, dispatcher=ThreadsDispatcher(0)) as asking:
        asking.deploy(line("shop", service("a", "counted", {"kind": "${kind}"})))
        for number in range(45):
            kind = "cleared" if number < 5 else "suspect"
            asking.start(key="shop", name=kind, variables={"kind": kind})
        asking._store.execute("UPDATE `task` SET `lost` = 2")
        survived = "UPDATE `task` SET `state` = ? WHERE `id` IN (SELECT `id` FROM `task` ORDER BY `id` LIMIT 5)"
        asking._store.execute(survived, ('{"riverstone":{"survived":2}}',))

    with Engine(url, stones=[Counted], dispatcher="threads") as engine:
        assert ended(engine, 45) == ["success"] * 45
    assert most == {"suspect": 1, "cleared": 5}


def test_a_killed_process_is_gone_before_its_parent_has_asked_about_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        known = pids.identity(child.pid)
        assert not pids.is_gone(child.pid, known)
        child.send_signal(signal.SIGKILL)
        until(lambda: pids.is_gone(child.pid, known))


def test_nothing_is_said_of_a_process_that_cannot_be_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        started, boot, space = pids.identity(child.pid).split(" ")
        child.kill()
        child.wait()
        assert pids.is_gone(child.pid, f"{started} {boot} {space}")
        # Another run of the machine or a clone of it, another container, and what an earlier version has written.
        assert not pids.is_gone(child.pid, f"{started} {boot[::-1]} {space}")
        assert not pids.is_gone(child.pid, f"{started} {boot} pid:[1]")
        assert not pids.is_gone(child.pid, started)
    # Its id is another's now.
    assert pids.is_gone(os.getpid(), f"1 {boot} {space}")


def test_engines_with_one_host_name_in_containers_of_their_own_do_not_take_each_other_for_dead(tmp_path: Path) -> None:
    apart = ["unshare", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True).returncode:
        skip("pid namespaces of its own")
    script, calls = Path(__file__).parent.parent / "features" / "survivor.py", tmp_path / "calls"
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=make_stones(calls, 0)) as engine:
        engine.deploy(line("shop", service("a", "slow"), service("b", "quick")))
    command = [*apart, sys.executable, str(script), url, str(calls), "4"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        with Engine(url, stones=make_stones(calls, 4), dispatcher="threads") as engine:
            child.stdin.write("1 shop\n")
            child.stdin.flush()
            assert child.stdout.readline() == "started\n"
            assert ended(engine, 1) == ["success"]
        child.stdin.close()
        child.terminate()
    assert [call.split()[1] for call in calls.read_text().splitlines()] == ["a", "b"]


def test_what_has_just_come_in_is_not_taken_for_lost_and_done_again(tmp_path: Path) -> None:
    calls: list[str] = []
    looked: list[str] = []
    with Engine(f"sqlite:///{tmp_path}/river.db") as engine:
        engine.stone("count")(lambda task: calls.append(task.namespace))
        engine.deploy(line("shop", service("a", "count"), service("b", "count")))

        def look(place: str) -> None:
            """A turn has failed, and its processes are looked after at a moment when a task has just reported."""
            if place == "after-report" and len(looked) < 2:
                looked.append(place)
                engine._river.failed_turns.update(dict.fromkeys(engine._river.cache, 0))
                engine._loop.repair_failed_turns()

        failpoints.tell(look)
        try:
            started = engine.start(key="shop", name="test")
        finally:
            failpoints.tell(None)
        assert engine.wait(started.process_instance_id, timeout=60).status == "success"
    assert len(looked) == 2
    assert calls == ["a", "b"]
