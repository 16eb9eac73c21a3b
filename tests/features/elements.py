"""A stage for models: they run with a log, a clock that is moved by hand, and if wanted a restart after every step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from riverstone.engine import BpmnError, Deployment, Engine, Limits, TaskInfo, VirtualClock
from riverstone.engine.dispatch.inline import InlineDispatcher
from riverstone.engine.stones.stone import stone_of_function
from riverstone.engine.work import Work

from .sketch import HEAD

BEGIN = 1_800_000_000_000
MOST_STEPS = 5_000

FLOW = re.compile(r"\s*(?P<path>[^?]+?)\s*(?:\?\s*(?P<condition>.+?)\s*)?$")


def flows(*lines: str) -> str:
    """Sequence flows: ``a -> b -> c``, the last of a line with a condition in ``a -> b ? x > 1``."""
    drawn: list[str] = []
    for line in lines:
        found = FLOW.match(line)
        assert found is not None
        nodes = [node.strip() for node in found["path"].split("->")]
        for source, target in pairwise(nodes):
            condition = found["condition"] if target == nodes[-1] else None
            inside = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
            ends = f'sourceRef="{source}" targetRef="{target}"'
            drawn.append(f'<sequenceFlow id="{source}.{target}" {ends}>{inside}</sequenceFlow>')
    return "".join(drawn)


LATER = ("association", "completionCondition")


def ordered(body: str) -> str:
    """The same elements in the schema's order: associations after flows, a completion condition last."""
    parts = list(etree.fromstring(f"{HEAD}{body}</definitions>"))
    names = [etree.QName(part).localname for part in parts]
    order = sorted(range(len(parts)), key=lambda place: LATER.index(names[place]) + 1 if names[place] in LATER else 0)
    return "".join(etree.tostring(parts[place], encoding="unicode") for place in order)


def model(body: str, *lines: str, key: str = "p", before: str = "") -> bytes:
    """A file with one process of these elements and flows; ``before`` holds messages, signals, errors."""
    inside = ordered(body + flows(*lines))
    return f'{HEAD}{before}<process id="{key}" isExecutable="true">{inside}</process></definitions>'.encode()


def sub(node: str, body: str, *lines: str, tag: str = "subProcess", inside: str = "", **attributes: str) -> str:
    """A sub-process of these elements and flows; a name is added where the attributes want one."""
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<{tag} id="{node}"{more}>{inside}{ordered(body + flows(*lines))}</{tag}>'


def on_event(node: str, start: str, body: str, *lines: str, interrupting: bool = True) -> str:
    """An event sub-process; its start event is called like itself with an ``s`` in front."""
    begin = f'<startEvent id="s{node}" isInterrupting="{str(interrupting).lower()}">{start}</startEvent>'
    return sub(node, begin + body, *lines, triggeredByEvent="true")


def boundary(node: str, host: str, definition: str, *, interrupting: bool = True) -> str:
    """An event on the border of an activity."""
    cancels = str(interrupting).lower()
    return f'<boundaryEvent id="{node}" attachedToRef="{host}" cancelActivity="{cancels}">{definition}</boundaryEvent>'


def script(node: str, text: str | None = None, inside: str = "") -> str:
    """A script task; without a text it logs its own id."""
    return f'<scriptTask id="{node}">{inside}<script>{escape(text or f"log({node!r})")}</script></scriptTask>'


def work(node: str, inside: str = "", **attributes: str) -> str:
    """A task whose stone logs the id of the node."""
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<serviceTask id="{node}" camunda:type="external" camunda:topic="log"{more}>{inside}</serviceTask>'


def user(node: str, inside: str = "", **attributes: str) -> str:
    """A task that waits to be completed by hand."""
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<userTask id="{node}"{more}>{inside}</userTask>'


def runs(count: str, *, sequential: bool = False, inside: str = "", **attributes: str) -> str:
    """The multi-instance marker of an activity."""
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return (
        f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"{more}>'
        f"<loopCardinality>{escape(count)}</loopCardinality>{inside}</multiInstanceLoopCharacteristics>"
    )


def timer(text: str, kind: str = "Duration") -> str:
    """A timer's definition, for a duration, a date or a cycle."""
    return f"<timerEventDefinition><time{kind}>{escape(text)}</time{kind}></timerEventDefinition>"


def signal(name: str) -> str:
    """A signal's definition."""
    return f'<signalEventDefinition signalRef="{name}"/>'


def message(name: str) -> str:
    """A message's definition."""
    return f'<messageEventDefinition messageRef="{name}"/>'


def condition(text: str) -> str:
    """A conditional event's definition."""
    return f"<conditionalEventDefinition><condition>{escape(text)}</condition></conditionalEventDefinition>"


def catch(node: str, definition: str, **attributes: str) -> str:
    """An intermediate event that waits."""
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<intermediateCatchEvent id="{node}"{more}>{definition}</intermediateCatchEvent>'


def throw(node: str, definition: str) -> str:
    """An intermediate event that sends."""
    return f'<intermediateThrowEvent id="{node}">{definition}</intermediateThrowEvent>'


def end(node: str, definition: str = "") -> str:
    """An end event."""
    return f'<endEvent id="{node}">{definition}</endEvent>'


START = '<startEvent id="s"/>'


class OneAtATime(InlineDispatcher):
    """Carries out no more tasks than it is allowed to."""

    allowed = 0

    def _next(self) -> Work | None:
        if not self.allowed:
            return None
        work = super()._next()
        if work is not None:
            self.allowed -= 1
        return work


class Stage:
    """An engine and the one process that is watched; with a ``folder`` it is closed and opened again at every step."""

    def __init__(self, folder: Path | None = None) -> None:
        self.url = "sqlite:///:memory:" if folder is None else f"sqlite:///{folder}/stage.db"
        self.restarts = folder is not None
        self.clock = VirtualClock(BEGIN)
        self.log: list[Any] = []
        self.dispatcher = OneAtATime()
        self.engine = self._opened()
        self.number = ""

    def _opened(self) -> Engine:
        def fail(code: str) -> None:
            raise BpmnError(code, "thrown by a script")

        def start(task: TaskInfo) -> None:
            self.log.append(task.namespace)
            task.add_output("ran", task.namespace)

        self.dispatcher = OneAtATime()
        functions: dict[str, Callable[..., Any]] = {"log": self.log.append, "fail": fail}
        return Engine(
            self.url,
            stones=[stone_of_function("log", start, {})],
            dispatcher=self.dispatcher,
            clock=self.clock,
            scripts="trusted",
            functions=functions,
            limits=Limits(steps_per_turn=20_000),
        )

    def _settle(self) -> Stage:
        """Do all that can be done now, one task at a time."""
        for _ in range(MOST_STEPS):
            if self.restarts:
                self.engine.close()
                self.engine = self._opened()
            self.dispatcher.allowed = 1 if self.restarts else MOST_STEPS
            if not self.engine.run_pending():
                return self
        raise AssertionError("it never comes to rest")

    def deploy(self, *sources: bytes) -> Deployment:
        """Deploy the files together."""
        return self.engine.deploy(sources[0], *sources[1:])

    def start(self, *sources: bytes, key: str = "p", **variables: Any) -> Stage:
        """Deploy the files, if there are any, and start the process that is watched."""
        if sources:
            self.deploy(*sources)
        self.number = self.engine.start(key=key, name="play", variables=variables, rollback=False).process_instance_id
        return self._settle()

    def watch(self, number: str) -> Stage:
        """Watch another process instance."""
        self.number = number
        return self

    def complete(self, node: str, **outputs: Any) -> Stage:
        """Complete the oldest open task of this node."""
        found = [task for task in self.engine.tasks(self.number) if task.element_id == node and task.end_time is None]
        self.engine.complete(found[0].task_id, outputs)
        return self._settle()

    def message(self, name: str, **payload: Any) -> Stage:
        """Send a message."""
        number = self.engine.message(name, payload).process_instance_id
        self.number = self.number or number
        return self._settle()

    def signal(self, name: str, **payload: Any) -> Stage:
        """Send a signal."""
        self.engine.signal(name, payload)
        return self._settle()

    def advance(self, seconds: float) -> Stage:
        """Let time pass, second by second."""
        left = seconds
        while left > 0:
            self.clock.advance(min(1.0, left))
            left -= 1.0
            self._settle()
        return self

    @property
    def status(self) -> str:
        """The status of the watched process."""
        return self.engine.get(self.number).status

    @property
    def reason(self) -> str:
        """Why it failed."""
        return self.engine.get(self.number).reason or ""

    @property
    def open(self) -> list[str]:
        """The nodes of the tasks that wait to be completed, sorted."""
        tasks = self.engine.tasks(self.number)
        return sorted(task.element_id for task in tasks if task.stone is None and task.end_time is None)

    def close(self) -> None:
        """Close the engine."""
        self.engine.close()


def stages(folder: Path, restarts: bool) -> Iterator[Stage]:
    """A stage that is closed in the end."""
    stage = Stage(folder if restarts else None)
    yield stage
    stage.close()
