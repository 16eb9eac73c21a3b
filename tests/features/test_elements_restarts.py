"""A process that is torn from its engine at every step goes the way of one that nobody disturbs."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from .elements import Stage, boundary, catch, end, model, on_event, runs, script, signal, sub, throw, timer, user, work

NAMES = '<signal id="S" name="S"/><error id="E" errorCode="E"/>'
INNER = model(
    '<startEvent id="s"/><parallelGateway id="g"/><parallelGateway id="j"/>' + work("ia") + work("ib") + end("e"),
    "s -> g",
    "g -> ia -> j",
    "g -> ib -> j",
    "j -> e",
    key="inner",
)
LONGEST = 40
"""Seconds after which every model has come to its end."""


@dataclass
class Drawing:
    """The elements and flows of one scope; ids are shared with the scopes inside."""

    ids: Any = field(default_factory=count)
    body: list[str] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)

    def id(self, kind: str) -> str:
        return f"{kind}{next(self.ids)}"

    def put(self, element: str) -> None:
        self.body.append(element)

    def inner(self) -> Drawing:
        return Drawing(self.ids)

    def whole(self) -> str:
        return "".join(self.body)


Block = Callable[[Drawing, str], str]
"""Draws itself behind a node; returns the node where it ends."""


def leaf(kind: str) -> Block:
    def draw(drawing: Drawing, before: str) -> str:
        node = drawing.id(kind)
        made = {
            "w": work(node),
            "c": script(node),
            "u": user(node),
            "t": catch(node, timer("PT2S")),
            "k": f'<callActivity id="{node}" calledElement="inner"/>',
            "l": work(node, '<standardLoopCharacteristics loopMaximum="2"/>'),
            "m": work(node, runs("3")),
            "q": work(node, runs("2", sequential=True)),
            "x": throw(node, signal("S")),
            "o": throw(node, "<compensateEventDefinition/>"),
        }
        drawing.put(made[kind])
        if kind == "w":
            back = f"un{node}"
            drawing.put(boundary(f"b{node}", node, "<compensateEventDefinition/>"))
            drawing.put(work(back, isForCompensation="true"))
            ends = f'sourceRef="b{node}" targetRef="{back}"'
            drawing.put(f'<association id="a{node}" associationDirection="One" {ends}/>')
        drawing.flows.append(f"{before} -> {node}")
        return node

    return draw


def sequence(blocks: list[Block]) -> Block:
    def draw(drawing: Drawing, before: str) -> str:
        for block in blocks:
            before = block(drawing, before)
        return before

    return draw


def split(kind: str, blocks: list[Block]) -> Block:
    def draw(drawing: Drawing, before: str) -> str:
        fork, join = drawing.id("g"), drawing.id("g")
        drawing.put(f'<{kind}Gateway id="{fork}"/><{kind}Gateway id="{join}"/>')
        drawing.flows.append(f"{before} -> {fork}")
        for number, block in enumerate(blocks):
            # A task of its own begins each branch, so that no two flows join the same nodes.
            first = drawing.id("w")
            drawing.put(work(first))
            chosen = "" if kind == "parallel" else f" ? n >= {number}" if kind == "inclusive" else f" ? n == {number}"
            drawing.flows.append(f"{fork} -> {first}{chosen}")
            drawing.flows.append(f"{block(drawing, first)} -> {join}")
        return join

    return draw


def scoped(kind: str, block: Block) -> Block:
    """A sub-process: plain, repeated, or with an event on its border or inside."""

    def draw(drawing: Drawing, before: str) -> str:
        node, begin, done, inner = drawing.id("s"), drawing.id("i"), drawing.id("e"), drawing.inner()
        inner.put(f'<startEvent id="{begin}"/>')
        inner.flows.append(f"{block(inner, begin)} -> {done}")
        inner.put(end(done))
        if kind in ("handler", "listener"):
            handler, task, last = drawing.id("h"), drawing.id("w"), drawing.id("e")
            path = f"s{handler} -> {task} -> {last}"
            start = timer("PT3S") if kind == "handler" else signal("S")
            interrupting = kind == "handler"
            inner.put(on_event(handler, start, work(task) + end(last), path, interrupting=interrupting))
        marker = {"parallel": runs("2"), "sequential": runs("2", sequential=True)}.get(kind, "")
        drawing.put(sub(node, inner.whole(), *inner.flows, inside=marker))
        drawing.flows.append(f"{before} -> {node}")
        if kind in ("deadline", "reminder"):
            event, task, join = drawing.id("b"), drawing.id("w"), drawing.id("g")
            drawing.put(boundary(event, node, timer("PT3S"), interrupting=kind == "deadline"))
            drawing.put(work(task) + f'<inclusiveGateway id="{join}"/>')
            drawing.flows += [f"{event} -> {task} -> {join}", f"{node} -> {join}"]
            return join
        return node

    return draw


GATEWAYS = ("parallel", "exclusive", "inclusive")
SCOPES = ("plain", "parallel", "sequential", "handler", "listener", "deadline", "reminder")

blocks = st.recursive(
    st.sampled_from("wcutklmqxo").map(leaf),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(sequence),
        st.builds(split, st.sampled_from(GATEWAYS), st.lists(inner, min_size=3, max_size=3)),
        st.builds(scoped, st.sampled_from(SCOPES), inner),
    ),
    max_leaves=7,
)


def told(stage: Stage, source: bytes, n: int) -> dict[str, Any]:
    """What became of the process: its end, its log, and which tasks followed which."""
    stage.start(source, INNER, n=n)
    for _ in range(LONGEST):
        while stage.status == "running" and stage.open:
            stage.complete(stage.open[0])
        if stage.status != "running":
            break
        stage.advance(1)
    tasks = stage.engine.tasks(stage.number)
    named = {task.task_id: task.namespace for task in tasks}
    followed = Counter(
        (task.namespace, task.status, task.undo, *sorted(named[before] for before in task.after)) for task in tasks
    )
    return {"status": stage.status, "reason": stage.reason, "log": Counter(stage.log), "followed": followed}


@settings(max_examples=25)
@given(blocks, st.integers(0, 2))
def test_a_random_process_ends_the_same_with_and_without_restarts(block: Block, n: int) -> None:
    drawing = Drawing()
    drawing.put('<startEvent id="s"/>')
    drawing.flows.append(f"{block(drawing, 's')} -> e")
    drawing.put(end("e"))
    source = model(drawing.whole(), *drawing.flows, before=NAMES)
    undisturbed = Stage()
    try:
        wanted = told(undisturbed, source, n)
    finally:
        undisturbed.close()
    with tempfile.TemporaryDirectory() as folder:
        restarting = Stage(Path(folder))
        try:
            found = told(restarting, source, n)
        finally:
            restarting.close()
    assert found == wanted
