"""A part of what was made is undone before the process goes on: on the way of an error that an event catches."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from riverstone.engine import BpmnError, Conflict, Engine, Invalid, VirtualClock

from .sketch import definitions, flow, line, process, runs, service
from .world import World, makes_then_fails, run, undone

SHORT = BpmnError("short", "There is no capacity in this zone.")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is told here does not depend on the database."""
    return f"sqlite:///{tmp_path}/parts.db"


def flag(name: str, value: str = "true") -> str:
    return (
        f'<extensionElements><camunda:properties><camunda:property name="{name}" value="{value}"/>'
        "</camunda:properties></extensionElements>"
    )


def caught(host: str) -> str:
    return f'<boundaryEvent id="caught" attachedToRef="{host}"><errorEventDefinition/></boundaryEvent>'


def zone(*steps: str, saying: str = flag("undoOnError"), key: str = "zone", marker: str = "") -> bytes:
    """A server and its volume in a sub-process; another zone where that does not work."""
    names = ["in", *(step.split('"')[1] for step in steps), "out"]
    inside = "".join(flow(one, two) for one, two in itertools.pairwise(names))
    inner = f'<startEvent id="in"/>{"".join(steps)}<endEvent id="out"/>{inside}'
    return definitions(
        process(
            key,
            '<startEvent id="s"/><endEvent id="e"/>',
            service("network", "make"),
            f'<subProcess id="sub" name="First zone">{saying}{marker}{inner}</subProcess>',
            caught("sub"),
            service("other", "make"),
            flow("s", "network"),
            flow("network", "sub"),
            flow("sub", "e"),
            flow("caught", "other"),
            flow("other", "e"),
        )
    )


PERSON = '<userTask id="person"/>'
SERVER, VOLUME = service("server", "make"), service("volume", "make")


def test_what_was_made_inside_is_undone_in_order_before_the_error_is_caught(engine: Engine, world: World) -> None:
    engine.deploy(zone(SERVER, service("disk", "make"), VOLUME))
    world.wrong("start", "volume", SHORT)
    found = run(engine, "zone")
    assert (found.status, world.exists) == ("success", ["network", "other"])
    assert world.calls[-4:] == [
        ("rollback", "volume"),
        ("rollback", "disk"),
        ("rollback", "server"),
        ("start", "other"),
    ]
    marks = undone(engine.tasks(found.process_instance_id))
    assert {name for name, mark in marks.items() if mark == "undone"} == {"server", "disk", "volume"}
    number = found.process_instance_id
    assert (engine.delete(number).status, world.exists) == ("delete.success", [])
    assert [name for _, name in world.calls if name == "server"] == ["server", "server"]


def test_what_nobody_asks_for_stays_until_the_delete(engine: Engine, world: World) -> None:
    for number, saying in enumerate(("", flag("undoOnError", "false"))):
        engine.deploy(zone(SERVER, VOLUME, saying=saying, key=f"plain{number}"))
        world.wrong("start", "volume", SHORT)
        assert run(engine, f"plain{number}").status == "success"
    assert world.exists == ["network", "network", "other", "other", "server", "server"]


def test_a_task_that_fails_half_way_takes_back_what_it_left(engine: Engine, world: World) -> None:
    def half(task: object) -> None:
        try:
            makes_then_fails(task)  # type: ignore[arg-type]
        except RuntimeError:
            raise SHORT from None

    task = service("server", "make", inside="").replace("</serviceTask>", f"{flag('undoOnError')}</serviceTask>")
    engine.deploy(
        definitions(
            process(
                "one",
                '<startEvent id="s"/><endEvent id="e"/>',
                task,
                caught("server"),
                service("other", "make"),
                flow("s", "server"),
                flow("server", "e"),
                flow("caught", "other"),
                flow("other", "e"),
            )
        )
    )
    world.wrong("start", "server", half)
    assert (run(engine, "one").status, world.exists) == ("success", ["other"])


def test_every_run_is_undone_and_what_ran_beside_is_stopped(engine: Engine, world: World) -> None:
    engine.deploy(zone(SERVER, VOLUME, marker=runs("3")))
    world.wrong("start", "volume", lambda task: None, SHORT)
    found = run(engine, "zone")
    assert (found.status, world.exists) == ("success", ["network", "other"])


def test_an_undo_that_fails_makes_the_process_fail(engine: Engine, world: World) -> None:
    engine.deploy(zone(SERVER, VOLUME))
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    found = run(engine, "zone")
    assert (found.status, world.exists) == ("rollback.success", [])
    assert "what was to be undone before could not be" in (found.reason or "")
    assert "other" not in world.of("start")


def test_it_waits_for_somebody_where_a_failure_pauses(engine: Engine, world: World) -> None:
    engine.deploy(zone(SERVER, VOLUME))
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"), RuntimeError("busy"))
    found = run(engine, "zone", on_failure="pause")
    assert (found.status, found.attention, world.exists) == ("running", 1, ["network", "server"])
    number = found.process_instance_id
    engine.retry(number)
    assert engine.get(number).attention == 1
    engine.retry(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["network", "other"])


@pytest.mark.parametrize("giving_up", ["retain", "cancel"])
def test_what_cannot_be_undone_is_given_up_or_the_process_is(engine: Engine, world: World, giving_up: str) -> None:
    engine.deploy(zone(SERVER, VOLUME))
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    number = run(engine, "zone", on_failure="pause").process_instance_id
    server = next(task.task_id for task in engine.tasks(number) if task.namespace == "server")
    if giving_up == "retain":
        engine.retry(number, retain=[server])
        assert (engine.wait(number, 60).status, world.exists) == ("success", ["network", "other", "server"])
        return
    assert (engine.cancel(number).status, world.exists) == ("cancel.success", [])


def test_it_goes_on_after_a_restart(url: str, world: World, clock: VirtualClock) -> None:
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    again = type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0})
    with Engine(url, stones=[*world.stones(), again], clock=clock) as engine:
        engine.deploy(zone(service("server", "again"), VOLUME))
        number = engine.start(key="zone", name="x").process_instance_id
        assert (engine.get(number).status, world.exists) == ("running", ["network", "server"])
    clock.advance(120_000)
    with Engine(url, stones=[*world.stones(), again], clock=clock) as engine:
        engine.run_pending()
        assert (engine.wait(number, 60).status, world.exists) == ("success", ["network", "other"])


def test_a_cancel_while_it_is_undone_takes_all_back_once(engine: Engine, world: World, clock: VirtualClock) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))
    engine.deploy(zone(service("server", "again"), VOLUME))
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    number = engine.start(key="zone", name="x").process_instance_id
    engine.cancel(number)
    clock.advance(120_000)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("cancel.success", [])
    assert world.of("cancel") == ["network"]


def test_a_process_that_is_suspended_undoes_it_when_it_goes_on(engine: Engine, world: World) -> None:
    number: list[str] = []

    def suspends(task: object) -> None:
        number.append(engine.instances().items[0].process_instance_id)
        engine.suspend(number[0])
        raise SHORT

    engine.deploy(zone(SERVER, VOLUME))
    world.wrong("start", "volume", suspends)
    engine.start(key="zone", name="x")
    assert (engine.get(number[0]).awaits, world.exists) == ("suspended", ["network", "server"])
    engine.unsuspend(number[0])
    assert (engine.wait(number[0], 60).status, world.exists) == ("success", ["network", "other"])


def test_a_mock_undoes_nothing(engine: Engine, world: World) -> None:
    engine.deploy(zone(SERVER, VOLUME))
    assert run(engine, "zone", {"SipRS::Mock": True}).status == "success"
    assert world.calls == []


def saying(node: str, value: str = "true") -> str:
    return service(node, "make").replace("</serviceTask>", f"{flag('undoOnCompensation', value)}</serviceTask>")


def handled(node: str) -> str:
    """A task with a handler that is drawn."""
    return (
        service(node, "make")
        + f'<boundaryEvent id="on{node}" attachedToRef="{node}"><compensateEventDefinition/></boundaryEvent>'
        + service(f"un{node}", "mail", isForCompensation="true")
        + f'<association id="as{node}" associationDirection="One" sourceRef="on{node}" targetRef="un{node}"/>'
    )


def thrown(*parts: str, key: str = "shop", says: str = "", after: str = service("last", "make")) -> bytes:
    """Steps, a compensation of all of them, and one more step."""
    throw = '<intermediateThrowEvent id="back"><compensateEventDefinition/></intermediateThrowEvent>'
    names = ["s", *(part.split('"')[1] for part in parts), "back", after.split('"')[1], "e"]
    flows = "".join(flow(one, two) for one, two in itertools.pairwise(names))
    return definitions(process(key, says, '<startEvent id="s"/>', *parts, throw, after, '<endEvent id="e"/>', flows))


def test_a_compensation_has_stones_take_back_what_they_made(engine: Engine, world: World) -> None:
    engine.deploy(
        thrown(service("a", "make"), service("b", "make"), service("c", "make"), says=flag("undoOnCompensation"))
    )
    found = run(engine, "shop")
    assert (found.status, world.exists) == ("success", ["last"])
    assert world.of("rollback") == ["c", "b", "a"]
    undos = [each for each in engine.instances().items if each.process_instance_id != found.process_instance_id]
    assert [each.process_instance_id for each in undos] == [found.rewind_process_instance_id]
    assert engine.delete(found.process_instance_id).status == "delete.success"
    assert (world.exists, world.of("delete")) == ([], ["last"])


def test_no_model_that_does_not_say_so_deletes_anything_in_a_compensation(engine: Engine, world: World) -> None:
    engine.deploy(thrown(service("a", "make"), saying("b", "false")))
    assert run(engine, "shop").status == "success"
    assert world.exists == ["a", "b", "last"]


def test_a_deployment_says_so_for_all_that_does_not(engine: Engine, world: World) -> None:
    plain = engine.deploy(thrown(service("a", "make"), saying("b", "false")))
    found = engine.deploy(thrown(service("a", "make"), saying("b", "false")), undo_on_compensation=True)
    assert (found.version, found.undo_on_compensation, plain.undo_on_compensation) == (2, True, False)
    assert run(engine, "shop").status == "success"
    assert world.exists == ["b", "last"]


def test_handlers_that_are_drawn_run_in_their_place_in_the_order(engine: Engine, world: World) -> None:
    engine.deploy(thrown(saying("a"), saying("b"), handled("c"), saying("d"), saying("f")))
    found = run(engine, "shop")
    assert found.status == "success"
    assert world.calls[5:-1] == [
        ("rollback", "f"),
        ("rollback", "d"),
        ("start", "unc"),
        ("rollback", "b"),
        ("rollback", "a"),
    ]
    assert world.exists == ["c", "last", "unc"]


def test_a_cancelled_transaction_takes_back_all_that_was_made_inside(engine: Engine, world: World) -> None:
    inner = (
        '<startEvent id="in"/><endEvent id="out"><cancelEventDefinition/></endEvent>'
        f'<parallelGateway id="f"/><parallelGateway id="j"/>{service("a", "make")}{service("b", "make")}'
        f'<subProcess id="deep"><startEvent id="i"/><endEvent id="o"/>{service("c", "make")}'
        f"{flow('i', 'c')}{flow('c', 'o')}"
        f"</subProcess>{flow('in', 'f')}{flow('f', 'a')}{flow('f', 'b')}{flow('a', 'j')}{flow('b', 'j')}"
        f"{flow('j', 'deep')}{flow('deep', 'out')}"
    )
    engine.deploy(
        definitions(
            process(
                "trip",
                '<startEvent id="s"/><endEvent id="e"/>',
                f'<transaction id="t">{flag("undoOnCompensation")}{inner}</transaction>',
                '<boundaryEvent id="off" attachedToRef="t"><cancelEventDefinition/></boundaryEvent>',
                service("told", "make"),
                flow("s", "t"),
                flow("t", "e"),
                flow("off", "told"),
                flow("told", "e"),
            )
        )
    )
    found = run(engine, "trip")
    assert (found.status, world.exists) == ("success", ["told"])
    assert world.of("rollback")[0] == "c"
    assert sorted(world.of("rollback")) == ["a", "b", "c"]


def test_what_a_called_process_made_and_every_run_is_taken_back(engine: Engine, world: World) -> None:
    engine.deploy(line("part", service("x", "make"), service("y", "make")))
    call = f'<callActivity id="call" calledElement="part">{flag("undoOnCompensation")}</callActivity>'
    many = saying("m").replace("</serviceTask>", f"{runs('3')}</serviceTask>")
    engine.deploy(thrown(call, many))
    assert run(engine, "shop").status == "success"
    assert world.exists == ["last"]
    assert world.of("rollback")[-2:] == ["y", "x"]
    assert len(world.of("rollback")) == 5


def test_an_undo_that_fails_makes_the_throw_fail(engine: Engine, world: World) -> None:
    engine.deploy(thrown(saying("a"), saying("b")))
    world.wrong("rollback", "a", RuntimeError("busy"))
    found = run(engine, "shop")
    assert (found.status, world.exists) == ("rollback.success", [])
    assert "'back'" in (found.reason or "")
    world.wrong("rollback", "a", RuntimeError("busy"))
    waiting = run(engine, "shop", on_failure="pause")
    assert (waiting.status, waiting.attention) == ("running", 1)
    engine.retry(waiting.process_instance_id)
    assert (engine.wait(waiting.process_instance_id, 60).status, world.exists) == ("success", ["last"])


def test_a_compensation_goes_on_after_a_restart(url: str, world: World, clock: VirtualClock) -> None:
    world.wrong("rollback", "a", RuntimeError("busy"))
    again = type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0})
    with Engine(url, stones=[*world.stones(), again], clock=clock) as engine:
        engine.deploy(thrown(service("a", "again"), saying("b"), says=flag("undoOnCompensation")))
        number = engine.start(key="shop", name="x").process_instance_id
        assert (engine.get(number).status, world.exists) == ("running", ["a"])
    clock.advance(120_000)
    with Engine(url, stones=[*world.stones(), again], clock=clock) as engine:
        engine.run_pending()
        assert (engine.wait(number, 60).status, world.exists) == ("success", ["last"])


def test_what_would_do_nothing_is_told_and_what_cannot_be_read_is_refused(engine: Engine) -> None:
    task = SERVER.replace("</serviceTask>", f"{flag('undoOnError')}</serviceTask>")
    (warned,) = [finding for finding in engine.lint(line("bare", task)) if finding.code == "undo-on-error"]
    assert warned.severity == "warning"
    with pytest.raises(Invalid, match="undoOnError='yes'"):
        engine.deploy(zone(SERVER, saying=flag("undoOnError", "yes")))


def test_no_rewind_goes_back_while_it_is_undone(engine: Engine, world: World) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))
    engine.deploy(zone(service("server", "again"), VOLUME))
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    number = engine.start(key="zone", name="x").process_instance_id
    first = engine.tasks(number)[0].task_id
    with pytest.raises(Conflict, match="under way"):
        engine.rewind(number, first)


def test_a_failure_beside_it_waits_until_it_is_undone(engine: Engine, world: World, clock: VirtualClock) -> None:
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))
    text = zone(service("server", "again"), VOLUME).decode()
    beside = f'<parallelGateway id="g"/>{PERSON}{service("late", "make")}{flow("g", "person")}{flow("person", "late")}'
    text = text.replace(flow("network", "sub"), flow("network", "g") + flow("g", "sub") + beside)
    engine.deploy(text.encode())
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    world.wrong("start", "late", RuntimeError("no"))
    number = engine.start(key="zone", name="x").process_instance_id
    engine.complete(next(task.task_id for task in engine.tasks(number) if task.namespace == "person"))
    assert engine.get(number).status == "running"
    clock.advance(120_000)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("rollback.success", [])
    assert world.of("rollback") == ["volume", "server", "server", "late", "network"]


def test_undos_that_have_failed_side_by_side_all_go_on_when_they_are_tried_again(engine: Engine, world: World) -> None:
    def told(name: str) -> str:
        task = service(name, "make").replace("</serviceTask>", f"{flag('undoOnCompensation')}</serviceTask>")
        event = f'<compensateEventDefinition id="back{name}d" activityRef="{name}"/>'
        return f'{task}<intermediateThrowEvent id="back{name}">{event}</intermediateThrowEvent>'

    flows = [flow("s", "split"), flow("join", "e")]
    for name in ("left", "right"):
        flows += [flow("split", name), flow(name, f"back{name}"), flow(f"back{name}", "join")]
        world.wrong("rollback", name, RuntimeError("busy"))
    gateways = '<parallelGateway id="split"/><parallelGateway id="join"/>'
    ends = '<startEvent id="s"/><endEvent id="e"/>'
    engine.deploy(definitions(process("two", ends, gateways, told("left"), told("right"), *flows)))
    found = run(engine, "two", on_failure="pause")
    assert (found.attention, world.exists) == (2, ["left", "right"])
    engine.retry(found.process_instance_id)
    assert (engine.get(found.process_instance_id).status, world.exists) == ("success", [])


def test_a_join_waits_for_what_an_error_has_undone_first(engine: Engine, world: World) -> None:
    risky = service("risky", "make").replace("</serviceTask>", f"{flag('undoOnError')}</serviceTask>")
    gateways = '<inclusiveGateway id="split"/><inclusiveGateway id="join"/>'
    ends = '<startEvent id="s"/><endEvent id="e"/>'
    flows = [("s", "split"), ("split", "risky"), ("split", "beside"), ("risky", "join"), ("caught", "other")]
    flows += [("other", "join"), ("beside", "join"), ("join", "after"), ("after", "e")]
    nodes = [risky, caught("risky"), service("other", "make"), service("beside", "make"), service("after", "make")]
    engine.deploy(definitions(process("joined", ends, gateways, *nodes, *(flow(*each) for each in flows))))
    world.wrong("start", "risky", half_made)
    found = run(engine, "joined")
    assert (found.status, world.of("start").count("after")) == ("success", 1)
    assert world.of("start")[-1] == "after"
    assert world.exists == ["after", "beside", "other"]


def half_made(task: object) -> None:
    try:
        makes_then_fails(task)  # type: ignore[arg-type]
    except RuntimeError:
        raise SHORT from None


def late_event(inside: str) -> str:
    """An event sub-process that takes everything away after five seconds."""
    timer = "<timerEventDefinition><timeDuration>PT5S</timeDuration></timerEventDefinition>"
    names = ["hs", *(part.split('"')[1] for part in inside.split("|")), "he"]
    flows = "".join(flow(one, two) for one, two in itertools.pairwise(names))
    steps = f'<startEvent id="hs" isInterrupting="true">{timer}</startEvent>{inside.replace("|", "")}'
    return f'<subProcess id="h" triggeredByEvent="true">{steps}<endEvent id="he"/>{flows}</subProcess>'


AGAIN = '<intermediateThrowEvent id="again"><compensateEventDefinition/></intermediateThrowEvent>'


@pytest.fixture
def slow(engine: Engine, world: World) -> None:
    """A stone whose rollback is tried again after a minute."""
    engine.register(type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0}))


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("inside", [service("after", "make"), f"{AGAIN}|{service('after', 'make')}"])
def test_an_event_does_not_take_an_undo_away_with_its_compensation(
    engine: Engine, world: World, clock: VirtualClock, inside: str
) -> None:
    """The process does not end before it, and what compensates once more waits for it."""
    engine.deploy(
        thrown(
            saying("a"), saying("b").replace('"make"', '"again"'), after=service("last", "make") + late_event(inside)
        )
    )
    world.wrong("rollback", "b", RuntimeError("busy"))
    number = engine.start(key="shop", name="x").process_instance_id
    assert (engine.get(number).status, world.exists) == ("running", ["a", "b"])
    clock.advance(6)
    engine.run_pending()
    assert engine.get(number).status == "running"
    compensates = inside.startswith(AGAIN)
    assert world.of("start") == ["a", "b"] if compensates else ["a", "b", "after"]
    with pytest.raises(Conflict):
        engine.delete(number)
    clock.advance(120)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["after"])
    assert world.of("rollback") == ["b", "b", "a"]


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("policy", ["pause", None])
def test_an_undo_that_fails_after_its_compensation_was_interrupted_is_told(
    engine: Engine, world: World, clock: VirtualClock, policy: str | None
) -> None:
    engine.deploy(
        thrown(
            saying("a").replace('"make"', '"again"'),
            after=service("last", "make") + late_event(service("after", "make")),
        )
    )
    world.wrong("rollback", "a", *[RuntimeError("busy")] * 3)
    number = engine.start(key="shop", name="x", on_failure=policy).process_instance_id
    clock.advance(6)
    engine.run_pending()
    clock.advance(600)
    engine.run_pending()
    clock.advance(600)
    engine.run_pending()
    if policy is None:
        assert (engine.wait(number, 60).status, world.exists) == ("rollback.success", [])
        return
    assert (engine.get(number).status, engine.get(number).attention, world.exists) == ("running", 1, ["a", "after"])
    engine.retry(number)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["after"])


@pytest.mark.usefixtures("slow")
def test_a_cancel_waits_for_what_an_event_has_left_to_be_undone(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    person = '<userTask id="person"/>'
    engine.deploy(thrown(saying("a").replace('"make"', '"again"'), after=service("last", "make") + late_event(person)))
    world.wrong("rollback", "a", RuntimeError("busy"))
    number = engine.start(key="shop", name="x").process_instance_id
    clock.advance(6)
    engine.run_pending()
    engine.cancel(number)
    clock.advance(600)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("cancel.success", [])
    assert (world.of("rollback"), world.of("cancel")) == (["a", "a"], [])


def bordered() -> bytes:
    """A sub-process that has its own steps undone, on whose border a timer waits, beside a terminate end."""
    inner = "".join(
        (
            '<startEvent id="in"/><endEvent id="out"/>',
            saying("a").replace('"make"', '"again"'),
            '<intermediateThrowEvent id="back"><compensateEventDefinition/></intermediateThrowEvent>',
            flow("in", "a"),
            flow("a", "back"),
            flow("back", "out"),
        )
    )
    timer = "<timerEventDefinition><timeDuration>PT5S</timeDuration></timerEventDefinition>"
    return definitions(
        process(
            "border",
            '<startEvent id="s"/><endEvent id="e"/>',
            f'<subProcess id="sub">{inner}</subProcess>',
            f'<boundaryEvent id="late" attachedToRef="sub">{timer}</boundaryEvent>',
            '<endEvent id="all"><terminateEventDefinition/></endEvent>',
            flow("s", "sub"),
            flow("sub", "e"),
            flow("late", "all"),
        )
    )


def test_what_an_event_has_left_to_be_undone_outlasts_a_restart_and_a_terminate(
    url: str, world: World, clock: VirtualClock
) -> None:
    again = type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0})
    world.wrong("rollback", "a", RuntimeError("busy"))
    with Engine(url, stones=[*world.stones(), again], clock=clock) as engine:
        engine.deploy(bordered())
        number = engine.start(key="border", name="x").process_instance_id
        clock.advance(6)
        engine.run_pending()
        assert engine.get(number).status == "running"
        assert [token.element_id for token in engine.tokens(number)] == ["border"]
        assert "None" not in " ".join(engine.why(number).sentences)
    clock.advance(120)
    with Engine(url, stones=[*world.stones(), again], clock=clock) as engine:
        engine.run_pending()
        assert (engine.wait(number, 60).status, world.exists, world.of("rollback")) == ("success", [], ["a", "a"])


def test_what_an_error_has_undone_first_is_not_left_by_an_event_around_it(
    engine: Engine, world: World, clock: VirtualClock, slow: None
) -> None:
    text = zone(service("server", "again"), VOLUME).decode()
    timer = "<timerEventDefinition><timeDuration>PT5S</timeDuration></timerEventDefinition>"
    handler = f'<subProcess id="h" triggeredByEvent="true"><startEvent id="hs">{timer}</startEvent></subProcess>'
    engine.deploy(text.replace('<startEvent id="s"/>', f'{handler}<startEvent id="s"/>').encode())
    world.wrong("start", "volume", SHORT)
    world.wrong("rollback", "server", RuntimeError("busy"))
    number = engine.start(key="zone", name="x").process_instance_id
    clock.advance(6)
    engine.run_pending()
    assert (engine.get(number).status, world.exists) == ("running", ["network", "server"])
    clock.advance(120)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["network"])


def throws(name: str, activity: str | None) -> str:
    event = "<compensateEventDefinition/>"
    if activity is not None:
        event = f'<compensateEventDefinition activityRef="{activity}"/>'
    return f'<intermediateThrowEvent id="{name}">{event}</intermediateThrowEvent>'


def two_askers(first: str | None, second: str | None) -> bytes:
    """A compensation of a and b is interrupted by an event, behind which two others ask side by side."""
    timer = "<timerEventDefinition><timeDuration>PT5S</timeDuration></timerEventDefinition>"
    flows = [("hs", "f"), ("f", "t1"), ("f", "t2"), ("t1", "j"), ("t2", "j"), ("j", "after"), ("after", "he")]
    handler = "".join(
        (
            f'<startEvent id="hs" isInterrupting="true">{timer}</startEvent><endEvent id="he"/>',
            '<parallelGateway id="f"/><parallelGateway id="j"/>',
            throws("t1", first),
            throws("t2", second),
            service("after", "make"),
            *(flow(*each) for each in flows),
        )
    )
    again = [saying(name).replace('"make"', '"again"') for name in "ab"]
    last = service("last", "make") + f'<subProcess id="h" triggeredByEvent="true">{handler}</subProcess>'
    return thrown(*again, after=last)


ASKERS = [("a", "b"), ("b", "a"), ("b", None), (None, "b"), ("a", None)]


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("askers", ASKERS)
@pytest.mark.parametrize("failures", [(1, 0), (2, 1), (1, 2), (0, 2)])
def test_all_who_ask_wait_for_what_was_left_to_be_undone(
    engine: Engine,
    world: World,
    clock: VirtualClock,
    askers: tuple[str | None, str | None],
    failures: tuple[int, int],
) -> None:
    """Each is undone once, and b before a, whoever asks first and however often a hook is tried."""
    engine.deploy(two_askers(*askers))
    for name, count in zip("ba", failures, strict=True):
        world.wrong("rollback", name, *[RuntimeError("busy")] * count)
    number = engine.start(key="shop", name="x").process_instance_id
    for _ in range(14):
        clock.advance(60)
        engine.run_pending()
        assert "None" not in " ".join(engine.why(number).sentences)
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["after"])
    assert world.of("rollback") == ["b"] * (failures[0] + 1) + ["a"] * (failures[1] + 1)
    assert world.calls[-1] == ("start", "after")


@pytest.mark.parametrize("askers", ASKERS)
def test_what_was_left_is_waited_for_across_restarts_and_by_other_engines(
    url: str, world: World, clock: VirtualClock, askers: tuple[str | None, str | None]
) -> None:
    again = type("Again", (world.stones()[0],), {"code": "again", "retries": 2, "retry_backoff": 60.0})
    stones = [*world.stones(), again]
    for name in "ba":
        world.wrong("rollback", name, RuntimeError("busy"))
    with Engine(url, stones=stones, clock=clock) as engine, Engine(url, stones=stones, clock=clock) as other:
        engine.deploy(two_askers(*askers))
        number = engine.start(key="shop", name="x").process_instance_id
        clock.advance(6)
        other.run_pending()
        engine.run_pending()
    for _ in range(20):
        clock.advance(60)
        with Engine(url, stones=stones, clock=clock) as engine, Engine(url, stones=stones, clock=clock) as other:
            engine.run_pending()
            other.run_pending()
    with Engine(url, stones=stones, clock=clock) as engine:
        assert (engine.get(number).status, world.exists) == ("success", ["after"])
    assert world.of("rollback") == ["b", "b", "a", "a"]


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("askers", ASKERS)
@pytest.mark.parametrize("end", ["retry", "retain", "cancel"])
def test_what_was_left_and_has_failed_is_one_failure_for_all_who_wait(
    engine: Engine, world: World, clock: VirtualClock, askers: tuple[str | None, str | None], end: str
) -> None:
    engine.deploy(two_askers(*askers))
    world.wrong("rollback", "b", *[RuntimeError("busy")] * 3)
    number = engine.start(key="shop", name="x", on_failure="pause").process_instance_id
    for _ in range(60):
        clock.advance(60)
        engine.run_pending()
    assert (engine.get(number).attention, world.of("rollback"), world.exists) == (1, ["b"] * 3, ["a", "b"])
    if end == "cancel":
        engine.cancel(number)
        assert (engine.wait(number, 60).status, world.exists) == ("cancel.success", [])
        assert (world.of("rollback"), world.of("cancel")) == (["b"] * 3, ["b", "a"])
        return
    task = next(task.task_id for task in engine.tasks(number) if task.namespace == "b")
    engine.retry(number, retain=[task] if end == "retain" else [])
    found = engine.wait(number, 60)
    assert (found.status, found.attention) == ("success", 0)
    assert world.of("rollback") == ["b"] * (3 if end == "retain" else 4) + ["a"]
    assert world.exists == (["after", "b"] if end == "retain" else ["after"])


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("askers", ASKERS)
def test_a_failure_of_what_was_left_takes_the_whole_back_once(
    engine: Engine, world: World, clock: VirtualClock, askers: tuple[str | None, str | None]
) -> None:
    engine.deploy(two_askers(*askers))
    world.wrong("rollback", "b", *[RuntimeError("busy")] * 3)
    number = engine.start(key="shop", name="x").process_instance_id
    for _ in range(60):
        clock.advance(60)
        engine.run_pending()
    found = engine.wait(number, 60)
    assert (found.status, world.exists) == ("rollback.success", [])
    assert "what was to be undone before could not be" in (found.reason or "")
    assert world.of("rollback") == ["b"] * 4 + ["a"]


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_throws_side_by_side_keep_the_order_without_any_event(
    engine: Engine, world: World, clock: VirtualClock, order: str
) -> None:
    names = ["s", "a", "b", "f", "t1", "j", "e"]
    nodes = [saying(name).replace('"make"', '"again"') for name in "ab"]
    gateways = '<parallelGateway id="f"/><parallelGateway id="j"/>'
    flows = [*itertools.pairwise(names), ("f", "t2"), ("t2", "j")]
    ends = '<startEvent id="s"/><endEvent id="e"/>'
    asking = [throws("t1", order[0]), throws("t2", order[1])]
    engine.deploy(definitions(process("two", ends, gateways, *nodes, *asking, *(flow(*each) for each in flows))))
    world.wrong("rollback", "b", RuntimeError("busy"))
    number = engine.start(key="two", name="x").process_instance_id
    clock.advance(120)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.of("rollback")) == ("success", ["b", "b", "a"])


@pytest.mark.usefixtures("slow")
def test_an_error_has_nothing_undone_that_a_compensation_inside_is_at(
    engine: Engine, world: World, clock: VirtualClock
) -> None:
    """A step fails beside a compensation of a and b: the same are to be undone before the error is caught."""
    timer = "<timerEventDefinition><timeDuration>PT5S</timeDuration></timerEventDefinition>"
    inner = [saying(name).replace('"make"', '"again"') for name in "ab"]
    chain = [("in", "a"), ("a", "b"), ("b", "f"), ("f", "t"), ("f", "late"), ("late", "risky")]
    inside = "".join(
        (
            '<startEvent id="in"/><parallelGateway id="f"/>',
            *inner,
            throws("t", None),
            f'<intermediateCatchEvent id="late">{timer}</intermediateCatchEvent>',
            service("risky", "make"),
            *(flow(*each) for each in chain),
        )
    )
    engine.deploy(
        definitions(
            process(
                "both",
                '<startEvent id="s"/><endEvent id="e"/>',
                f'<subProcess id="sub">{flag("undoOnError")}{inside}</subProcess>',
                caught("sub"),
                service("other", "make"),
                flow("s", "sub"),
                flow("sub", "e"),
                flow("caught", "other"),
                flow("other", "e"),
            )
        )
    )
    world.wrong("start", "risky", SHORT)
    world.wrong("rollback", "b", RuntimeError("busy"))
    world.wrong("rollback", "a", RuntimeError("busy"))
    number = engine.start(key="both", name="x").process_instance_id
    for _ in range(10):
        clock.advance(30)
        engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["other"])
    assert [name for name in world.of("rollback") if name in "ab"] == ["b", "b", "a", "a"]
    undos = [each.process_instance_id for each in engine.instances().items if each.process_instance_id != number]
    assert sorted(task.namespace for undo in undos for task in engine.tasks(undo)) == ["a", "b", "risky"]


def timed(seconds: int) -> str:
    return f"<timerEventDefinition><timeDuration>PT{seconds}S</timeDuration></timerEventDefinition>"


@pytest.mark.usefixtures("slow")
def test_who_waits_for_what_was_left_may_be_taken_away_too(engine: Engine, world: World, clock: VirtualClock) -> None:
    """An event takes a compensation away, the next one who waits in its place, and outside another one asks."""
    handler = f'<startEvent id="hs" isInterrupting="true">{timed(5)}</startEvent>{throws("t1", "b")}{flow("hs", "t1")}'
    inner = "".join(
        (
            '<startEvent id="in"/>',
            *(saying(name).replace('"make"', '"again"') for name in "ab"),
            throws("back", None),
            *(flow(*each) for each in itertools.pairwise(["in", "a", "b", "back"])),
            f'<subProcess id="h" triggeredByEvent="true">{handler}</subProcess>',
        )
    )
    nodes = (
        '<startEvent id="s"/><endEvent id="e"/>',
        saying("c"),
        f'<subProcess id="sub">{inner}</subProcess>',
        f'<boundaryEvent id="late" attachedToRef="sub">{timed(8)}</boundaryEvent>',
        throws("outside", "c"),
        service("after", "make"),
    )
    flows = [("s", "c"), ("c", "sub"), ("sub", "e"), ("late", "outside"), ("outside", "after"), ("after", "e")]
    engine.deploy(definitions(process("nested", *nodes, *(flow(*each) for each in flows))))
    world.wrong("rollback", "b", RuntimeError("busy"))
    number = engine.start(key="nested", name="x").process_instance_id
    for seconds in (6, 3):
        clock.advance(seconds)
        engine.run_pending()
        assert (engine.get(number).status, world.exists) == ("running", ["a", "b", "c"])
    clock.advance(120)
    engine.run_pending()
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["after"])
    assert world.of("rollback") == ["b", "b", "a", "c"]


@pytest.mark.usefixtures("slow")
def test_a_compensation_waits_for_a_rewind_of_what_followed(engine: Engine, world: World, clock: VirtualClock) -> None:
    nodes = (
        '<startEvent id="s"/><endEvent id="e"/><parallelGateway id="f"/>',
        saying("a"),
        service("b", "again"),
        '<userTask id="one"/><userTask id="two"/>',
        throws("t", "a"),
    )
    flows = [("s", "a"), ("a", "f"), ("f", "b"), ("b", "one"), ("one", "e"), ("f", "two"), ("two", "t"), ("t", "e")]
    engine.deploy(definitions(process("beside", *nodes, *(flow(*each) for each in flows))))
    world.wrong("rollback", "b", RuntimeError("busy"))
    number = engine.start(key="beside", name="x").process_instance_id
    tasks = {task.namespace: task.task_id for task in engine.tasks(number)}
    engine.rewind(number, tasks["b"])
    engine.complete(tasks["two"])
    assert world.exists == ["a", "b"]
    clock.advance(120)
    engine.run_pending()
    assert world.of("rollback") == ["b", "b", "a"]
    engine.complete(max((task.task_id for task in engine.tasks(number) if task.namespace == "one"), key=int))
    assert (engine.wait(number, 60).status, world.exists) == ("success", ["b"])
