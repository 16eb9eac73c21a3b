"""The process that is killed everywhere: ten stones, branches, a timer, a monitor, a message, a retry, and an undo."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from riverstone.engine import Clock, Engine, VirtualClock

from ..features.sketch import catch, definitions, flow, line, process, service
from .ground import UNDO_EVENTS, Ground, wrong_deliveries

Variant = Literal["rollback", "success", "delete"]
VARIANTS: tuple[Variant, ...] = ("rollback", "success", "delete")
EPOCH = 1_800_000_000_000
BEFORE = {
    "a1": "a",
    "b1": "a",
    "c1": "a",
    "a2": "a1",
    "b2": "b1",
    "d1": "a2 b2 c1",
    "d2": "d1",
    "e1": "d2",
    "last": "e1",
}
"""What each stone directly follows."""
MESSAGE = '<message id="M" name="ready"/>'
HELPER = line("helper", service("help", "mail"), before=MESSAGE, start='<messageEventDefinition messageRef="M"/>')
BRIEF = line("brief", '<manualTask id="nothing"/>')
REFERENCE = definitions(
    MESSAGE,
    process(
        "reference",
        '<startEvent id="begin"/><parallelGateway id="split"/><parallelGateway id="join"/><endEvent id="done"/>',
        service("a", "make"),
        service("a1", "make"),
        catch("wait", "<timerEventDefinition><timeDuration>PT0.02S</timeDuration></timerEventDefinition>"),
        service("a2", "make"),
        service("b1", "watch"),
        service("b2", "make"),
        service("c1", "stubborn"),
        service("d1", "make"),
        '<intermediateThrowEvent id="tell"><messageEventDefinition messageRef="M"/></intermediateThrowEvent>',
        service("d2", "mail"),
        service("e1", "make"),
        service("last", "break", {"fails": "${parameters.fails}"}),
        *(flow(*pair.split()) for pair in ("begin a", "a split", "split a1", "split b1", "split c1", "a1 wait")),
        *(flow(*pair.split()) for pair in ("wait a2", "a2 join", "b1 b2", "b2 join", "c1 join", "join d1")),
        *(flow(*pair.split()) for pair in ("d1 tell", "tell d2", "d2 e1", "e1 last", "last done")),
    ),
)


def play(url: str, ground: Ground, variant: Variant, *, threads: bool, life: int) -> None:
    """Have the process come to rest on this store, from wherever a life before this one has left it."""
    clock = Clock() if threads else VirtualClock(EPOCH + life * 3_600_000)
    dispatcher: Literal["threads", "inline"] = "threads" if threads else "inline"
    with Engine(url, stones=ground.stones(), dispatcher=dispatcher, clock=clock, threads=4) as engine:
        for source in (HELPER, BRIEF, REFERENCE):
            engine.deploy(source)
        number = engine.start(
            key="reference",
            name="reference",
            variables={"fails": variant == "rollback"},
            idempotency_key="once",
        ).process_instance_id
        engine.wait(number, 30)
        if variant == "delete":
            # A life before this one may have come as far as to protect it from the purge.
            engine.protect(number, False)
            engine.delete(number)
            engine.wait(number, 30)
        # Something for a purge, from which the rest is kept.
        engine.start(key="brief", name="brief", idempotency_key="brief")
        engine.protect(number)
        engine.purge(0)
        deadline = time.monotonic() + 60
        while not (helpers := engine.instances(key="helper").items) and time.monotonic() < deadline:
            engine.run_pending() if not threads else time.sleep(0.005)
        for helper in helpers:
            engine.wait(helper.process_instance_id, 30)


def told(url: str, ground: Ground) -> dict[str, Any]:
    """What has become of it: everything that must not depend on how often the engine died."""
    with Engine(url, stones=ground.stones(), passive=True) as engine:
        made = sorted(engine.instances(limit=99).items, key=lambda instance: int(instance.process_instance_id))
        processes = [
            {
                "key": instance.key if instance.kind == "start" else instance.kind,
                "status": instance.status,
                "outputs": instance.native_output_values,
                "tasks": sorted(
                    f"{task.namespace} {task.status} {task.undo}" for task in engine.tasks(instance.process_instance_id)
                ),
            }
            for instance in made
        ]
    lines = ground.lines()
    return {
        "processes": sorted(processes, key=lambda found: str(found["key"])),
        "exists": sorted(ground.things().values()),
        "called": dict(sorted(Counter(f"{namespace} {event}" for namespace, event in called(lines)).items())),
        "wrong": wrong_deliveries(lines) + wrong_order(lines),
    }


def called(lines: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """Which hooks were called at all."""
    return {(line["namespace"], line["event"]) for line in lines}


def wrong_order(lines: list[dict[str, Any]]) -> list[str]:
    """Each stone that was undone before what followed it was."""
    wrong: list[str] = []
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    # The stubborn one is undone after its first attempt too, by its own task.
    own = {call["task"] for call in lines if call["event"] not in UNDO_EVENTS}
    for number, call in enumerate(lines):
        if call["event"] in UNDO_EVENTS and call["task"] not in own:
            first.setdefault(call["namespace"], number)
            last[call["namespace"]] = number
    for after in BEFORE:
        for before in followed(after):
            if before in first and after in first and first[before] < last[after]:
                wrong.append(f"{before} was undone before {after}")
    return wrong


def followed(namespace: str) -> set[str]:
    """All that comes before a stone."""
    direct = set(BEFORE.get(namespace, "").split())
    return direct.union(*(followed(each) for each in direct))
