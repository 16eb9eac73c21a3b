"""A stone bears only so much at once: what finds no room waits in line, and an undo is not held up by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from marshmallow import fields

from riverstone.engine import Deferral, Engine, Invalid, Quota, Stone, Task, TaskInfo, VirtualClock
from riverstone.engine.ledger import window
from riverstone.models.search import figures
from riverstone.models.search.figures import read_figures

from ..models.stores import SHARED, fresh
from .sketch import definitions, flow, line, process, runs, service
from .world import World, statuses

ONE = Quota(at_once=1)
ONE_EACH = Quota(at_once=1, by="account")


EVERY_KIND = pytest.mark.parametrize("url", SHARED, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A file, and for the stories of ``EVERY_KIND`` a database of each kind in turn."""
    with fresh(getattr(request, "param", "sqlite"), tmp_path) as url:
        yield url


class Cloud:
    """What was called, in order, and of which processes the servers are ready."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.ready: set[str] = set()
        self.fails: set[str] = set()

    def began(self) -> list[str]:
        """The processes whose start was called."""
        return [call.partition(" ")[2] for call in self.calls if call.startswith("start ")]


class Server(Stone):
    """A server that is made until the test says that it is ready; its monitor looks every ten seconds."""

    code = "server"
    monitor_interval = 10.0
    retries = 1
    retry_backoff = 10.0
    retry_jitter = 0.0
    cloud: ClassVar[Cloud]

    def start(self, task: TaskInfo) -> None:
        self.cloud.calls.append(f"{task.event} {task.process_instance_id}")
        if task.process_instance_id in self.cloud.fails:
            self.cloud.fails.discard(task.process_instance_id)
            raise RuntimeError("not now")

    def monitor(self, task: TaskInfo) -> bool:
        return task.process_instance_id in self.cloud.ready

    def cancel(self, task: TaskInfo) -> None:
        self.cloud.calls.append(f"{task.event} {task.process_instance_id}")

    rollback = delete = cancel


class Port(Server):
    """A port, of the same cloud."""

    code = "port"

    def monitor(self, task: TaskInfo) -> bool:
        return True


class Letter(Stone):
    """Something that somebody outside answers."""

    code = "letter"
    tokens: ClassVar[list[str]]

    def start(self, task: TaskInfo) -> Deferral:
        later = task.defer()
        self.tokens.append(later.token)
        return later


class Site:
    """Engines of one store, one after the other or beside each other, with the same cloud."""

    def __init__(self, url: str, clock: VirtualClock) -> None:
        self.url, self.clock = url, clock
        self.cloud = Cloud()
        self.tokens: list[str] = []
        self.open: list[Engine] = []

    def engine(self, quotas: dict[str, Quota], **options: Any) -> Engine:
        """One more."""
        members: dict[str, Any] = {"cloud": self.cloud, "tokens": self.tokens, "__doc__": "One of this test."}
        stones = [type(kind.__name__, (kind,), members) for kind in (Server, Port, Letter)]
        self.open.append(Engine(self.url, stones=stones, clock=self.clock, quotas=quotas, **options))
        return self.open[-1]

    def ready(self, engine: Engine, number: str) -> None:
        """A server is there, which its monitor sees."""
        self.cloud.ready.add(number)
        self.clock.advance(10_000)
        engine.run_pending()


@pytest.fixture
def site(url: str, clock: VirtualClock) -> Iterator[Site]:
    found = Site(url, clock)
    yield found
    for engine in found.open:
        engine.close()


def start(engine: Engine, number: int = 1, key: str = "shop", **options: Any) -> list[str]:
    return [engine.start(key=key, name="it", **options).process_instance_id for _ in range(number)]


def shop(engine: Engine, *nodes: str) -> None:
    engine.deploy(line("shop", *(nodes or (service("a", "server"),))))


def queued(engine: Engine, number: str) -> bool:
    return any(task.status == "queued" for task in engine.tasks(number))


def slots(engine: Engine) -> int:
    """How many tasks hold a slot or wait for one, by the table itself."""
    (found,) = engine._store.read("SELECT COUNT(*) FROM `quota_slot`")
    lines = engine._store.read("SELECT COUNT(*) FROM `quota_line`")
    assert found[0] or not lines[0][0]
    return int(found[0])


def task_of(engine: Engine, number: str) -> Task:
    return engine.tasks(number)[-1]


# -- who waits, and who goes on


def test_what_finds_no_room_waits_until_the_one_before_is_through(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    first, second, third = start(engine, 3)
    assert site.cloud.began() == [first]
    assert (task_of(engine, second).status, engine.get(second).status) == ("queued", "running")
    told = engine.why(third).sentences
    assert any("waits for the quota 'server'" in each and "behind 1 other" in each for each in told), told
    site.ready(engine, first)
    assert site.cloud.began() == [first, second]
    site.ready(engine, second)
    site.ready(engine, third)
    assert [engine.get(each).status for each in (first, second, third)] == ["success"] * 3
    assert slots(engine) == 0


@pytest.mark.parametrize("least", [64, 1])
def test_what_waits_for_room_needs_nobody_however_long_its_process_is(
    site: Site, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    """With ``least`` 1 the ledger is folded, as one of many tasks is."""
    monkeypatch.setattr(window, "LEAST", least)
    engine = site.engine({"server": ONE})
    shop(engine, service("b", "port"), service("c", "port"), service("a", "server"))
    _, second = start(engine, 2)
    assert queued(engine, second)
    row = engine._store.instance(int(second))
    assert row is not None
    assert bool(row.folded) == (least == 1)
    assert engine.situation(second).need is None
    engine.stones.remove("server")
    engine.run_pending()
    assert engine.situation(second).need is None
    # Somebody has to bring the stone now.
    engine.cancel(second)
    assert engine.situation(second).need == "ended"


def test_no_more_of_those_who_wait_are_counted_than_of_anything(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    start(engine, 4)
    assert {each.labels: each.count for each in read_figures(engine._store).quotas} == {
        ("server", "held"): 1,
        ("server", "waiting"): 3,
    }
    monkeypatch.setattr(figures, "MOST_COUNTED", 2)
    assert sum(each.count for each in read_figures(engine._store).quotas) == 2


def test_a_start_that_waits_has_all_of_its_time_when_it_begins(site: Site) -> None:
    engine = site.engine({"server": ONE})
    engine.register(type("Timed", (Server,), {"timeouts": {"start": 5.0}, "cloud": site.cloud, "__doc__": "In time."}))
    shop(engine)
    first, second = start(engine, 2)
    assert queued(engine, second)
    site.clock.advance(3_600_000)
    engine.run_pending()
    assert queued(engine, second)
    site.ready(engine, first)
    site.ready(engine, second)
    assert engine.get(second).status == "success"


def test_the_highest_priority_goes_first_and_then_the_oldest(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    (first,) = start(engine)
    (low,), (older, newer), (high,) = start(engine, priority=-1), start(engine, 2), start(engine, priority=5)
    for each in (first, high, older, newer, low):
        assert site.cloud.began()[-1] == each
        site.ready(engine, each)


@EVERY_KIND
def test_owners_who_share_a_quota_go_in_turn_whatever_their_priority(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    many = start(engine, 4, owner="acme", priority=9)
    few = start(engine, 2, owner="zoo")
    expected = [many[0], many[1], few[0], many[2], few[1], many[3]]
    for each in expected:
        assert site.cloud.began()[-1] == each
        site.ready(engine, each)
    assert slots(engine) == 0


def test_each_value_of_a_parameter_is_counted_by_itself(site: Site) -> None:
    engine = site.engine({"server": ONE_EACH})
    shop(engine, service("a", "server", {"account": "${account}"}))
    first, second = start(engine, 2, variables={"account": "A"})
    (other,) = start(engine, variables={"account": "B"})
    (nothing,) = start(engine, variables={"account": None})
    assert site.cloud.began() == [first, other, nothing]
    assert any("for account 'A'" in each for each in engine.why(second).sentences)


def test_stones_that_name_the_same_quota_share_it(site: Site) -> None:
    both = Quota(at_once=1, name="cloud")
    engine = site.engine({"server": both, "port": both})
    engine.deploy(line("shop", service("a", "server"), service("b", "port")))
    engine.deploy(line("port", service("b", "port")))
    (first,) = start(engine)
    (second,) = start(engine, key="port")
    assert queued(engine, second)
    site.ready(engine, first)
    assert [engine.get(each).status for each in (first, second)] == ["success"] * 2


@EVERY_KIND
def test_runs_of_one_activity_share_the_quota_of_their_stone(site: Site) -> None:
    engine = site.engine({"port": Quota(at_once=2)})
    shop(engine, service("a", "port", inside=runs("20")))
    (number,) = start(engine)
    assert engine.wait(number, 60).status == "success"
    assert len(site.cloud.began()) == 20
    assert slots(engine) == 0


def test_a_mock_run_uses_nothing_of_it(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    start(engine)
    (mock,) = start(engine, variables={"SipRS::Mock": True})
    assert engine.get(mock).status == "success"


def test_a_stone_without_a_quota_is_not_counted(site: Site) -> None:
    engine = site.engine({"port": ONE})
    shop(engine)
    numbers = start(engine, 3)
    assert site.cloud.began() == numbers
    assert slots(engine) == 0


# -- how long a slot is held


@EVERY_KIND
def test_the_slot_is_free_between_two_attempts(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    (held,) = start(engine)
    first, second = start(engine, 2)
    site.cloud.fails.add(first)
    site.ready(engine, held)
    assert site.cloud.began() == [held, first, second]
    site.clock.advance(10_000)
    engine.run_pending()
    assert queued(engine, first)
    site.ready(engine, second)
    assert site.cloud.began()[-1] == first
    site.ready(engine, first)
    assert engine.get(first).status == "success"
    assert slots(engine) == 0


def test_somebody_outside_who_has_the_task_holds_its_slot(site: Site) -> None:
    engine = site.engine({"letter": ONE})
    shop(engine, service("a", "letter"))
    first, second = start(engine, 2)
    assert (len(site.tokens), queued(engine, second)) == (1, True)
    engine.complete_deferred(site.tokens[0], {})
    assert (engine.get(first).status, len(site.tokens)) == ("success", 2)


def test_a_suspended_stone_or_process_holds_nothing_and_keeps_nobody_waiting(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    first, second, third = start(engine, 3)
    engine.suspend(second)
    site.ready(engine, first)
    assert site.cloud.began() == [first, third]
    engine.unsuspend(second)
    assert queued(engine, second)
    engine.suspend_stone("server")
    site.ready(engine, third)
    assert site.cloud.began() == [first, third]
    engine.unsuspend_stone("server")
    engine.run_pending()
    assert site.cloud.began() == [first, third, second]
    site.ready(engine, second)
    assert slots(engine) == 0


# -- undo


def test_an_undo_is_not_held_up_by_what_goes_forward(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    first, second, third = start(engine, 3)
    engine.cancel(first)
    assert site.cloud.calls[1].startswith("cancel ")
    assert engine.get(first).status == "cancel.success"
    assert site.cloud.began() == [first, second]
    assert queued(engine, third)


def test_what_waited_when_it_was_cancelled_has_never_begun(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    first, second, third = start(engine, 3)
    engine.cancel(second)
    assert (engine.get(second).status, task_of(engine, second).status) == ("cancel.success", "canceled")
    site.ready(engine, first)
    assert site.cloud.calls == [f"start {first}", f"start {third}"]


@EVERY_KIND
def test_tasks_of_an_undo_wait_for_one_another(site: Site) -> None:
    engine = site.engine({"port": ONE})
    shop(engine, service("a", "port", inside=runs("5")))
    (number,) = start(engine)
    assert engine.wait(number, 60).status == "success"
    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert len([call for call in site.cloud.calls if call.startswith("delete ")]) == 5
    assert slots(engine) == 0


def test_what_somebody_fails_beside_one_that_waits_is_rolled_back(site: Site, world: World) -> None:
    engine = site.engine({"server": ONE})
    for stone in world.stones():
        engine.register(stone)
    world.wrong("start", "bad", RuntimeError("no"))
    nodes = '<startEvent id="s"/><parallelGateway id="f"/>' + service("a", "server") + service("bad", "make")
    flows = flow("s", "w") + flow("w", "f") + flow("f", "a") + flow("f", "bad")
    engine.deploy(line("one", service("x", "server")))
    (first,) = start(engine, key="one")
    engine.deploy(definitions(process("shop", service("w", "make"), nodes, flows)))
    (number,) = start(engine)
    assert engine.wait(number, 60).status == "rollback.success"
    assert statuses(engine.tasks(number))["a"] == "canceled"
    assert site.cloud.began() == [first]
    assert slots(engine) == 1


# -- what people do to one that waits


def test_a_debug_run_that_stands_still_lets_others_go_before_it(site: Site, world: World) -> None:
    engine = site.engine({"server": ONE})
    for stone in world.stones():
        engine.register(stone)
    world.wrong("start", "bad", RuntimeError("no"))
    nodes = '<startEvent id="s"/><parallelGateway id="f"/>' + service("a", "server") + service("bad", "make")
    model = definitions(process("trial", nodes, flow("s", "f") + flow("f", "a") + flow("f", "bad")))
    engine.deploy(line("shop", service("x", "server")))
    (first,) = start(engine)
    trial = engine.start(model_id=engine.deploy(model).model_id, name="trial").process_instance_id
    (last,) = start(engine)
    assert queued(engine, trial)
    site.ready(engine, first)
    assert site.cloud.began() == [first, last]
    failed = next(task for task in engine.tasks(trial) if task.namespace == "bad")
    engine.rerun(failed.task_id)
    assert queued(engine, trial)
    site.ready(engine, last)
    site.ready(engine, trial)
    assert (site.cloud.began(), engine.get(trial).status) == ([first, last, trial], "success")


def test_one_that_waits_moves_to_another_version_and_keeps_its_place(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    first, second, third = start(engine, 3)
    version = engine.deploy(line("shop", service("a", "server"), service("b", "port")))
    engine.migrate(second, version.deployment_id)
    site.ready(engine, first)
    assert site.cloud.began() == [first, second]
    site.ready(engine, second)
    assert (engine.get(second).status, len(engine.tasks(second))) == ("success", 2)
    assert site.cloud.began()[-1] == third


def test_a_process_that_is_deleted_with_force_while_it_waits_leaves_the_line(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    first, second = start(engine, 2)
    engine.delete(second, force=True)
    assert engine.wait(second, 60).status == "delete.success"
    assert slots(engine) == 1
    site.ready(engine, first)
    assert slots(engine) == 0


# -- a minute


def pass_minute(engine: Engine) -> None:
    """The database's clock does not wait for a test: what was let begin was a minute before."""
    engine._store.execute("UPDATE `quota_grant` SET `granted` = `granted` - 60000")
    engine._store.execute("UPDATE `quota` SET `due` = `due` - 60000 WHERE `due` IS NOT NULL")
    engine.run_pending()


@EVERY_KIND
def test_only_so_many_begin_in_a_minute_and_an_undo_comes_first(site: Site) -> None:
    engine = site.engine({"port": Quota(per_minute=2)})
    shop(engine, service("a", "port"))
    first, second, third = start(engine, 3)
    assert site.cloud.began() == [first, second]
    engine.cancel(third)
    (fourth,) = start(engine)
    assert any("2 of them may begin in a minute" in each for each in engine.why(fourth).sentences)
    engine.delete(first)
    engine.delete(second)
    assert engine.get(first).status == "delete.begin"
    pass_minute(engine)
    assert [engine.get(each).status for each in (first, second)] == ["delete.success"] * 2
    assert queued(engine, fourth)
    pass_minute(engine)
    assert engine.get(fourth).status == "success"
    assert slots(engine) == 0


# -- another quota


@EVERY_KIND
def test_a_raised_quota_lets_those_go_on_who_wait(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    numbers = start(engine, 4)
    engine.close()
    engine = site.engine({"server": Quota(at_once=3)})
    site.ready(engine, numbers[0])
    engine.run_pending()
    assert site.cloud.began() == numbers


def test_without_the_quota_all_go_on_who_wait(site: Site) -> None:
    engine = site.engine({"server": ONE})
    shop(engine)
    numbers = start(engine, 4)
    engine.close()
    engine = site.engine({})
    site.ready(engine, numbers[0])
    engine.run_pending()
    assert site.cloud.began() == numbers
    for number in numbers[1:]:
        site.ready(engine, number)
    assert slots(engine) == 0


def test_one_whose_stone_is_gone_keeps_nobody_waiting(site: Site) -> None:
    both = Quota(at_once=1, name="cloud")
    engine = site.engine({"server": both, "port": both})
    engine.deploy(line("port", service("b", "port")))
    shop(engine)
    (first,) = start(engine)
    (second,), (third,) = start(engine, key="port"), start(engine)
    engine.stones.remove("port")
    site.ready(engine, first)
    assert (task_of(engine, second).status, site.cloud.began()) == ("stone-missing", [first, third])
    engine.register(type("Port", (Port,), {"cloud": site.cloud, "__doc__": "It is back."}))
    site.ready(engine, third)
    assert engine.get(second).status == "success"


class Secret(Stone):
    """Something that only its owner may use."""

    code = "secret"
    parameters: ClassVar = {"password": fields.String(metadata={"no_echo": True})}


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        (Quota(at_once=1, by="password"), "which is secret"),
        (Quota(at_once=1, by="user"), "none of its parameters"),
        (Quota(at_once=2, name="cloud"), "share the quota 'cloud'"),
    ],
)
def test_a_quota_that_cannot_be_kept_is_refused(quota: Quota, said: str) -> None:
    shared = type("Other", (Stone,), {"code": "other", "quota": Quota(at_once=1, name="cloud"), "__doc__": "Shares."})
    kind = type("Mine", (Secret,), {"quota": quota, "__doc__": "With a quota."})
    with pytest.raises(Invalid, match=said) as raised:
        Engine("sqlite:///:memory:", stones=[shared, kind])
    assert raised.value.code == "quota-invalid"


@pytest.mark.parametrize(
    "values", [{}, {"by": "a"}, {"at_once": 0}, {"at_once": True}, {"per_minute": 1.5}, {"at_once": 1, "by": ""}]
)
def test_numbers_that_bound_nothing_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Quota(**values)
