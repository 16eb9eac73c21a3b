"""A process that runs is moved to another version of its model."""

from __future__ import annotations

from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, TaskInfo, UnknownDeployment, VirtualClock

from .sketch import catch, definitions, flow, line, process, service
from .world import World, run


def drawn(key: str, *parts: str) -> bytes:
    return definitions(process(key, *parts))


def ids(engine: Engine, number: str) -> dict[str, str]:
    return {task.namespace: task.task_id for task in engine.tasks(number)}


def started(engine: Engine, source: bytes, **options: Any) -> str:
    """A process of the first version, as far as it goes by itself."""
    key = engine.deploy(source).key
    number = engine.start(key=key, name="test", **options).process_instance_id
    engine.run_pending()
    return number


ONE = line("shop", service("a", "make"), '<userTask id="ask"/>', service("b", "make"))
TWO = line("shop", service("a", "make"), '<userTask id="ask"/>', service("c", "make"), service("d", "make"))


def test_what_waits_goes_on_in_the_other_version(engine: Engine, world: World) -> None:
    number = started(engine, ONE)
    other = engine.deploy(TWO)
    plan = engine.plan_migration(number, other.deployment_id)
    assert (plan.version, plan.moves["ask"], plan.findings, plan.running) == (2, "ask", {}, ())
    moved = engine.migrate(number, other.deployment_id)
    assert (moved.deployment_id, moved.status) == (other.deployment_id, "running")
    engine.complete(ids(engine, number)["ask"])
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["a", "c", "d"])
    engine.delete(number)
    engine.wait(number, 60)
    assert world.of("delete") == ["d", "c", "a"]


def test_it_is_moved_back_as_long_as_nothing_else_began(engine: Engine, world: World) -> None:
    number = started(engine, ONE)
    first = engine.get(number).deployment_id
    engine.migrate(number, engine.deploy(TWO).deployment_id)
    engine.migrate(number, first)
    engine.complete(ids(engine, number)["ask"])
    engine.wait(number, 60)
    assert world.of("start") == ["a", "b"]


def test_a_failed_task_is_mended_in_a_new_version(engine: Engine, world: World) -> None:
    engine.deploy(line("wrong", service("a", "make"), service("b", "make", {"size": "${sise}"})))
    number = run(engine, "wrong", {"size": 5}, on_failure="pause").process_instance_id
    right = engine.deploy(line("wrong", service("a", "make"), service("b", "make", {"size": "${size}"})))
    engine.migrate(number, right.deployment_id)
    engine.retry(number)
    assert engine.wait(number, 60).status == "success"
    assert world.seen[-1].parameters == {"size": 5}


def test_what_was_moved_is_not_tried_again_without_its_stone(url: str, world: World) -> None:
    with Engine(url, stones=world.stones()) as engine:
        world.wrong("start", "a", RuntimeError("no"))
        engine.deploy(line("lone", service("a", "make", {"size": "${size}"})))
        number = run(engine, "lone", {"size": 5}, on_failure="pause").process_instance_id
        engine.migrate(number, engine.deploy(line("lone", service("a", "make", {"size": "7"}))).deployment_id)
    with Engine(url) as engine:
        with pytest.raises(Conflict, match="No stone is registered for 'make'") as refused:
            engine.retry(number)
        assert (refused.value.code, engine.get(number).attention) == ("stone-missing", 1)
    with Engine(url, stones=world.stones()) as engine:
        engine.retry(number)
        assert engine.wait(number, 60).status == "success"
        assert world.seen[-1].parameters == {"size": "7"}


def test_a_failed_stone_is_tried_again_with_what_the_new_version_says(engine: Engine, world: World) -> None:
    def too_small(task: TaskInfo) -> None:
        if task.parameters["size"] < 10:
            raise RuntimeError("too small")

    world.wrong("start", "b", too_small, too_small)
    engine.deploy(line("disks", service("b", "make", {"size": "${small}"})))
    number = run(engine, "disks", {"small": 1, "large": 50}, on_failure="pause").process_instance_id
    other = engine.deploy(line("disks", service("b", "make", {"size": "${large}"})))
    engine.migrate(number, other.deployment_id)
    engine.retry(number)
    assert engine.wait(number, 60).status == "success"
    seen = [(task.event, task.parameters["size"]) for task in world.seen]
    assert seen == [("start", 1), ("rollback", 1), ("start", 50)]


def test_a_failed_stone_that_is_another_one_now_is_gone_back_to(engine: Engine, world: World) -> None:
    world.wrong("start", "b", RuntimeError("no"))
    engine.deploy(line("other", service("b", "make")))
    number = run(engine, "other", on_failure="pause").process_instance_id
    engine.migrate(number, engine.deploy(line("other", service("b", "watch"))).deployment_id)
    with pytest.raises(Conflict, match="by a rewind"):
        engine.retry(number)
    assert engine.get(number).attention == 1
    engine.rewind(number, ids(engine, number)["b"])
    engine.run_pending()
    assert [task.stone for task in engine.tasks(number)] == ["make", "watch"]


def test_an_element_that_there_is_no_more_has_to_be_mapped(engine: Engine, world: World) -> None:
    number = started(engine, ONE)
    other = engine.deploy(line("shop", service("a", "make"), '<userTask id="decide" name="Decide"/>'))
    plan = engine.plan_migration(number, other.deployment_id)
    assert list(plan.findings) == ["ask"]
    with pytest.raises(Invalid, match="map it to another") as caught:
        engine.migrate(number, other.deployment_id)
    assert (caught.value.code, list(caught.value.errors)) == ("migration-invalid", ["ask"])
    assert engine.get(number).deployment_id != other.deployment_id
    engine.migrate(number, other.deployment_id, mapping={"ask": "decide"})
    (task,) = [task for task in engine.tasks(number) if task.stone is None]
    assert task.element_id == "decide"
    engine.complete(task.task_id)
    assert engine.wait(number, 60).status == "success"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"ask": "nobody"}, "no element 'nobody'"),
        ({"nobody": "ask"}, "no element 'nobody'"),
        ({"ask": "c"}, "one kind"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    engine: Engine, world: World, mapping: dict[str, str], words: str
) -> None:
    number = started(engine, ONE)
    other = engine.deploy(TWO)
    with pytest.raises(Invalid, match=words):
        engine.migrate(number, other.deployment_id, mapping=mapping)
    assert engine.get(number).deployment_id != other.deployment_id


def timed(name: str, length: str, node: str = "ask") -> str:
    return (
        f'<boundaryEvent id="{name}" attachedToRef="{node}"><timerEventDefinition><timeDuration>{length}</timeDuration>'
        "</timerEventDefinition></boundaryEvent>"
    )


def waiting(*timers: str) -> bytes:
    parts = ('<startEvent id="s"/><userTask id="ask"/>', service("late", "make"), flow("s", "ask"))
    return drawn("timed", *parts, *timers, *(flow(timer.split('"')[1], "late") for timer in timers))


def test_a_timer_keeps_its_time_where_it_is_written_the_same(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = started(engine, waiting(timed("t", "PT1H")))
    clock.advance(1800)
    other = engine.deploy(waiting(timed("t", "PT1H")).replace(b'id="late"', b'id="late" name="Too late"'))
    assert engine.plan_migration(number, other.deployment_id).timers == ()
    engine.migrate(number, other.deployment_id)
    clock.advance(1801)
    engine.run_pending()
    assert world.of("start") == ["late"]


def test_a_timer_that_is_written_otherwise_is_set_anew(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = started(engine, waiting(timed("t", "PT1H")))
    clock.advance(1800)
    other = engine.deploy(waiting(timed("t", "PT2H")))
    (timer,) = engine.plan_migration(number, other.deployment_id).timers
    assert timer.before is not None
    assert timer.after is not None
    assert (timer.element_id, (timer.after - timer.before).total_seconds()) == ("t", 5400)
    engine.migrate(number, other.deployment_id)
    clock.advance(7199)
    engine.run_pending()
    assert world.of("start") == []
    clock.advance(2)
    engine.run_pending()
    assert world.of("start") == ["late"]


def test_an_event_that_is_new_listens_and_one_that_is_gone_does_not(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    number = started(engine, waiting(timed("old", "PT1H")))
    other = engine.deploy(waiting(timed("new", "PT3H")))
    assert engine.plan_migration(number, other.deployment_id).dropped == ("old",)
    engine.migrate(number, other.deployment_id)
    clock.advance(2 * 3600)
    engine.run_pending()
    assert world.of("start") == []
    clock.advance(3601)
    engine.run_pending()
    assert world.of("start") == ["late"]


def joining(*branches: str, key: str = "join") -> bytes:
    nodes = "".join(f'<userTask id="{name}"/>' for name in branches)
    gates = '<startEvent id="s"/><parallelGateway id="f"/><parallelGateway id="j"/>'
    flows = [flow("s", "f"), flow("j", "z"), *(flow("f", name) + flow(name, "j") for name in branches)]
    return drawn(key, gates, nodes, service("z", "make"), *flows)


def test_a_token_at_a_join_needs_the_flow_by_which_it_came(engine: Engine, world: World) -> None:
    number = started(engine, joining("one", "two"))
    engine.complete(ids(engine, number)["one"])
    without = engine.deploy(joining("two", "three"))
    with pytest.raises(Invalid, match="no flow"):
        engine.migrate(number, without.deployment_id)
    more = engine.deploy(joining("one", "two").replace(b'id="two"', b'id="two" name="The second"'))
    engine.migrate(number, more.deployment_id)
    engine.complete(ids(engine, number)["two"])
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["z"])


@pytest.mark.parametrize("kind", ["parallelGateway", "complexGateway", "task"])
def test_two_joins_at_which_tokens_wait_do_not_become_one(engine: Engine, world: World, kind: str) -> None:
    """The tokens of both would wait in one queue, and what has come to the one would count for the other."""
    people = "".join(f'<userTask id="{name}"/>' for name in "abcd")
    gates = '<startEvent id="s"/><parallelGateway id="f"/>'
    ways = [flow("s", "f"), *(flow("f", name) for name in "abcd")]

    def join(name: str, *branches: str) -> str:
        flows = "".join(f'<sequenceFlow id="{each}-on" sourceRef="{each}" targetRef="{name}"/>' for each in branches)
        needs = f"<activationCondition>activationCount == {len(branches)}</activationCondition>"
        marker = f' startQuantity="{len(branches)}"' if kind == "task" else ""
        return f'<{kind} id="{name}"{marker}>{needs if kind == "complexGateway" else ""}</{kind}>{flows}'

    before = drawn("two", gates, people, join("ab", "a", "b"), join("cd", "c", "d"), *ways)
    after = drawn("two", gates, people, join("all", *"abcd"), *ways)
    number = started(engine, before)
    for name in "ac":
        engine.complete(ids(engine, number)[name])
    other, mapping = engine.deploy(after).deployment_id, {"ab": "all", "cd": "all"}
    held = engine.get(number), engine.tokens(number)
    finding = "Tokens wait at 'ab' and at 'cd'"
    assert finding in engine.plan_migration(number, other, mapping=mapping).findings["cd"]
    with pytest.raises(Invalid, match=finding):
        engine.migrate(number, other, mapping=mapping)
    assert (engine.get(number), engine.tokens(number)) == held
    for name in "bd":
        engine.complete(ids(engine, number)[name])
    assert engine.wait(number, 60).status == "success"


def test_a_message_is_awaited_by_its_new_name(engine: Engine, world: World) -> None:
    def asking(name: str) -> bytes:
        event = catch("wait", '<messageEventDefinition messageRef="m"/>')
        parts = ('<startEvent id="s"/>', event, service("z", "make"), flow("s", "wait"), flow("wait", "z"))
        return definitions(f'<message id="m" name="{name}"/>', process("hears", *parts))

    number = started(engine, asking("paid"))
    engine.migrate(number, engine.deploy(asking("settled")).deployment_id)
    with pytest.raises(Conflict):
        engine.message("paid")
    engine.message("settled")
    assert engine.wait(number, 60).status == "success"


def test_a_monitor_that_waits_is_moved_and_looks_on(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = started(engine, line("watching", service("w", "watch")))
    other = engine.deploy(line("watching", service("w", "watch"), service("z", "make")))
    engine.migrate(number, other.deployment_id)
    for _ in range(3):
        clock.advance(11)
        engine.run_pending()
    assert (engine.get(number).status, world.of("start")) == ("success", ["w", "z"])


def test_a_repeated_activity_is_not_moved_while_it_runs(engine: Engine, world: World, clock: VirtualClock) -> None:
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
    number = started(engine, line("many", service("w", "watch", inside=loop)))
    other = engine.deploy(line("many", service("w", "watch", inside=loop), service("z", "make")))
    with pytest.raises(Invalid, match="is repeated: wait until its runs"):
        engine.migrate(number, other.deployment_id)


def test_what_cannot_be_moved_is_refused_by_name(engine: Engine, world: World) -> None:
    number = started(engine, ONE)
    stranger = engine.deploy(line("stranger", '<userTask id="ask"/>'))
    with pytest.raises(Invalid, match="key 'stranger'"):
        engine.migrate(number, stranger.deployment_id)
    with pytest.raises(UnknownDeployment):
        engine.migrate(number, "00000000-0000-0000-0000-000000000000")
    other = engine.deploy(TWO)
    engine.complete(ids(engine, number)["ask"])
    engine.wait(number, 60)
    with pytest.raises(Conflict, match="only what goes on"):
        engine.migrate(number, other.deployment_id)


def test_it_is_moved_for_every_engine_and_after_a_restart(
    engine: Engine, url: str, world: World, clock: VirtualClock
) -> None:
    number = started(engine, joining("one", "two"))
    engine.complete(ids(engine, number)["one"])
    other = engine.deploy(joining("one", "two").replace(b'"z"', b'"y"'))
    with Engine(url, stones=world.stones(), clock=clock) as second:
        second.migrate(number, other.deployment_id)
        second.complete(ids(second, number)["two"])
        assert second.wait(number, 60).status == "success"
    assert world.of("start") == ["y"]


def test_a_join_that_waits_for_one_more_branch_is_refused_by_its_drawn_name(engine: Engine, world: World) -> None:
    number = started(engine, joining("one", "two"))
    more = joining("one", "two", "three").replace(b'id="j"', b'id="j" name="All done"')
    more = more.replace(b'id="three"', b'id="three" name="Third"')
    other = engine.deploy(more)
    assert list(engine.plan_migration(number, other.deployment_id).findings) == ["j"]
    with pytest.raises(Invalid, match=r"'All done' \(j\) waits for tokens from 'Third' \(three\) too") as refused:
        engine.migrate(number, other.deployment_id)
    assert "rewind with that version" in refused.value.message
    for task in ("one", "two"):
        engine.complete(ids(engine, number)[task])
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["z"])


def test_a_process_that_has_not_come_to_the_branches_gets_one_more(engine: Engine, world: World) -> None:
    def asked_first(*branches: str) -> bytes:
        source = joining(*branches, key="later").replace(
            b'<sequenceFlow id="s_f" sourceRef="s"', b'<sequenceFlow id="s_f" sourceRef="ask"'
        )
        return source.replace(b"</process>", f'<userTask id="ask"/>{flow("s", "ask")}</process>'.encode())

    number = started(engine, asked_first("one", "two"))
    engine.migrate(number, engine.deploy(asked_first("one", "two", "three")).deployment_id)
    for task in ("ask", "one", "two", "three"):
        engine.complete(ids(engine, number)[task])
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["z"])


def test_a_loop_back_to_the_branches_gives_a_waiting_join_nothing(engine: Engine, world: World) -> None:
    def turning(*branches: str) -> bytes:
        nodes = '<exclusiveGateway id="in"/><exclusiveGateway id="out" default="out_z"/>'
        again = [flow("s", "in"), flow("in", "f"), flow("j", "out"), flow("out", "in", "${again}"), flow("out", "z")]
        source = joining(*branches, key="turns")
        for gone in (flow("s", "f"), flow("j", "z")):
            source = source.replace(gone.encode(), b"")
        return source.replace(b"</process>", f"{nodes}{''.join(again)}</process>".encode())

    number = started(engine, turning("one", "two"), variables={"again": False})
    other = engine.deploy(turning("one", "two", "three"))
    with pytest.raises(Invalid, match="none can come from there"):
        engine.migrate(number, other.deployment_id)


def test_a_join_goes_on_that_waited_for_a_branch_which_goes_elsewhere_now(engine: Engine, world: World) -> None:
    number = started(engine, joining("one", "two", "three"))
    engine.complete(ids(engine, number)["one"])
    engine.complete(ids(engine, number)["two"])
    apart = joining("one", "two", "three").replace(flow("three", "j").encode(), b"")
    engine.migrate(number, engine.deploy(apart).deployment_id)
    engine.run_pending()
    assert world.of("start") == ["z"]
    engine.complete(ids(engine, number)["three"])
    assert engine.wait(number, 60).status == "success"


def test_an_activity_that_begins_for_fewer_tokens_begins(engine: Engine, world: World) -> None:
    def together(count: int) -> bytes:
        nodes = '<startEvent id="s"/><parallelGateway id="f"/><userTask id="one"/><userTask id="two"/>'
        flows = [flow("s", "f"), *(flow("f", name) + flow(name, "z") for name in ("one", "two"))]
        return drawn("together", nodes, service("z", "make", startQuantity=str(count)), *flows)

    number = started(engine, together(2))
    engine.complete(ids(engine, number)["one"])
    engine.run_pending()
    engine.migrate(number, engine.deploy(together(1)).deployment_id)
    engine.run_pending()
    assert world.of("start") == ["z"]


def racing(*events: str) -> bytes:
    nodes = "".join(catch(name, f'<messageEventDefinition messageRef="m{name}"/>') for name in events)
    names = "".join(f'<message id="m{name}" name="{name}"/>' for name in ("x", "y", "w"))
    flows = [flow("s", "g"), *(flow("g", name) + flow(name, f"z{name}") for name in events)]
    ends = [service(f"z{name}", "make") for name in events]
    gates = '<startEvent id="s"/><eventBasedGateway id="g"/>'
    return definitions(names, process("race", gates, nodes, *ends, *flows))


def test_events_behind_an_event_based_gateway_come_and_go(engine: Engine, world: World) -> None:
    number = started(engine, racing("x", "y"))
    other = engine.deploy(racing("x", "w"))
    assert engine.plan_migration(number, other.deployment_id).dropped == ("y",)
    engine.migrate(number, other.deployment_id)
    engine.run_pending()
    with pytest.raises(Conflict):
        engine.message("y")
    engine.message("w")
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["zw"])
    with pytest.raises(Conflict):
        engine.message("x")


def test_an_event_that_nothing_is_left_of_has_to_be_mapped(engine: Engine, world: World) -> None:
    number = started(engine, racing("x"))
    with pytest.raises(Invalid, match="map it to another"):
        engine.migrate(number, engine.deploy(racing("y")).deployment_id)


@pytest.mark.parametrize("waits", ['<receiveTask id="ask" messageRef="m"/>', '<userTask id="ask"/>'])
def test_an_event_that_is_new_listens_beside_whatever_waits(
    engine: Engine, world: World, clock: VirtualClock, waits: str
) -> None:
    def timing(*timers: str) -> bytes:
        parts = ('<startEvent id="s"/>', waits, service("late", "make"), flow("s", "ask"), *timers)
        flows = [flow(timer.split('"')[1], "late") for timer in timers]
        return definitions('<message id="m" name="m"/>', process("awaits", *parts, *flows))

    number = started(engine, timing())
    engine.migrate(number, engine.deploy(timing(timed("new", "PT1H"))).deployment_id)
    clock.advance(3601)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["late"])


def test_an_event_that_was_an_error_is_awaited_as_a_timer(engine: Engine, world: World, clock: VirtualClock) -> None:
    number = started(
        engine, waiting('<boundaryEvent id="t" attachedToRef="ask"><errorEventDefinition/></boundaryEvent>')
    )
    engine.migrate(number, engine.deploy(waiting(timed("t", "PT1H"))).deployment_id)
    clock.advance(3601)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.of("start")) == ("success", ["late"])


def test_a_rewind_brings_nothing_back_to_a_join_that_waits_for_more_now(engine: Engine, world: World) -> None:
    world.wrong("start", "z", RuntimeError("no"))
    number = started(engine, joining("one", "two"), on_failure="pause")
    for task in ("one", "two"):
        engine.complete(ids(engine, number)[task])
    engine.run_pending()
    engine.migrate(number, engine.deploy(joining("one", "two", "three")).deployment_id)
    task = next(each.task_id for each in engine.tasks(number) if each.element_id == "one")
    with pytest.raises(Conflict, match="none can come from there"):
        engine.preview_rewind(number, task)
    with pytest.raises(Conflict, match="none can come from there"):
        engine.rewind(number, task)
    engine.retry(number)
    assert engine.wait(number, 60).status == "success"


def test_an_activity_that_runs_is_not_made_a_repeated_one(engine: Engine, world: World) -> None:
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"
    number = started(engine, line("many", service("w", "watch", name="Watch")))
    other = engine.deploy(line("many", service("w", "watch", inside=loop, name="Watch")))
    with pytest.raises(Invalid, match=r"'Watch' \(w\) is repeated in the other version"):
        engine.migrate(number, other.deployment_id)
