"""Day two: what processes have made is listed, looked at, and what is gone is gone for the ledger too."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from riverstone.engine import (
    Conflict,
    Engine,
    Invalid,
    Limits,
    Malformed,
    NotFound,
    Page,
    Resource,
    Stone,
    TaskInfo,
    UnknownProcessInstance,
    UnknownTask,
    VirtualClock,
    failpoints,
)
from riverstone.engine.calls import resources
from riverstone.engine.calls.tasks.external_views import ExternalTask, Topic
from riverstone.engine.errors import Unknown
from riverstone.engine.steps.tasks.external_tasks import UnknownExternalTask
from riverstone.models.operating.check_schedules import CheckSchedules
from riverstone.models.search.resources import Resources

from ..models.stores import SHARED, fresh
from .sketch import line, service
from .world import World, makes_then_fails, run


class Disk(Stone):
    """A disk that somebody may resize, or throw away."""

    code = "disk"
    outputs: ClassVar = {"id": "the disk's id"}
    sizes: ClassVar[dict[str, int]] = {}
    broken: ClassVar[set[str]] = set()

    def start(self, task: TaskInfo) -> None:
        self.sizes[task.namespace] = 10
        task.add_output("id", task.namespace)

    def check(self, task: TaskInfo) -> str | None:
        name = task.outputs["id"]
        if name in self.broken:
            raise RuntimeError("the cloud does not answer")
        if name not in self.sizes:
            raise NotFound(f"no disk {name}")
        return None if self.sizes[name] == 10 else f"the size is {self.sizes[name]}, not 10"

    def delete(self, task: TaskInfo) -> None:
        del self.sizes[task.outputs["id"]]

    rollback = cancel = delete


def a_cloud_of_its_own() -> type[Disk]:
    members: dict[str, object] = {"sizes": {}, "broken": set(), "__doc__": Disk.__doc__}
    return cast(type[Disk], type("Disks", (Disk,), members))


@pytest.fixture(autouse=True)
def disks(engine: Engine) -> type[Disk]:
    disk = a_cloud_of_its_own()
    engine.register(disk)
    engine.deploy(line("shop", service("a", "disk"), service("b", "disk"), service("c", "make"), service("d", "mail")))
    return disk


def states(engine: Engine, number: str) -> dict[str, tuple[str, str | None]]:
    found = engine.resources(process_instance_id=number).items
    return {each.namespace: (each.state, each.reason) for each in found}


def test_what_exists_is_listed_over_all_processes(engine: Engine, world: World) -> None:
    first, second = (run(engine, "shop").process_instance_id for _ in range(2))
    found = engine.resources()
    assert [each.namespace for each in found.items] == ["d", "c", "b", "a"] * 2
    last = found.items[-1]
    assert (last.process_instance_id, last.stone, last.state, last.outputs) == (first, "disk", "kept", {"id": "a"})
    page = engine.resources(limit=3)
    assert [each.task_id for each in engine.resources(limit=500, cursor=page.cursor).items] == [
        each.task_id for each in found.items[3:]
    ]
    assert {each.process_instance_id for each in engine.resources(stone="disk").items} == {first, second}
    engine.delete(first)
    assert states(engine, first) == {"d": ("retained", None)}
    assert [(each.stone, each.state, each.count) for each in engine.resource_counts()] == [
        ("disk", "kept", 2),
        ("mail", "kept", 1),
        ("mail", "retained", 1),
        ("make", "kept", 1),
    ]
    assert engine.resources(key="other").items == ()


def test_what_an_undo_has_left_and_what_nobody_knows_of_is_listed(engine: Engine, world: World) -> None:
    world.wrong("delete", "c", RuntimeError("busy"))
    number = run(engine, "shop").process_instance_id
    assert engine.delete(number).status == "delete.failed"
    assert states(engine, number)["c"] == ("left", None)
    world.wrong("start", "c", makes_then_fails)
    kept = run(engine, "shop", on_failure="keep").process_instance_id
    assert {name: state for name, (state, _) in states(engine, kept).items()} == {
        "a": "kept",
        "b": "kept",
        "c": "unknown",
    }


def test_a_check_tells_what_is_there_different_and_gone(
    engine: Engine, world: World, disks: type[Disk], clock: VirtualClock
) -> None:
    number = run(engine, "shop").process_instance_id
    checked = engine.check(number)
    assert {each.namespace: (each.state, each.check) for each in checked} == {
        "a": ("kept", "there"),
        "b": ("kept", "there"),
        "c": ("kept", None),
        "d": ("kept", None),
    }
    disks.sizes["a"] = 20
    del disks.sizes["b"]
    clock.advance(1000)
    engine.check(number)
    assert states(engine, number) == {
        "a": ("different", "the size is 20, not 10"),
        "b": ("gone", "no disk b"),
        "c": ("kept", None),
        "d": ("kept", None),
    }
    assert [each.namespace for each in engine.resources(state="gone").items] == ["b"]
    assert engine.get(number).status == "success"
    disks.broken.add("a")
    engine.check(number)
    (a,) = [each for each in engine.resources(stone="disk").items if each.namespace == "a"]
    assert (a.state, a.check, a.reason) == ("kept", "unknown", "RuntimeError: the cloud does not answer")


def test_what_exists_is_found_by_any_text_that_is_shown_of_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    started = [engine.start(key="shop", name=name, variables={}) for name in ("one", "two")]
    first, second = (engine.wait(each.process_instance_id, 3600).process_instance_id for each in started)
    assert [each.namespace for each in engine.resources(text="DISK").items] == ["b", "a"] * 2
    assert {each.process_instance_id for each in engine.resources(text="One").items} == {first}
    assert engine.resources(text="no such thing") == Page(items=(), cursor=None)
    page = engine.resources(text="disk", limit=3)
    assert [each.process_instance_id for each in page.items] == [second, second, first]
    assert [each.namespace for each in engine.resources(text="disk", cursor=page.cursor).items] == ["a"]
    monkeypatch.setattr(resources, "MOST_SEARCHED", 4)
    monkeypatch.setattr(resources, "SEARCHED_AT_ONCE", 2)
    empty = engine.resources(text="one")
    assert (empty.items, empty.cursor is None) == ((), False)
    assert len(engine.resources(text="one", cursor=empty.cursor).items) == 4


def test_a_text_is_searched_for_in_values_and_not_in_how_they_are_written(engine: Engine) -> None:
    class Share(Stone):
        """Puts out what JSON writes otherwise."""

        code = "share"
        outputs: ClassVar = {"where": "a place"}

        def start(self, task: TaskInfo) -> None:
            task.add_output("where", {"place": ['C:\\temp "x"', 443, True, "two\nlines"]})

    engine.register(Share)
    engine.deploy(line("share", service("s", "share")))
    run(engine, "share")
    for text in ("c:\\temp", '"X"', "place", "443", "true", "two\nlines"):
        assert len(engine.resources(text=text).items) == 1, text
    for text in ("{", '":', "\\n", ", ", "share\nshare"):
        assert engine.resources(text=text) == Page(items=(), cursor=None), text


def test_a_search_ends_where_it_has_read_much(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run(engine, "shop")
    monkeypatch.setattr(resources, "MOST_SEARCHED_SIZE", 1)
    seen, cursor, asked = list[str](), None, 0
    while asked == 0 or cursor is not None:
        page = engine.resources(text="s", cursor=cursor)
        seen, cursor, asked = [*seen, *(each.namespace for each in page.items)], page.cursor, asked + 1
    assert (seen, asked) == (["d", "c", "b", "a"], 4)


def test_a_list_has_fewer_in_a_part_where_they_are_large(clock: VirtualClock, tmp_path: Path) -> None:
    limits = Limits(page_size=1)
    with fresh("sqlite", tmp_path) as url, Engine(url, stones=[a_cloud_of_its_own()], limits=limits) as engine:
        engine.deploy(line("pair", service("a", "disk"), service("b", "disk")))
        engine.wait(engine.start(key="pair", name="x").process_instance_id, 9)
        page = engine.resources()
        assert [each.namespace for each in page.items] == ["b"]
        assert [each.namespace for each in engine.resources(cursor=page.cursor).items] == ["a"]


def beside(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object], *, first: bool) -> None:
    """Have another do something once, before or after the store is read."""
    real, acts = getattr(Resources, name), [act]

    def read(self: Resources, *wanted: Any, **more: Any) -> Any:
        if first and acts:
            acts.pop()()
        found = real(self, *wanted, **more)
        if acts:
            acts.pop()()
        return found

    monkeypatch.setattr(Resources, name, read)


@pytest.mark.parametrize("text", [None, ""])
def test_a_list_beside_a_purge_goes_on_to_its_end(
    engine: Engine, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    first, second, third = (run(engine, "shop").process_instance_id for _ in range(3))
    engine.delete(second)
    clock.advance(10_000)
    monkeypatch.setattr(resources, "SEARCHED_AT_ONCE", 5)
    # The ids have been read by then, that of the second is the last of them, and the rows are not read yet.
    beside(monkeypatch, "_rows", lambda: engine.purge(1.0), first=True)
    page = engine.resources(text=text, limit=5)
    found = list(page.items)
    while page.cursor is not None:
        page = engine.resources(text=text, limit=5, cursor=page.cursor)
        found += page.items
    assert [each.process_instance_id for each in found] == [third] * 4 + [first] * 4


@pytest.mark.parametrize("text", [None, "disk"])
def test_what_is_purged_while_a_list_is_made_is_left_out(
    engine: Engine, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    run(engine, "shop")
    clock.advance(10_000)
    second = run(engine, "shop").process_instance_id
    beside(monkeypatch, "found", lambda: engine.purge(5_000, even_undeleted=True), first=False)
    assert {each.process_instance_id for each in engine.resources(text=text).items} == {second}


def test_what_is_purged_while_drift_is_told_is_left_out(
    engine: Engine, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, disks: type[Disk]
) -> None:
    first = run(engine, "shop").process_instance_id
    clock.advance(10_000)
    second = run(engine, "shop").process_instance_id
    disks.sizes.clear()
    for number in (first, second):
        engine.check(number)
    beside(monkeypatch, "drift", lambda: engine.purge(5_000, even_undeleted=True), first=False)
    assert [each.process_instance_id for each in engine.resource_drift().items] == [second]


def test_drift_is_told_to_its_end_while_it_is_accepted(engine: Engine, disks: type[Disk]) -> None:
    for code in ("volume", "Ärger", "vault"):
        engine.register(cast(type[Disk], type("Other", (disks,), {"code": code, "__doc__": Disk.__doc__})))
    engine.deploy(
        line("mixed", service("a", "disk"), service("v", "volume"), service("e", "Ärger"), service("w", "vault"))
    )
    number = run(engine, "mixed").process_instance_id
    disks.sizes.clear()
    engine.check(number)
    told, page = list[str](), engine.resource_drift(limit=1)
    while True:
        told += [each.stone for each in page.items]
        for each in page.items:
            gone = engine.resources(process_instance_id=number, stone=each.stone, state="gone").items
            engine.accept_gone(number, [one.task_id for one in gone])
        if page.cursor is None:
            break
        page = engine.resource_drift(limit=1, cursor=page.cursor)
    assert sorted(told) == ["disk", "vault", "volume", "Ärger"]


def test_a_secret_is_not_found_by_its_text(engine: Engine) -> None:
    class Vault(Stone):
        """Puts a password out."""

        code = "vault"
        outputs: ClassVar = {"password": "what nobody may read"}
        secret_outputs = frozenset({"password"})

        def start(self, task: TaskInfo) -> None:
            task.add_output("password", "hunter2!")

    engine.register(Vault)
    engine.deploy(line("safe", service("v", "vault")))
    run(engine, "safe")
    (found,) = engine.resources(stone="vault", text="*****").items
    assert found.outputs == {"password": "*****"}
    assert engine.resources(text="hunter").items == ()


def test_drift_is_counted_by_process_and_stone(engine: Engine, disks: type[Disk]) -> None:
    first, second = (run(engine, "shop").process_instance_id for _ in range(2))
    assert engine.resource_drift() == Page(items=(), cursor=None)
    disks.sizes["a"] = 20
    del disks.sizes["b"]
    engine.check(first)
    engine.check(second)
    found = engine.resource_drift().items
    assert [(each.process_instance_id, each.stone, each.gone, each.different) for each in found] == [
        (second, "disk", 1, 1),
        (first, "disk", 1, 1),
    ]
    page = engine.resource_drift(limit=1)
    assert (page.items, page.cursor) == (
        found[:1],
        f"{second}-{engine.resources(process_instance_id=second, stone='disk').items[-1].task_id}",
    )
    assert engine.resource_drift(cursor=page.cursor).items == found[1:]
    assert engine.resource_drift(process_instance_id=first).items == found[1:]
    assert engine.resource_drift(stone="make").items == engine.resource_drift(owner="ann").items == ()
    with pytest.raises(Malformed):
        engine.resource_drift(cursor="x")
    engine.accept_gone(first)
    assert [(each.gone, each.different) for each in engine.resource_drift(key="shop").items] == [(1, 1), (0, 1)]


def test_what_is_gone_counts_as_undone_when_somebody_says_so(engine: Engine, world: World, disks: type[Disk]) -> None:
    number = run(engine, "shop").process_instance_id
    with pytest.raises(Conflict, match="check it first") as refused:
        engine.accept_gone(number)
    assert refused.value.code == "not-gone"
    del disks.sizes["b"]
    engine.check(number)
    ids = {each.namespace: each.task_id for each in engine.resources(process_instance_id=number).items}
    with pytest.raises(Conflict, match=ids["a"]):
        engine.accept_gone(number, [ids["a"], ids["b"]])
    with pytest.raises(UnknownTask):
        engine.accept_gone(number, ["999"])
    engine.accept_gone(number, [ids["b"]])
    assert "b" not in states(engine, number)
    assert [each.action for each in engine.history(number).items if each.action] == ["accept-gone"]
    assert [step.namespace for step in engine.preview(number, "delete")] == ["d", "c", "a"]
    assert engine.delete(number).status == "delete.success"
    assert disks.sizes == {}


def test_a_failed_undo_gets_over_what_is_gone(engine: Engine, world: World, disks: type[Disk]) -> None:
    number = run(engine, "shop").process_instance_id
    del disks.sizes["b"]
    assert engine.delete(number).status == "delete.failed"
    engine.check(number)
    engine.accept_gone(number)
    engine.retry(number)
    assert (engine.get(number).status, disks.sizes) == ("delete.success", {})


def test_many_processes_are_checked_by_a_batch(engine: Engine, world: World, disks: type[Disk]) -> None:
    numbers = [run(engine, "shop").process_instance_id for _ in range(3)]
    disks.sizes["a"] = 5
    batch = engine.batch("check", {"key": "shop"})
    assert (batch.total, batch.done, batch.refused) == (3, 3, 0)
    assert len(engine.resources(state="different").items) == 3
    assert engine.history(numbers[0]).items[-1].kind != "action"


def test_nothing_is_looked_at_of_a_stone_that_is_suspended_or_of_what_is_being_undone(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    number = run(engine, "shop").process_instance_id
    engine.suspend_stone("disk")
    engine.check(number)
    assert {each.check for each in engine.resources().items} == {None}
    engine.delete(number)
    with pytest.raises(Conflict, match="being undone"):
        engine.check(number)
    with pytest.raises(UnknownProcessInstance):
        engine.check("999")
    with pytest.raises(Invalid, match="no state of a resource"):
        engine.resources(state="lost")  # type: ignore[arg-type]


def test_a_late_answer_about_what_was_undone_meanwhile_is_dropped(
    engine: Engine, world: World, disks: type[Disk]
) -> None:
    number = run(engine, "shop").process_instance_id

    def deletes(self: Stone, task: TaskInfo) -> None:
        engine.delete(number)

    engine.register(type("Racing", (disks,), {"check": deletes, "__doc__": "Is deleted while it is looked at."}))
    engine.check(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert {each.check for each in engine.resources().items} == {None}


def test_what_was_purged_is_forgotten(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = run(engine, "shop").process_instance_id
    engine.check(number)
    engine.delete(number)
    clock.advance(10_000)
    engine.purge(1.0)
    assert engine.resources().items == ()


@pytest.mark.parametrize("kind", SHARED)
def test_a_check_of_one_engine_is_seen_by_another_on_every_database(kind: str, tmp_path: Path) -> None:
    disk = a_cloud_of_its_own()
    with fresh(kind, tmp_path) as url, Engine(url, stones=[disk]) as one, Engine(url, stones=[disk]) as other:
        one.deploy(line("pair", service("a", "disk"), service("b", "disk")))
        number = one.wait(one.start(key="pair", name="x").process_instance_id, 9).process_instance_id
        del disk.sizes["b"]
        other.check(number)
        assert {each.namespace: each.state for each in one.resources().items} == {"a": "kept", "b": "gone"}
        one.accept_gone(number)
        assert [(each.stone, each.count) for each in other.resource_counts()] == [("disk", 1)]


@pytest.mark.parametrize("kind", SHARED)
def test_what_another_engine_finds_again_is_not_taken_for_gone(kind: str, tmp_path: Path) -> None:
    disk = a_cloud_of_its_own()
    with fresh(kind, tmp_path) as url, Engine(url, stones=[disk]) as one, Engine(url, stones=[disk]) as other:
        one.deploy(line("pair", service("a", "disk"), service("b", "disk")))
        number = one.wait(one.start(key="pair", name="x").process_instance_id, 9).process_instance_id
        del disk.sizes["b"]
        one.check(number)
        passed: list[str] = []

        def is_found_again(place: str) -> None:
            if place == "before-commit" and not passed:
                passed.append(place)
                disk.sizes["b"] = 10
                other.check(number)

        failpoints.tell(is_found_again)
        try:
            with pytest.raises(Conflict, match="check it first"):
                one.accept_gone(number)
        finally:
            failpoints.tell(None)
        assert passed
        assert {each.namespace: each.state for each in one.resources().items} == {"a": "kept", "b": "kept"}
        assert (one.delete(number).status, disk.sizes) == ("delete.success", {})


def checked_at(engine: Engine) -> set[str | None]:
    return {each.check for each in engine.resources(stone="disk").items}


def test_what_exists_is_checked_by_a_schedule(
    engine: Engine, world: World, disks: type[Disk], clock: VirtualClock
) -> None:
    first, second = (run(engine, "shop").process_instance_id for _ in range(2))
    schedule = engine.schedule_checks("PT6H", stone="disk", key="shop")
    assert engine.check_schedules() == (schedule,)
    assert (schedule.next, schedule.batch_id) == (schedule.created + timedelta(hours=6), None)
    clock.advance(6 * 3600 - 1)
    engine.run_pending()
    assert checked_at(engine) == {None}
    disks.sizes["a"] = 20
    for _ in range(2):
        # Five processes a second.
        clock.advance(1)
        engine.run_pending()
    assert {each.state for each in engine.resources(stone="disk").items} == {"kept", "different"}
    (schedule,) = engine.check_schedules()
    assert schedule.batch_id is not None
    batch = engine.batch_progress(schedule.batch_id)
    assert (batch.action, batch.total, batch.done, batch.rate) == ("check", 2, 2, 5.0)
    assert [each.process_instance_id for each in engine.batch_items(batch.batch_id).items] == [first, second]
    # What was missed while nobody was there is one turn, not four.
    clock.advance(24 * 3600)
    engine.run_pending()
    assert len(engine.batches().items) == 2
    engine.unschedule_checks(schedule.schedule_id)
    clock.advance(24 * 3600)
    engine.run_pending()
    assert (len(engine.batches().items), engine.check_schedules()) == (2, ())
    with pytest.raises(Unknown, match="list them"):
        engine.unschedule_checks(schedule.schedule_id)


def test_a_schedule_that_is_paused_goes_on_with_the_turn_that_comes_next(
    engine: Engine, world: World, disks: type[Disk], clock: VirtualClock
) -> None:
    number = run(engine, "shop").process_instance_id
    schedule = engine.schedule_checks("R3/PT6H", stone="disk")
    paused = engine.pause_checks(schedule.schedule_id)
    assert (paused.paused, paused.next) == (True, None)
    assert engine.pause_checks(schedule.schedule_id) == paused
    told = engine.why(number)
    assert any("but is paused" in text for text in told.sentences), told.sentences
    # One turn would have come meanwhile, and is skipped.
    clock.advance(7 * 3600)
    engine.run_pending()
    assert engine.batches().items == ()
    resumed = engine.resume_checks(schedule.schedule_id)
    assert (resumed.paused, resumed.next) == (False, schedule.created + timedelta(hours=12))
    assert engine.resume_checks(schedule.schedule_id) == resumed
    clock.advance(24 * 3600)
    engine.run_pending()
    assert len(engine.batches().items) == 1
    for _ in range(5):
        clock.advance(24 * 3600)
        engine.run_pending()
    with pytest.raises(Conflict, match="comes no more"):
        engine.pause_checks(schedule.schedule_id)
    with pytest.raises(Unknown):
        engine.pause_checks("gone")


def test_no_turn_of_a_paused_schedule_is_begun_by_another_engine(tmp_path: Path) -> None:
    disk, clock = a_cloud_of_its_own(), VirtualClock(1_800_000_000_000)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with Engine(url, stones=[disk], clock=clock) as one, Engine(url, stones=[disk], clock=clock) as other:
        one.deploy(line("pair", service("a", "disk")))
        run(one, "pair")
        schedule = one.schedule_checks("PT1H")
        clock.advance(3600)
        one.run_pending()
        # The other one has not seen that turn, and pauses the schedule as it is now.
        other.pause_checks(schedule.schedule_id)
        clock.advance(3 * 3600)
        one.run_pending()
        other.run_pending()
        assert len(one.batches().items) == 1
        assert one.resume_checks(schedule.schedule_id).next is not None


def test_a_turn_waits_for_nobody_and_says_why_it_checks_nothing(engine: Engine, clock: VirtualClock) -> None:
    engine.schedule_checks("0 3 * * *")
    clock.advance(24 * 3600)
    engine.run_pending()
    (schedule,) = engine.check_schedules()
    assert schedule.reason == "Nothing exists that could be checked."
    for _ in range(3):
        run(engine, "shop")
    engine.schedule_checks("PT1M", rate=0.001)
    for _ in range(2):
        clock.advance(60)
        engine.run_pending()
    (_, slow) = engine.check_schedules()
    assert slow.reason == "The checks before had not ended, so these were left out."
    assert engine.batch_progress(slow.batch_id or "").done == 1
    few = engine.schedule_checks("R2/PT2M")
    clock.advance(600)
    engine.run_pending()
    (few,) = [each for each in engine.check_schedules() if each.schedule_id == few.schedule_id]
    assert few.last is not None


def test_why_tells_what_checks_have_found_and_who_looks_again(
    engine: Engine, world: World, disks: type[Disk], clock: VirtualClock
) -> None:
    number = run(engine, "shop").process_instance_id
    assert "check" not in " ".join(engine.why(number).sentences)
    ids = {each.namespace: each.task_id for each in engine.resources(process_instance_id=number).items}
    disks.sizes["a"] = 20
    del disks.sizes["b"]
    engine.check(number)
    every = engine.schedule_checks("PT6H", stone="disk", key="shop")
    engine.schedule_checks("PT7H", key="other")
    engine.schedule_checks("PT8H", stone="make")
    clock.advance(60)
    why = engine.why(number)
    told = "\n".join(why.sentences)
    assert f"What task {ids['a']} (a, stone disk) made was different at the last check, at " in told
    assert "ago): the size is 20, not 10." in told
    assert f"What task {ids['b']} (b, stone disk) made was gone at the last check, at " in told
    assert f"riverstone gone {number} --task {ids['b']}" in why.commands
    assert "What its tasks of the stone disk made is checked again and again (PT6H, schedule " in told
    assert (every.schedule_id in told, "PT7H" in told, "PT8H" in told) == (True, False, False)
    disks.broken.add("a")
    clock.advance(6 * 3600)
    for _ in range(2):
        clock.advance(1)
        engine.run_pending()
    told = "\n".join(engine.why(number).sentences)
    assert f"could not tell whether what task {ids['a']} (a, stone disk) made is there" in told
    engine.accept_gone(number)
    engine.delete(number)
    assert "check" not in " ".join(engine.why(number).sentences)


def test_the_operator_says_how_many_schedules_there_are_and_how_often_they_come(tmp_path: Path) -> None:
    limits = Limits(check_schedules=2, check_interval=3600.0)
    with Engine(f"sqlite:///{tmp_path}/river.db", limits=limits) as engine:
        with pytest.raises(Invalid, match="more often than every 3600 seconds"):
            engine.schedule_checks("PT30M")
        for _ in range(2):
            engine.schedule_checks("PT1H")
        with pytest.raises(Conflict, match="2 schedules of checks already"):
            engine.schedule_checks("PT2H")


def test_a_turn_that_was_found_due_before_the_last_one_was_noted_sees_that(engine: Engine, clock: VirtualClock) -> None:
    for _ in range(3):
        run(engine, "shop")
    engine.schedule_checks("PT1M", rate=0.001)
    (found,) = CheckSchedules(engine._store).all(None)
    clock.advance(60)
    engine.run_pending()
    # As of an engine that was slow between finding it and taking its turn.
    engine._begin_checks(found)
    (schedule,) = engine.check_schedules()
    assert schedule.reason == "The checks before had not ended, so these were left out."
    assert len(engine.batches().items) == 1


@pytest.mark.parametrize(
    ("every", "rate", "text"),
    [
        ("PT1S", 5, "more often than every 60 seconds"),
        ("* * * * * *", 5, "more often than every 60 seconds"),
        ("now and then", 5, "neither an ISO 8601 repetition"),
        ("R/2020-01-01T00:00:00Z/P1D/2020-02-01T00:00:00Z", 5, "never comes"),
        ("P" * 300, 5, "at most 255 characters"),
        ("PT6H", 0, "no number of processes|not a number of processes"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(engine: Engine, every: str, rate: float, text: str) -> None:
    with pytest.raises(Invalid, match=text):
        engine.schedule_checks(every, rate=rate)
    assert engine.check_schedules() == ()


@pytest.mark.parametrize("kind", SHARED)
def test_each_turn_is_begun_by_one_of_several_engines(kind: str, tmp_path: Path) -> None:
    disk, clock = a_cloud_of_its_own(), VirtualClock(1_800_000_000_000)
    with (
        fresh(kind, tmp_path) as url,
        Engine(url, stones=[disk], clock=clock) as one,
        Engine(url, stones=[disk], clock=clock) as other,
    ):
        one.deploy(line("pair", service("a", "disk")))
        run(one, "pair")
        one.schedule_checks("PT1H")
        passed: list[str] = []

        def comes_in_between(place: str) -> None:
            if place == "before-claim" and not passed:
                passed.append(place)
                other.run_pending()

        for _ in range(3):
            clock.advance(3600)
            passed.clear()
            failpoints.tell(comes_in_between)
            try:
                one.run_pending()
                other.run_pending()
            finally:
                failpoints.tell(None)
        assert len(one.batches().items) == 3
        assert {batch.state for batch in one.batches().items} == {"ended"}


def test_a_check_that_hangs_says_that_nobody_can_tell_and_holds_nobody_up(url: str) -> None:
    free, begun = threading.Event(), Counter[str]()

    class Slow(Disk):
        code = "slow"
        timeouts: ClassVar = {"check": 0.2}

        def check(self, task: TaskInfo) -> str | None:
            begun[task.namespace] += 1
            free.wait(30)
            return "late"

    class Quick(Disk):
        code = "quick"

        def check(self, task: TaskInfo) -> str | None:
            return None

    with Engine(url, stones=[Slow, Quick], dispatcher="threads", threads=6) as engine:
        engine.deploy(line("many", *(service(name, "slow") for name in "abcdef"), service("g", "quick")))
        number = engine.wait(engine.start(key="many", name="x").process_instance_id, 30).process_instance_id
        engine.check(number)
        found = until(lambda: {each.namespace: each for each in engine.resources().items if each.check is not None}, 3)
        assert found["g"].check == "there"
        assert sum(begun.values()) == 2
        assert {each.reason for each in found.values() if each.check == "unknown"} == {
            "No answer came within 0.2 seconds, so nobody can tell."
        }
        # The rest of the pool is for the work.
        engine.check(number)
        assert engine.wait(engine.start(key="many", name="y").process_instance_id, 30).status == "success"
        free.set()
        answers = until(
            lambda: {each.namespace: each for each in engine.resources().items if each.check != "unknown"}, 7
        )
        assert len(answers) >= 7


def test_what_a_check_has_found_of_an_attempt_counts_for_no_later_one(
    engine: Engine, world: World, disks: type[Disk]
) -> None:
    broken: list[Exception] = [RuntimeError("no room")]

    def start(self: Disk, task: TaskInfo) -> None:
        if broken:
            raise broken.pop()
        Disk.start(self, task)

    def check(self: Disk, task: TaskInfo) -> str | None:
        if "id" not in task.outputs:
            raise NotFound("it made nothing")
        return Disk.check(self, task)

    engine.register(type("Failing", (disks,), {"start": start, "check": check, "__doc__": "Fails once."}))
    number = run(engine, "shop", on_failure="pause").process_instance_id
    engine.check(number)
    assert states(engine, number)["a"][0] == "gone"
    with pytest.raises(Conflict, match="may begin again"):
        engine.accept_gone(number)
    engine.retry(number)
    assert {name: state for name, (state, _) in states(engine, number).items()} == dict.fromkeys("abcd", "kept")
    with pytest.raises(Conflict, match="check it first"):
        engine.accept_gone(number)
    assert (engine.delete(number).status, disks.sizes) == ("delete.success", {})


VM = "vm"


def machines(engine: Engine) -> str:
    """A process that made two machines by workers over HTTP, which can be looked at."""
    engine.declare_stone(VM, hooks=("start", "check", "delete"))
    engine.deploy(line("machines", service("a", VM), service("b", VM)))
    number = engine.start(key="machines", name="x").process_instance_id
    for name in "ab":
        (task,) = fetched(engine, VM)
        engine.external.complete(task.id, "worker", {"id": name})
    assert engine.get(number).status == "success"
    return number


def fetched(engine: Engine, topic: str, worker: str = "worker", lock: int = 60_000) -> list[ExternalTask]:
    return engine.external.fetch(worker, [Topic(name=topic, lock=lock)], most=9)


def test_workers_over_http_look_at_what_they_made(engine: Engine) -> None:
    number = machines(engine)
    assert fetched(engine, "vm.check") == []
    engine.check(number)
    engine.check(number)
    assert {each.check for each in engine.resources().items} == {None}
    first, second = fetched(engine, "vm.check")
    assert (first.event, first.variables["id"], first.topic) == ("check", "a", "vm.check")
    assert first.id == f"{first.task_id}-0"
    assert fetched(engine, "vm.check", "other") == []
    with pytest.raises(Invalid, match="locked by 'worker'"):
        engine.external.complete(first.id, "other")
    engine.external.extend(first.id, "worker", 90_000)
    engine.external.complete(first.id, "worker", {"riverstone.different": "it has 4 GB"})
    engine.external.throw(second.id, "worker", "not-found", "no such machine")
    assert states(engine, number) == {"a": ("different", "it has 4 GB"), "b": ("gone", "no such machine")}
    with pytest.raises(UnknownExternalTask):
        engine.external.complete(first.id, "worker")
    engine.check(number)
    first, second = fetched(engine, "vm.check")
    engine.external.fail(first.id, "worker", "the cloud is away")
    engine.external.unlock(second.id)
    (second,) = fetched(engine, "vm.check", "other")
    engine.external.complete(second.id, "other")
    assert {each.namespace: each.check for each in engine.resources().items} == {"a": "unknown", "b": "there"}
    assert engine.get(number).status == "success"


def test_a_check_at_a_worker_ends_with_what_it_is_about(engine: Engine, clock: VirtualClock) -> None:
    number = machines(engine)
    engine.check(number)
    (task, other) = fetched(engine, "vm.check")
    engine.external.unlock(other.id)
    engine.suspend_stone(VM)
    assert fetched(engine, "vm.check") == []
    engine.unsuspend_stone(VM)
    engine.delete(number)
    (back,) = fetched(engine, "vm.delete")
    engine.external.complete(back.id, "worker")
    with pytest.raises(UnknownExternalTask):
        engine.external.complete(other.id, "worker")
    (back,) = fetched(engine, "vm.delete")
    engine.external.complete(back.id, "worker")
    with pytest.raises(UnknownExternalTask):
        engine.external.complete(task.id, "worker")
    engine.run_pending()
    assert (engine.get(number).status, fetched(engine, "vm.check")) == ("delete.success", [])
    assert {topic.topic: topic.waiting + topic.locked for topic in engine.external.topics()} == {}


def test_a_worker_that_fetches_checks_makes_them_known(url: str) -> None:
    with Engine(url) as engine:
        engine.external.assume(["volume"])
        engine.deploy(line("free", service("a", "volume")))
        number = engine.start(key="free", name="x").process_instance_id
        (task,) = fetched(engine, "volume")
        engine.external.complete(task.id, "worker", {"id": "v-1"})
        engine.check(number)
        assert fetched(engine, "volume.check") == []
        engine.check(number)
        (check,) = fetched(engine, "volume.check")
        assert check.variables["id"] == "v-1"


def until(look: Callable[[], dict[str, Resource]], many: int) -> dict[str, Resource]:
    """What there is once there is so much of it."""
    end = time.monotonic() + 60
    while len(found := look()) < many and time.monotonic() < end:
        time.sleep(0.02)
    return found


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is told here does not depend on the database, but where it says so."""
    return f"sqlite:///{tmp_path}/checks.db"
