"""One process that has done very much, and one that holds very much: what its next step takes, beside a small one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from riverstone.engine import Engine, Limits
from riverstone.engine.instance.instance import Instance
from riverstone.engine.steps.repair.repairing import set_variables

from ..features.sketch import catch, definitions, flow, process, service
from .bench import Bench
from .diagrams import waiting
from .measure import alternate
from .stones import stones
from .table import Row, milliseconds

ASKED = 20
TURN = 0.002
SET = 0.0005
REOPENED = 0.02
"""Seconds of the processor."""


def long(turns: int) -> bytes:
    """So many turns of a loop, then one more stone for each message."""
    loop = f'<standardLoopCharacteristics loopMaximum="{turns}"/>'
    return definitions(
        '<message id="m" name="more"/>',
        process(
            f"long{turns}",
            '<startEvent id="s"/><exclusiveGateway id="g"/>',
            service("all", "count", inside=loop),
            catch("c", '<messageEventDefinition messageRef="m"/>'),
            service("one", "count"),
            *(flow(*each) for each in (("s", "all"), ("all", "g"), ("g", "c"), ("c", "one"), ("one", "g"))),
        ),
    )


def measure(bench: Bench) -> Iterator[Row]:
    """CPU of a message that makes one more row (two steps and the record), and of a variable that is set."""
    sizes = {"short": bench.size(200, 10), "long": bench.size(50_000, 150)}
    url = f"sqlite:///{bench.folder / 'long.db'}"
    with closing(_engine(url)) as one, closing(_engine(url)) as other:
        numbers = {}
        for name, turns in sizes.items():
            one.deploy(long(turns))
            numbers[name] = one.start(key=f"long{turns}", name=name).process_instance_id
        yield _compared(bench, "a message, one engine", [one], numbers)
        yield _compared(bench, "a message, two engines in turn", [one, other], numbers)
    reopened = alternate({name: (partial(_reopened, url, number), 1) for name, number in numbers.items()}, bench.rounds)
    yield _row("an engine is opened, and a message", reopened["short"].cpu, reopened["long"].cpu, REOPENED)
    yield from _variables(bench)


def _engine(url: str) -> Engine:
    return Engine(url, stones=stones, dispatcher="inline", limits=Limits(steps_per_turn=10**9), passive=True)


def _compared(bench: Bench, work: str, engines: list[Engine], numbers: dict[str, str]) -> Row:
    def messages(number: str) -> None:
        for turn in range(ASKED):
            engines[turn % len(engines)].message("more", process_instance_id=number)

    taken = alternate({name: (partial(messages, n), ASKED) for name, n in numbers.items()}, bench.rounds)
    return _row(work, taken["short"].cpu, taken["long"].cpu, 3 * TURN)


def _reopened(url: str, number: str) -> None:
    with closing(_engine(url)) as engine:
        engine.message("more", process_instance_id=number)


def _variables(bench: Bench) -> Iterator[Row]:
    with closing(bench.engine("variables")) as engine:
        deployment_id = engine.deploy(waiting(1)).deployment_id
        sizes = {"few": 1, "many": bench.size(900, 10)}
        numbers = {
            name: engine.start(
                deployment_id=deployment_id, name=name, variables={f"v{each}": "x" * 1_000 for each in range(count)}
            ).process_instance_id
            for name, count in sizes.items()
        }

        def sets(number: str) -> None:
            for turn in range(ASKED):
                engine._asked("set-variables", int(number), partial(_set, turn))

        taken = alternate({name: (partial(sets, n), ASKED) for name, n in numbers.items()}, bench.rounds)
        yield _row("a variable beside 1 MB of others", taken["few"].cpu, taken["many"].cpu, SET)


def _set(turn: int, instance: Instance) -> None:
    set_variables(instance, {"one": turn}, None)


def _row(work: str, few: float, many: float, most: float) -> Row:
    ratio = f"{many / few:.2f}" if few else ""
    beside = f"{milliseconds(few)} of a small one"
    return Row(work, f"{milliseconds(many)} CPU", beside, ratio, f"<= {milliseconds(most)}", many <= most)
