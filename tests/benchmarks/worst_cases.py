"""The worst that models, their data and calls were found to ask of the thread that steps every process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from riverstone.engine import Engine

from ..security.attacks import RUNAWAYS, around, circle, turning
from . import diagrams
from .worst_models import (
    CAUGHT,
    DECIDING,
    NOWHERE,
    PERSON,
    SIGNAL,
    TASK,
    TERMINATING,
    THING,
    THROWN,
    WATCHED,
    beside_a_person,
    caught_beside,
    chained,
    compensated,
    copying,
    in_a_row,
    nested,
    ring,
    sent_on,
    setting,
    sub,
    table,
    times,
)

Act = Callable[[], object]
Model = Callable[[int], bytes]
Case = Callable[[Engine, int], Act]
"""Makes ready, by sizes divided by its second argument, and gives the call that is measured."""
NUMBERS = {"list": list(range(40_000)), "big": "x" * 800_000}


def _over(engine: Engine, number: str) -> None:
    """Wait until a process has ended, its undo too."""
    while engine.wait(number, timeout=600).status.endswith(".begin"):
        time.sleep(0.01)


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(0.1)


def _begun(engine: Engine, model: bytes, given: Mapping[str, Any] | None = None, **templates: Any) -> Callable[[], str]:
    deployment_id = engine.deploy(model, **templates).deployment_id
    return lambda: engine.start(deployment_id=deployment_id, name="worst", variables=given or {}).process_instance_id


def runs(model: Model, given: Mapping[str, Any] | None = None, decisions: Model | None = None) -> Case:
    """A process is started, which goes on by itself until it ends."""

    def prepare(engine: Engine, less: int) -> Act:
        files = [] if decisions is None else [decisions(less)]
        deployment_id = engine.deploy(model(less), *files).deployment_id

        def act() -> None:
            started = engine.start(deployment_id=deployment_id, name="worst", variables=given or {})
            _over(engine, started.process_instance_id)

        return act

    return prepare


def _people(engine: Engine, number: str) -> list[str]:
    return [task.task_id for task in engine.tasks(number, state="open") if task.stone is None]


def _waiting(engine: Engine, model: bytes, people: int = 1) -> tuple[str, list[str]]:
    """A process that waits for so many people, and their tasks."""
    number = _begun(engine, model)()
    _until(lambda: len(_people(engine, number)) >= people)
    return number, _people(engine, number)


def answered(model: Model, people: int = 1, tokens: int = 0) -> Case:
    """The last of so many people answers, while so many tokens wait; the process goes on by itself until it ends."""

    def prepare(engine: Engine, less: int) -> Act:
        number, asked = _waiting(engine, model(less), max(1, people // less))
        _until(lambda: sum(bool(token.waits) for token in engine.tokens(number)) >= tokens // less)
        (last,) = [task.task_id for task in engine.tasks(number) if task.element_id == "p"] or asked[-1:]

        def act() -> None:
            engine.complete(last)
            _over(engine, number)

        return act

    return prepare


def undone(model: Model, kind: Literal["cancel", "delete"]) -> Case:
    """What a process made that waits for a person is undone."""

    def prepare(engine: Engine, less: int) -> Act:
        number, (asked,) = _waiting(engine, model(less))
        if kind == "delete":
            engine.complete(asked)
            _over(engine, number)

        def act() -> None:
            getattr(engine, kind)(number)
            _over(engine, number)

        return act

    return prepare


def signalled(model: Model, processes: int, tokens: int) -> Case:
    """A signal comes to so many processes with so many tokens each that wait for it."""

    def prepare(engine: Engine, less: int) -> Act:
        start = _begun(engine, model(less))
        for _ in range(max(1, processes // less)):
            number = start()
        _until(lambda: sum(bool(token.waits) for token in engine.tokens(number)) >= max(1, tokens // less))

        def act() -> None:
            engine.signal("x")
            _until(lambda: not engine.instances(status="running", key="attack", limit=1).items)

        return act

    return prepare


def previewed(engine: Engine, less: int) -> Act:
    """Somebody looks at what a cancel would do."""
    number, _ = _waiting(engine, two_bunches(less))
    return lambda: engine.preview(number, "cancel")


def defaults_in_a_chain(engine: Engine, less: int) -> Act:
    """Defaults of start variables that refer to each other."""
    count = 12_000 // less
    template = [{"Key": f"k{n}", "DefaultValue": f"Ref:k{n + 1}"} for n in range(count)]
    start = _begun(
        engine, around('<task id="m"/>'), parameter_template=[*template, {"Key": f"k{count}", "DefaultValue": "1"}]
    )
    return lambda: _over(engine, start())


def secrets_shown(engine: Engine, less: int) -> Act:
    """Very many secrets, looked for in all that is shown."""
    values = [f"secret-{number:06}" for number in range(35_000 // less)]
    template = [{"Key": "keys", "Type": "List", "NoEcho": True}, {"Key": "text"}]
    given = {"keys": values, "text": " ".join(values[:10_000])}
    number = _begun(engine, around('<task id="m"/>'), given, parameter_template=template)()
    return lambda: engine.get(number)


def outputs_multiplied(engine: Engine, less: int) -> Act:
    """A template of outputs that makes very many copies of a large variable."""
    outputs = [{"Key": f"k{n}", "Value": "${big}"} for n in range(240 // less)]
    start = _begun(engine, around('<task id="m"/>'), NUMBERS, outputs_template=outputs)
    return lambda: _over(engine, start())


def deployed(engine: Engine, less: int) -> Act:
    """A model as large as models may be is deployed."""
    return lambda: engine.deploy(diagrams.sequence(1_900 // less))


def shown(engine: Engine, less: int) -> Act:
    """All of a wide process is looked at."""
    number, _ = _waiting(engine, people_beside_each_other(less), 10_000 // less)
    return lambda: (engine.tasks(number), engine.why(number), engine.picture(number))


def read_back(engine: Engine, less: int) -> Act:
    """A wide process that is in no memory any more goes on."""
    number, asked = _waiting(engine, people_beside_each_other(less), 10_000 // less)
    engine._river.forget([int(number)])
    return lambda: engine.complete(asked[0])


def people_beside_each_other(less: int) -> bytes:
    return in_a_row(times(PERSON.format("m"), 10_000 // less))


def two_bunches(less: int) -> bytes:
    return in_a_row(*(times(THING.format(name), 4_000 // less) for name in "mn"), PERSON.format("p"))


def in_sequence(less: int) -> bytes:
    return diagrams.to_undo("in sequence", 5_000 // less, fails=False)


def side_by_side(less: int) -> bytes:
    return diagrams.to_undo("side by side", 5_000 // less, fails=False)


SUMS = "${" + " and ".join(["sum(list) >= 0"] * 50) + "}"
SORTS = "=sort(list, function(a, b) a &gt; b)[1] != null"
LOOP = '<task id="m"><standardLoopCharacteristics loopMaximum="{}"/></task>'
CASES: dict[str, Case] = {
    "a circle without end": runs(lambda less: circle()),
    "two tokens for each, again and again": runs(lambda less: RUNAWAYS["two tokens for each, 600 times"][0]),
    "a loop of 40,000 turns": runs(lambda less: around(LOOP.format(40_000 // less))),
    "10,000 runs that do nothing": runs(lambda less: in_a_row(times(TASK, 10_000 // less))),
    "10,000 in turn": runs(lambda less: in_a_row(times(TASK, 10_000 // less, in_turn=True))),
    "5,000 runs of a sub-process": runs(lambda less: in_a_row(sub('<task id="t"/>', 5_000 // less))),
    "10,000 stones at once": runs(lambda less: in_a_row(times(THING.format("m"), 10_000 // less))),
    "180 sub-processes inside of each other": runs(lambda less: nested(180 // min(less, 10))),
    "40 inclusive gateways in a ring": runs(lambda less: ring(40 // min(less, 10))),
    "sums of long lists, in a circle": runs(lambda less: turning(SUMS), NUMBERS),
    "long texts, in a circle": runs(lambda less: turning("${!contains(big, 'zz')}"), NUMBERS),
    "one expression that sorts": runs(lambda less: around(TASK, condition=SORTS), NUMBERS),
    "one expression that matches": runs(lambda less: around(TASK, condition='=matches(big, "(x+x+)+y")'), NUMBERS),
    "a decision of 5,000 rules": runs(lambda less: DECIDING, {"x": 1}, lambda less: table(5_000 // less)),
    "1,000 decisions in a chain": runs(lambda less: DECIDING, None, lambda less: chained(1_000 // less)),
    "5,000 watch a variable that changes": answered(
        lambda less: beside_a_person(sub(WATCHED, 5_000 // less), setting("v", "${3}", node="w")), tokens=5_000
    ),
    "a signal to 5,000 tokens of one": signalled(
        lambda less: in_a_row(sub(CAUGHT.format("c"), 5_000 // less), before=SIGNAL), 1, 5_000
    ),
    "a signal to 10,000 tokens of one": signalled(lambda less: caught_beside(5_000 // less), 1, 10_000),
    "a signal that 5,000 beside catch": answered(
        lambda less: beside_a_person(sub(CAUGHT.format("c"), 5_000 // less), THROWN, before=SIGNAL), tokens=5_000
    ),
    "a signal to 5,000 processes": signalled(lambda less: in_a_row(CAUGHT.format("m"), before=SIGNAL), 5_000, 1),
    "5,000 runs compensated": answered(lambda less: compensated(5_000 // less)),
    "20,000 tokens sent on by one activity": answered(lambda less: sent_on(20_000 // less)),
    "10,000 open tasks ended at once": answered(
        lambda less: beside_a_person(times(PERSON.format("m"), 10_000 // less), TERMINATING), 10_000
    ),
    "a failure beside 10,000 open tasks": answered(
        lambda less: beside_a_person(times(PERSON.format("m"), 10_000 // less), NOWHERE), 10_000
    ),
    "two bunches of 4,000 cancelled": undone(two_bunches, "cancel"),
    "two bunches of 4,000 looked at": previewed,
    "5,000 in sequence cancelled": undone(in_sequence, "cancel"),
    "5,000 in sequence deleted": undone(in_sequence, "delete"),
    "5,000 side by side deleted": undone(side_by_side, "delete"),
    "1,500 inputs of 800 kB": runs(lambda less: around(copying(1_500)), NUMBERS),
    "200 MB of outputs": outputs_multiplied,
    "12,000 defaults in a chain": defaults_in_a_chain,
    "35,000 secrets shown": secrets_shown,
    "a model of 1,900 nodes deployed": deployed,
    "10,000 open tasks shown": shown,
    "10,000 tasks read back": read_back,
}
