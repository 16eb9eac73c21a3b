"""Many processes at once: found by a search, acted upon one after the other, each with what came of it."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, Limits, Unknown, VirtualClock

from .sketch import line, service
from .world import Fault, World

SHOP = line("shop", service("disk", "make"), service("server", "make"))
WAITING = line("waiting", service("disk", "make"), '<userTask id="u"/>', service("server", "make"))


def started(engine: Engine, count: int, **options: Any) -> list[str]:
    return [engine.start(name=f"p{number}", **options).process_instance_id for number in range(count)]


def statuses(engine: Engine, numbers: list[str]) -> set[str]:
    return {engine.get(number).status for number in numbers}


def test_all_that_a_search_finds_are_cancelled(engine: Engine, world: World) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 45, key="waiting")
    other = engine.start(key="waiting", name="other", business_key="gold").process_instance_id
    plan = engine.preview_batch("cancel", {"key": "waiting"})
    assert (plan.processes, plan.tasks, plan.partial) == (46, 46, False)
    assert [(group.element_id, group.stone, group.tasks) for group in plan.groups] == [("disk", "make", 46)]
    assert statuses(engine, numbers) == {"running"}

    batch = engine.batch("cancel", {"text": "p", "key": "waiting"})
    assert (batch.state, batch.total, batch.done, batch.refused) == ("ended", 45, 45, 0)
    assert statuses(engine, numbers) == {"cancel.success"}
    assert engine.get(other).status == "running"
    assert world.exists == ["disk"]
    assert engine.batches().items == (engine.batch_progress(batch.batch_id),)
    items = engine.batch_items(batch.batch_id, limit=500).items
    assert [item.process_instance_id for item in items] == numbers
    assert {item.result for item in items} == {"done"}


def test_what_refuses_is_told_for_each_and_holds_up_none(engine: Engine, world: World) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 7, key="waiting")
    engine.protect(numbers[2])
    for number in numbers[:4]:
        engine.cancel(number)
    batch = engine.batch("delete", {"key": "waiting"})
    assert (batch.state, batch.done, batch.refused) == ("ended", 3, 4)
    refused = engine.batch_items(batch.batch_id, result="refused").items
    assert [(item.process_instance_id, item.code) for item in refused] == [
        (numbers[2], "protected"),
        *((number, "conflict") for number in numbers[4:]),
    ]
    assert all(item.reason and item.process_instance_id in item.reason for item in refused)
    first = engine.batch_items(batch.batch_id, result="refused", limit=1)
    rest = engine.batch_items(batch.batch_id, result="refused", cursor=first.cursor)
    assert first.items + rest.items == refused


def test_a_batch_keeps_its_rate_and_stands_still_when_it_is_paused(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 10, key="waiting")
    batch = engine.batch("cancel", {"key": "waiting"}, rate=2)
    assert batch.done == 1
    for _ in range(4):
        clock.advance(0.5)
        engine.run_pending()
    assert engine.batch_progress(batch.batch_id).done == 5
    assert engine.pause_batch(batch.batch_id).state == "paused"
    clock.advance(60)
    engine.run_pending()
    assert engine.batch_progress(batch.batch_id).done == 5
    resumed = engine.resume_batch(batch.batch_id)
    assert (resumed.state, resumed.done) == ("running", 6)
    stopped = engine.stop_batch(batch.batch_id)
    clock.advance(60)
    engine.run_pending()
    assert engine.batch_progress(batch.batch_id) == stopped
    assert (stopped.state, stopped.done, stopped.ended is None) == ("stopped", 6, False)
    assert [item.result for item in engine.batch_items(batch.batch_id).items] == ["done"] * 6 + ["waiting"] * 4
    assert statuses(engine, numbers[6:]) == {"running"}
    with pytest.raises(Conflict) as caught:
        engine.resume_batch(batch.batch_id)
    assert caught.value.code == "batch-over"


def test_a_batch_goes_back_in_many_processes(engine: Engine, world: World) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 3, key="waiting")
    engine.deploy(SHOP)
    engine.complete(next(task.task_id for task in engine.tasks(numbers[0]) if task.stone is None))
    plan = engine.preview_batch("rewind", {"key": "waiting"}, element_id="disk")
    assert (plan.processes, plan.tasks) == (3, 3)
    given = {"password": "hunter22"}
    batch = engine.batch("rewind", {"key": "waiting"}, element_id="disk", variables=given)
    assert (batch.done, batch.refused) == (2, 1)
    assert batch.options == {"element_id": "disk", "variables": {"password": "*****"}}
    assert world.of("start").count("disk") == 5
    assert world.of("rollback") == ["disk", "disk"]


def test_many_are_moved_to_a_corrected_version(engine: Engine, world: World) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 3, key="waiting")
    engine.cancel(numbers[0])
    other = engine.deploy(line("waiting", service("disk", "make"), '<userTask id="u"/>', service("net", "make")))
    plan = engine.preview_batch("migrate", {"key": "waiting"}, deployment_id=other.deployment_id)
    assert (plan.processes, plan.partial) == (3, False)
    assert [(group.element_id, group.tasks) for group in plan.groups if group.reason is None] == [("u", 2)]
    batch = engine.batch("migrate", {"key": "waiting"}, deployment_id=other.deployment_id)
    assert (batch.done, batch.refused) == (2, 1)
    assert {engine.get(number).deployment_id for number in numbers[1:]} == {other.deployment_id}
    with pytest.raises(Unknown):
        engine.batch("migrate", {"key": "waiting"}, deployment_id="nothing")
    with pytest.raises(Invalid):
        engine.batch("migrate", {"key": "waiting"})


def test_many_go_back_and_begin_again_on_a_corrected_version(engine: Engine, world: World) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 3, key="waiting")
    corrected = engine.deploy(line("waiting", service("disk", "make"), service("net", "make"), '<userTask id="u"/>'))
    lacking = engine.deploy(line("waiting", service("volume", "make"), '<userTask id="u"/>'))
    found = {"key": "waiting"}
    plan = engine.preview_batch("rewind", found, element_id="disk", deployment_id=lacking.deployment_id)
    assert [(group.element_id, group.tasks) for group in plan.groups] == [("disk", 3)]
    assert "has no such element" in str(plan.groups[0].reason)
    mapping = {"disk": "volume"}
    plan = engine.preview_batch(
        "rewind", found, element_id="disk", deployment_id=lacking.deployment_id, mapping=mapping
    )
    assert [(group.element_id, group.tasks, group.reason) for group in plan.groups] == [("disk", 3, None)]
    assert engine.batch("rewind", found, element_id="disk", deployment_id=lacking.deployment_id).refused == 3
    assert (world.of("rollback"), statuses(engine, numbers)) == ([], {"running"})
    batch = engine.batch("rewind", found, element_id="disk", deployment_id=corrected.deployment_id)
    assert (batch.done, batch.refused) == (3, 0)
    assert {engine.get(number).deployment_id for number in numbers} == {corrected.deployment_id}
    assert sorted(world.exists) == ["disk"] * 3 + ["net"] * 3
    with pytest.raises(Unknown):
        engine.batch("rewind", found, element_id="disk", deployment_id="nothing")
    with pytest.raises(Invalid, match="needs a deployment_id"):
        engine.batch("rewind", found, element_id="disk", mapping=mapping)


def test_many_are_suspended_and_let_go_on(engine: Engine, world: World) -> None:
    engine.deploy(WAITING)
    numbers = started(engine, 3, key="waiting")
    engine.cancel(numbers[0])
    plan = engine.preview_batch("suspend", {"key": "waiting"}, reason="maintenance")
    assert (plan.processes, plan.tasks) == (3, 0)
    batch = engine.batch("suspend", {"key": "waiting"}, reason="maintenance")
    assert (batch.done, batch.refused) == (2, 1)
    assert [each.reason for number in numbers[1:] if (each := engine.get(number).suspended)] == ["maintenance"] * 2
    with pytest.raises(Invalid, match="at most 1000"):
        engine.batch("suspend", {"key": "waiting"}, reason="x" * 1001)
    with pytest.raises(Invalid, match="reason"):
        engine.batch("cancel", {"key": "waiting"}, reason="maintenance")
    assert engine.batch("unsuspend", {"state": "suspended"}).done == 2
    assert {engine.get(number).awaits for number in numbers[1:]} == {"person"}


def test_what_a_failed_undo_could_not_take_back_is_given_up(engine: Engine, world: World) -> None:
    engine.deploy(SHOP)
    numbers = started(engine, 3, key="shop")
    world.wrong("delete", "server", *[RuntimeError("in use")] * 3)
    assert engine.batch("delete", {"key": "shop"}).done == 3
    assert statuses(engine, numbers) == {"delete.failed"}
    plan = engine.preview_batch("retain", {"key": "shop"})
    assert [(group.stone, group.tasks) for group in plan.groups] == [("make", 3)]
    assert "in use" in (plan.groups[0].reason or "")
    assert engine.batch("retain", {"statuses": ["delete.failed"]}).done == 3
    assert statuses(engine, numbers) == {"delete.success"}
    assert world.exists == ["server"] * 3


NIGHT = line("night", service("disk", "make"), service("net", "make"), service("server", "make"))
CORRECTED = line("night", *(service(name, "make") for name in ("disk", "net", "server", "tag")))


def test_a_night_with_an_outage(engine: Engine, world: World, clock: VirtualClock) -> None:
    """Found, grouped, and tried again at a rate; three moved, one taken two steps back, and the rest given up."""
    count = 500 if engine.url.startswith("sqlite") else 50
    part = count // 10
    engine.deploy(NIGHT)
    away = "cloud-{}.example does not answer, request {:08x}"
    down: list[Fault | Exception] = [ConnectionError(away.format(number, number)) for number in range(count)]
    down[9 * part :] = [RuntimeError("quota exceeded")] * part
    world.wrong("start", "server", *down)
    keys = [f"order-{number}" for number in range(count)]
    numbers = [
        engine.start(key="night", name=key, business_key=key, on_failure="pause").process_instance_id for key in keys
    ]
    fine = started(engine, 2, key="night", on_failure="pause")
    assert statuses(engine, fine) == {"success"}

    why = engine.failures_by_reason()
    assert (why.processes, why.left_out, why.partial) == (count, 0, False)
    assert [(group.stone, group.element_id, group.tasks, group.processes) for group in why.groups] == [
        ("make", "server", 9 * part, 9 * part),
        ("make", "server", part, part),
    ]
    assert "does not answer" in (why.groups[0].reason or "")
    assert "quota exceeded" in (why.groups[1].reason or "")

    outage = {"state": "attention", "error": "does not answer"}
    plan = engine.preview_batch("retry", outage)
    assert (plan.processes, plan.tasks) == (9 * part, 9 * part)
    batch = engine.batch("retry", outage, rate=50)
    seconds = 0.0
    while engine.batch_progress(batch.batch_id).state == "running":
        clock.advance(0.1)
        seconds += 0.1
        engine.run_pending()
    assert 9 * part / 50 - 1 < seconds < 9 * part / 50 + 1
    assert statuses(engine, numbers[: 9 * part]) == {"success"}
    assert engine.counts()["attention"] == part

    corrected = engine.deploy(CORRECTED)
    rest = numbers[9 * part :]
    for number, key in zip(rest[:3], keys[9 * part :], strict=False):
        assert engine.batch("migrate", {"business_key": key}, deployment_id=corrected.deployment_id).done == 1
        assert engine.retry(number).status == "success"
    again = engine.batch("rewind", {"business_key": keys[9 * part + 3]}, element_id="disk")
    assert (again.done, engine.get(rest[3]).status) == (1, "success")
    assert world.of("rollback") == ["server", "net", "disk"]

    world.wrong("rollback", "disk", *[RuntimeError("in use")] * (part - 4))
    assert engine.batch("rollback", {"state": "attention"}).done == part - 4
    assert statuses(engine, rest[4:]) in ({"rollback.failed"}, set())
    if part > 4:
        assert engine.batch("retain", {"statuses": ["rollback.failed"]}).done == part - 4
        assert {(engine.get(number).status, engine.get(number).kept) for number in rest[4:]} == {
            ("rollback.success", 1)
        }
        assert [group.tasks for group in engine.failures_by_reason({"state": "failed"}).groups] == [part - 4]
    made = count + 2
    kept = made - part + 4
    assert world.exists == ["disk"] * made + ["net"] * kept + ["server"] * kept + ["tag"] * 3


def test_what_no_batch_can_be_made_of_is_refused(url: str, world: World) -> None:
    with Engine(url, stones=world.stones(), limits=Limits(batch_processes=2)) as engine:
        engine.deploy(SHOP)
        started(engine, 3, key="shop")
        for code, action, where, options in (
            ("batch-unfiltered", "cancel", {}, {}),
            ("batch-unfiltered", "cancel", {"kind": "start", "text": ""}, {}),
            ("batch-empty", "cancel", {"key": "other"}, {}),
            ("batch-too-large", "delete", {"key": "shop"}, {}),
            ("batch-filter", "delete", {"colour": "red"}, {}),
            ("batch-action", "explode", {"key": "shop"}, {}),
            ("batch-options", "rewind", {"key": "shop"}, {}),
            ("batch-options", "retry", {"key": "shop"}, {"force": True}),
            ("batch-rate", "delete", {"key": "shop"}, {"rate": 0}),
            ("invalid", "delete", {"key": "shop"}, {"rate": float("nan")}),
            ("invalid", "delete", {"key": "shop"}, {"rate": True}),
        ):
            with pytest.raises(Invalid) as caught:
                engine.batch(action, where, **options)  # type: ignore[arg-type]
            assert caught.value.code == code
            assert "None" not in caught.value.message
        assert engine.batches().items == ()
        for call in (engine.batch_progress, engine.batch_items, engine.pause_batch, engine.stop_batch):
            with pytest.raises(Unknown):
                call("nothing")


def test_an_owner_reaches_only_what_is_theirs(engine: Engine) -> None:
    engine.deploy(WAITING)
    ann, bob = engine.owned_by("ann"), engine.owned_by("bob")
    hers, his = (each.start(key="waiting", name="it").process_instance_id for each in (ann, bob))
    batch = ann.batch("cancel", {"key": "waiting"})
    assert (batch.total, batch.owner) == (1, "ann")
    assert [engine.get(number).status for number in (hers, his)] == ["cancel.success", "running"]
    assert ann.batches().items == (batch,)
    assert bob.batches().items == ()
    with pytest.raises(Unknown):
        bob.batch_progress(batch.batch_id)
    with pytest.raises(Invalid):
        ann.preview_batch("cancel", {"text": his})


def test_an_ended_batch_is_purged_with_what_is_old(engine: Engine, clock: VirtualClock) -> None:
    engine.deploy(WAITING)
    started(engine, 3, key="waiting")
    batch = engine.batch("cancel", {"key": "waiting"})
    engine.purge(60)
    assert engine.batch_progress(batch.batch_id).state == "ended"
    clock.advance(120)
    engine.purge(60)
    assert engine.batches().items == ()


def test_a_batch_that_nobody_could_mean_leaves_nothing_behind(engine: Engine) -> None:
    """The engine kept the id, asked for it in whatever it did next, and failed in that."""
    engine.deploy(WAITING)
    with pytest.raises(Invalid):
        engine.resume_batch("\ud800")
    number = engine.start(key="waiting", name="next").process_instance_id
    assert engine.get(number).status == "running"
