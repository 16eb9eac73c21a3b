"""Of a key only so many processes are at work at once: the others wait for their turn, and have not begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from riverstone.engine import Conflict, Engine, Invalid, Quota, Stone, TaskInfo, VirtualClock
from riverstone.engine.river.due.quota_lines import QuotaPolls

from ..models.stores import SHARED, fresh
from .sketch import definitions, flow, line, process, service

ONE = Quota(at_once=1)
WAIT = '<userTask id="wait"/>'


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000_000)


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh(request.param, tmp_path) as url:
        yield url


class Disk(Stone):
    """It is undone when the test says so."""

    code = "disk"
    monitor_interval = 10.0
    calls: ClassVar[list[str]] = []
    gone: ClassVar[set[str]] = set()

    def start(self, task: TaskInfo) -> None:
        self.calls.append(task.process_instance_id)

    def cancel(self, task: TaskInfo) -> None:
        """It begins to go."""

    def cancel_monitor(self, task: TaskInfo) -> bool:
        return bool(self.gone)

    delete = cancel


def opened(url: str, clock: VirtualClock, quota: Quota | None = ONE, **more: Any) -> Engine:
    Disk.calls.clear()
    Disk.gone.clear()
    quotas = {} if quota is None else {"shop": quota}
    return Engine(url, stones=[Disk], clock=clock, process_quotas=quotas, **more)


def start(engine: Engine, **more: Any) -> str:
    return engine.start(key="shop", name="test", **more).process_instance_id


def stands(engine: Engine, number: str) -> str:
    """For whom or what it stands still, or how it has ended."""
    found = engine.get(number)
    return found.awaits or found.status


def finish(engine: Engine, number: str) -> None:
    (task,) = [each for each in engine.tasks(number) if each.end_time is None]
    engine.complete(task.task_id, {})


def poll(engine: Engine) -> None:
    for action in QuotaPolls(engine._facilities).poll():
        engine._pump.step(action)
    engine._pump.step(lambda turn: None)


def test_what_finds_no_room_runs_and_waits_for_its_turn(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", service("a", "disk"), WAIT))
        first, second, third = [start(engine) for _ in range(3)]
        assert [engine.get(each).status for each in (first, second, third)] == ["running"] * 3
        assert [stands(engine, each) for each in (first, second, third)] == ["person", "quota", "quota"]
        assert [len(engine.tasks(each)) for each in (first, second, third)] == [2, 0, 0]
        told = engine.why(third).sentences[1]
        assert told == (
            "It has not begun: it waits for the quota 'process:shop': 1 of 1 are at work; it is behind 1 other."
        )
        assert [each.process_instance_id for each in engine.search(state="quota").items] == [third, second]
        (used,) = engine.quotas().items
        assert (used.name, used.held, used.waiting) == ("process:shop", 1, 2)

        finish(engine, first)
        assert [stands(engine, each) for each in (first, second, third)] == ["success", "person", "quota"]
        finish(engine, second)
        finish(engine, third)
        assert Disk.calls == [first, second, third]
        (used,) = engine.quotas().items
        assert (used.held, used.waiting) == (0, 0)


def test_the_answer_to_a_start_says_whether_it_found_room(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", WAIT))
        answers = [engine.start(key="shop", name="test").awaits for _ in range(3)]
        assert answers[0] != "quota"
        assert answers[1:] == ["quota", "quota"]


def test_they_begin_by_priority_then_by_age_and_owners_in_turn(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", WAIT))
        held = start(engine)
        late = start(engine, owner="acme")
        early = start(engine, owner="acme", priority=5)
        other = start(engine, owner="zoo")
        order = []
        for number in (held, early, other, late):
            finish(engine, number)
            order += [each for each in (late, early, other) if each not in order and stands(engine, each) != "quota"]
        assert order == [early, other, late]


def test_each_value_of_a_variable_is_counted_by_itself(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, Quota(at_once=1, by="account")) as engine:
        engine.deploy(line("shop", WAIT))
        acme, more, zoo = [start(engine, variables={"account": each}) for each in ("acme", "acme", "zoo")]
        assert [stands(engine, each) for each in (acme, more, zoo)] == ["person", "quota", "person"]
        assert "for account 'acme'" in engine.why(more).sentences[1]


def test_one_that_waits_can_be_cancelled_and_leaves_nothing(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", service("a", "disk"), WAIT))
        first, second, third, fourth = [start(engine) for _ in range(4)]
        with pytest.raises(Conflict):
            engine.delete(second)
        engine.cancel(second)
        engine.delete(third, force=True)
        assert stands(engine, second) == "cancel.success"
        assert stands(engine, third) == "delete.success"
        finish(engine, first)
        assert stands(engine, fourth) == "person"
        assert Disk.calls == [first, fourth]


def test_a_slot_is_held_until_what_was_made_is_taken_back(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", service("a", "disk"), WAIT))
        first, second = start(engine), start(engine)
        engine.cancel(first)
        assert (engine.get(first).status, stands(engine, second)) == ("cancel.begin", "quota")
        Disk.gone.add("all")
        assert engine.wait(first).status == "cancel.success"
        assert stands(engine, second) == "person"


def test_one_that_is_suspended_lets_others_go_first_and_keeps_its_age(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", WAIT))
        first, second, third, fourth = [start(engine) for _ in range(4)]
        engine.suspend(second)
        assert stands(engine, second) == "suspended"
        finish(engine, first)
        assert [stands(engine, each) for each in (second, third, fourth)] == ["suspended", "person", "quota"]
        engine.unsuspend(second)
        assert stands(engine, second) == "quota"
        finish(engine, third)
        assert [stands(engine, each) for each in (second, fourth)] == ["person", "quota"]
        engine.suspend(fourth)
        engine.cancel(fourth)
        assert stands(engine, fourth) == "cancel.success"


def test_what_begins_while_its_key_is_suspended_asks_when_it_is_let_go_on(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", WAIT))
        engine.suspend_key("shop")
        first, second = start(engine), start(engine)
        assert [stands(engine, each) for each in (first, second)] == ["suspended", "suspended"]
        assert engine.quotas().items == ()
        engine.unsuspend_key("shop")
        poll(engine)
        assert [stands(engine, each) for each in (first, second)] == ["person", "quota"]


def test_who_waits_is_found_again_by_the_next_engine_with_what_started_it(url: str, clock: VirtualClock) -> None:
    begin = '<startEvent id="s"><messageEventDefinition id="m" messageRef="order"/></startEvent>'
    model = definitions(
        '<message id="order" name="order"/>',
        process("shop", begin, WAIT, '<endEvent id="e"/>', flow("s", "wait"), flow("wait", "e")),
    )
    with opened(url, clock) as engine:
        engine.deploy(model)
        engine.message("order", {"of": 1})
        engine.message("order", {"of": 2})
        first, second = sorted((each.process_instance_id for each in engine.search().items), key=int)
        assert [stands(engine, each) for each in (first, second)] == ["person", "quota"]
    with opened(url, clock) as engine:
        assert stands(engine, second) == "quota"
        finish(engine, first)
        assert stands(engine, second) == "person"
        assert engine.get(second).process_content == '{"of":2}'


def test_so_many_begin_in_a_minute(url: str, clock: VirtualClock) -> None:
    with opened(url, clock, Quota(per_minute=2)) as engine:
        engine.deploy(line("shop", WAIT))
        numbers = [start(engine) for _ in range(3)]
        assert [stands(engine, each) for each in numbers] == ["person", "person", "quota"]
        assert "2 of them may begin in a minute" in engine.why(numbers[2]).sentences[1]
        engine._store.execute("UPDATE `quota_grant` SET `granted` = `granted` - 60000")
        engine._store.execute("UPDATE `quota` SET `due` = `due` - 60000")
        poll(engine)
        assert stands(engine, numbers[2]) == "person"


def test_without_the_quota_all_that_wait_begin(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", WAIT))
        numbers = [start(engine) for _ in range(3)]
    with opened(url, clock, None) as engine:
        finish(engine, numbers[0])
        poll(engine)
        assert [stands(engine, each) for each in numbers] == ["success", "person", "person"]


def test_slots_of_processes_that_run_are_not_swept(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", WAIT))
        _, second = start(engine), start(engine)
        poll(engine)
        assert stands(engine, second) == "quota"


def test_a_mock_run_waits_for_nobody(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        engine.deploy(line("shop", service("a", "disk")))
        engine.deploy(line("other", WAIT))
        assert engine.get(start(engine, variables={"SipRS::Mock": True})).status == "success"
        assert engine.quotas().items == ()


def test_quotas_of_keys_that_share_a_name_say_the_same_numbers() -> None:
    quotas = {"a": Quota(at_once=1, name="both"), "b": Quota(at_once=2, name="both")}
    with pytest.raises(Invalid, match="share the quota 'both'") as refused:
        Engine("sqlite:///:memory:", process_quotas=quotas)
    assert refused.value.code == "quota-invalid"
    wrong: Any = {"a": 5}
    with pytest.raises(Invalid, match="give a Quota"):
        Engine("sqlite:///:memory:", process_quotas=wrong)


def test_keys_may_share_their_slots(url: str, clock: VirtualClock) -> None:
    quota = Quota(at_once=1, name="both")
    with Engine(url, clock=clock, process_quotas={"shop": quota, "fair": quota}) as engine:
        engine.deploy(line("shop", WAIT))
        engine.deploy(line("fair", WAIT))
        first = start(engine)
        second = engine.start(key="fair", name="test").process_instance_id
        assert stands(engine, second) == "quota"
        finish(engine, first)
        assert stands(engine, second) == "person"


def test_a_process_that_waits_for_its_turn_says_so_to_whoever_would_change_it(url: str, clock: VirtualClock) -> None:
    with opened(url, clock) as engine:
        deployed = engine.deploy(line("shop", WAIT))
        _, second = start(engine), start(engine)
        wishes: list[Callable[[], Any]] = [
            lambda: engine.set_variables(second, {"size": 2}),
            lambda: engine.migrate(second, deployed.deployment_id),
        ]
        for wish in wishes:
            with pytest.raises(Conflict, match="waits for a slot of a quota and has not begun"):
                wish()
