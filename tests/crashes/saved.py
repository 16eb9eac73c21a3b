"""Makes a store with processes in every kind of waiting, to be kept: ``python -m tests.crashes.saved <new file>``.

A file once made is never made again: it is what users of that schema have. A new migration gets a new file, numbered
like it, and :func:`finish` has to bring every old one to its end.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from riverstone.engine import Engine, Stone, VirtualClock

from ..features.sketch import catch, definitions, flow, line, process, row, runs, service
from ..features.world import Make, World

EPOCH = 1_800_000_000_000
MESSAGE = '<message id="M" name="paid"/>'
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
INSIDE = (
    '<startEvent id="b"/><endEvent id="e"/>'
    + '<userTask id="u"/>'
    + service("i", "make")
    + flow("b", "i")
    + flow("i", "u")
    + flow("u", "e")
)


def two(scope: str) -> str:
    """The inside of a sub-process of two steps."""
    first, second = f"{scope}1", f"{scope}2"
    steps = service(first, "make") + service(second, "make")
    flows = flow(f"{scope}b", first) + flow(first, second) + flow(second, f"{scope}e")
    return f'<startEvent id="{scope}b"/>{steps}<endEvent id="{scope}e"/>{flows}'


HANDLER = (
    '<boundaryEvent id="on" attachedToRef="s"><compensateEventDefinition id="caught"/></boundaryEvent>'
    f'<subProcess id="h" isForCompensation="true">{two("h")}</subProcess>'
    '<association id="by" sourceRef="on" targetRef="h" associationDirection="One"/>'
)
"""Takes back what the sub-process s has made."""
LOOP = '<standardLoopCharacteristics loopMaximum="3"/>'

RULES = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="rules" name="rules" namespace="urn:r">
<decision id="size" name="Size" xmlns:c="http://camunda.org/schema/1.0/dmn" c:versionTag="v1">
<decisionTable><input><inputExpression><text>n</text></inputExpression></input>
<output name="size"/><rule>
<inputEntry><text>> 9</text></inputEntry><outputEntry><text>"large"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""
DECIDES = '<businessRuleTask id="d" c:decisionRef="size" xmlns:c="http://camunda.org/schema/1.0/bpmn"/>'

MODELS: dict[str, bytes] = {
    "timer": line("timer", service("a", "make"), catch("t", TIMER), service("z", "make")),
    "message": line(
        "message",
        service("a", "make"),
        catch("m", '<messageEventDefinition messageRef="M"/>'),
        service("z", "make"),
        before=MESSAGE,
    ),
    "person": line("person", service("a", "make"), '<userTask id="u"/>', service("z", "make")),
    "decided": line("decided", DECIDES, '<userTask id="u"/>', service("z", "make")),
    "monitor": line("monitor", service("a", "watch"), service("z", "make")),
    "many": line("many", service("a", "watch", inside=runs("3")), service("z", "make")),
    "in-turn": line("in-turn", service("a", "watch", inside=runs("3", sequential=True)), service("z", "make")),
    "loop": line("loop", service("a", "watch", inside=LOOP), service("z", "make")),
    "inner": line("inner", f'<subProcess id="s">{INSIDE}</subProcess>', service("z", "make")),
    "called": definitions(
        row("called", '<callActivity id="c" calledElement="callee"/>', service("z", "make")),
        process("callee", INSIDE),
    ),
    "branches": definitions(
        process(
            "branches",
            '<startEvent id="b"/><parallelGateway id="f"/><parallelGateway id="j"/><endEvent id="e"/>',
            service("x", "make"),
            service("y", "watch"),
            service("z", "make"),
            *(flow(*pair.split()) for pair in ("b f", "f x", "f y", "x j", "y j", "j z", "z e")),
        )
    ),
    "undone": line("undone", service("a", "make"), service("z", "make")),
    "deleted": line("deleted", service("a", "make"), service("z", "make")),
    "bunches": line(
        "bunches",
        service("a", "make", inside=runs("3")),
        f'<subProcess id="s">{two("s")}</subProcess>',
        service("b", "make", inside=runs("3")),
        service("z", "make"),
    ).replace(b"</process>", HANDLER.encode() + b"</process>"),
    "half": definitions(
        process(
            "half",
            '<startEvent id="b"/><parallelGateway id="f"/><parallelGateway id="j"/><endEvent id="e"/>',
            service("a", "make", inside=runs("2")),
            service("l", "late"),
            service("m", "make"),
            service("z", "make"),
            *(flow(*pair.split()) for pair in ("b a", "a f", "f l", "f m", "l j", "m j", "j z", "z e")),
        )
    ),
}
"""By key; most have made something before they wait, and make ``z`` last."""
ENDS = {key: ("success", ["a", "z"]) for key in MODELS} | {
    "decided": ("success", ["z"]),
    "many": ("success", ["a1", "a2", "a3", "z"]),
    "in-turn": ("success", ["a1", "a2", "a3", "z"]),
    "loop": ("success", ["a", "a", "a", "z"]),
    "inner": ("success", ["i", "z"]),
    "called": ("success", ["i", "z"]),
    "branches": ("success", ["x", "y", "z"]),
    "undone": ("rollback.success", []),
    "deleted": ("delete.success", []),
    "trial": ("success", ["z"]),
    "missing": ("success", ["z"]),
    "bunches": ("rollback.success", ["s1", "s2"]),
    "half": ("delete.success", []),
}
"""How each ends when it goes on, and what then exists."""


def late(world: World) -> type[Stone]:
    """A stone like ``make`` that is not there when its thing is to be deleted."""
    return type("Late", (Make,), {"code": "late", "world": world, "__doc__": "Comes back late."})


class Later(Stone):
    """Does not exist when the store is made, so its task waits."""

    code = "later"


def make(file: Path) -> None:
    """Fill a new file, and write beside it what exists in the world by then."""
    clock, world = VirtualClock(EPOCH), World()
    with Engine(f"sqlite:///{file}", stones=world.stones(), clock=clock) as engine:
        engine.register(Later)
        engine.register(late(world))
        engine.deploy(line("missing", service("l", "later"), service("z", "make")))
        engine.stones.remove("later")
        for source in (RULES, *MODELS.values()):
            engine.deploy(source)
        world.wrong("start", "z", RuntimeError("no"))
        world.wrong("rollback", "a", RuntimeError("not yet"))
        world.wrong("delete", "a", RuntimeError("not yet"))
        undone = engine.start(key="undone", name="undone", variables=variables()).process_instance_id
        deleted = engine.start(key="deleted", name="deleted", variables=variables()).process_instance_id
        assert engine.wait(undone).status == "rollback.failed"
        engine.delete(engine.wait(deleted).process_instance_id)
        _undo_in_part(engine, world)
        world.wrong("start", "z", RuntimeError("no"))
        model = engine.save_model(line("trial", service("z", "make")))
        trial = engine.start(model_id=model.model_id, name="trial", variables=variables()).process_instance_id
        assert engine.wait(trial).paused
        for key in (*MODELS, "missing"):
            if key not in ("undone", "deleted", "bunches", "half"):
                engine.start(key=key, name=key, variables=variables(), business_key=key, idempotency_key=key)
        engine.run_pending()
        # One look of each monitor further on, so that some state is kept.
        clock.advance(10)
        engine.run_pending()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("VACUUM")
    connection.close()
    file.with_suffix(".json").write_text(json.dumps(world.things, indent=1, sort_keys=True) + "\n")


def _undo_in_part(engine: Engine, world: World) -> None:
    """Leave a rollback inside a handler of several steps, and a delete with one of two branches done."""
    world.wrong("rollback", "b2", RuntimeError("not yet"))
    world.wrong("start", "z", RuntimeError("no"))
    world.wrong("start", "h2", RuntimeError("not yet"))
    bunches = engine.start(key="bunches", name="bunches", variables=variables()).process_instance_id
    assert engine.wait(bunches).status == "rollback.failed"
    engine.retry_undo(bunches)
    assert engine.wait(bunches).status == "rollback.failed"
    half = engine.start(key="half", name="half", variables=variables()).process_instance_id
    engine.wait(half)
    engine.stones.remove("late")
    assert engine.delete(half).status == "delete.begin"


def variables() -> dict[str, Any]:
    """Start variables that once were hard to keep."""
    return {"text": "东西 🌊", "typename": {"typename": 1}, "n": 2**60, "deep": [[{"a": [None, True, 1.5]}]]}


def finish(file: Path, url: str | None = None) -> dict[str, tuple[str, list[str]]]:
    """Let everything in a copy of such a file go on; how each process ended, and what of it exists.

    ``url`` is the database that the store is in, if it is not the file.
    """
    clock, world = VirtualClock(EPOCH + 100_000), World()
    world.things.update(json.loads(file.with_suffix(".json").read_text()))
    with Engine(url or f"sqlite:///{file}", stones=world.stones(), clock=clock) as engine:
        engine.register(type("Later", (Later,), {"start": lambda self, task: None}))
        started = {known.process_name: known for known in engine.instances(limit=100).items if known.kind == "start"}
        for known in started.values():
            assert json.loads(known.process_content) == variables()
        engine.retry_undo(started["undone"].process_instance_id)
        engine.retry_undo(started["deleted"].process_instance_id)
        if "bunches" in started:
            engine.retry_undo(started["bunches"].process_instance_id)
            engine.register(late(world))
        failed = [task for task in engine.tasks(started["trial"].process_instance_id) if task.status.endswith("failed")]
        engine.rerun(failed[0].task_id)
        assert engine.message("paid").process_name == "message"
        for key in {"person", "inner", "called", "decided"} & started.keys():
            people = [task for task in engine.tasks(started[key].process_instance_id) if task.stone is None]
            engine.complete(people[-1].task_id, {"by": "hand"})
        if "decided" in started:
            (made,) = engine.decisions_made(started["decided"].process_instance_id).items
            assert (made.result.value, made.result.matched[0].rules) == ("large", (1,))
        ended = {name: engine.wait(known.process_instance_id, 7200) for name, known in started.items()}
        exists = {
            name: sorted(world.things[key] for key in world.things if key.startswith(known.id))
            for name, known in ended.items()
        }
    return {name: (known.status, exists[name]) for name, known in ended.items()}


if __name__ == "__main__":
    make(Path(sys.argv[1]))
