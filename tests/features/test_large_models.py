"""Models far larger than any that a person draws run to their end, and so do long loops."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from riverstone.engine import Engine, Limits, Stone, TaskInfo, ThreadsDispatcher

from .sketch import definitions, flow, line, process, runs, service


class Count(Stone):
    """Puts out one."""

    code = "count"

    def start(self, task: TaskInfo) -> None:
        task.add_output("n", 1)


@pytest.fixture(params=["inline", "threads"])
def engine(request: pytest.FixtureRequest, sqlite: str) -> Iterator[Engine]:
    dispatcher: Literal["inline", "threads"] = request.param
    with Engine(sqlite, stones=[Count], dispatcher=dispatcher) as engine:
        yield engine


def ended(engine: Engine, model: bytes, key: str = "large") -> list[str]:
    """Run it; the namespaces of its tasks, each of which must have been a success."""
    engine.deploy(model)
    instance = engine.wait(engine.start(key=key, name="test").process_instance_id, timeout=60)
    assert (instance.status, instance.reason) == ("success", None)
    tasks = engine.tasks(instance.process_instance_id)
    assert {task.status for task in tasks} == {"start.success"}
    return [task.namespace for task in tasks]


def test_300_nodes_in_a_row(engine: Engine) -> None:
    names = [f"n{number}" for number in range(300)]

    assert ended(engine, line("large", *(service(name, "count") for name in names))) == names


def test_100_branches_at_once(engine: Engine) -> None:
    names = [f"n{number}" for number in range(100)]
    model = definitions(
        process(
            "large",
            '<startEvent id="begin"/><parallelGateway id="split"/><parallelGateway id="join"/><endEvent id="done"/>',
            *(service(name, "count") for name in [*names, "last"]),
            flow("begin", "split"),
            *(flow("split", name) + flow(name, "join") for name in names),
            flow("join", "last"),
            flow("last", "done"),
        )
    )

    found = ended(engine, model)

    assert sorted(found[:-1]) == sorted(names)
    assert found[-1] == "last"


def test_14_parallel_blocks_in_a_row(engine: Engine) -> None:
    parts = ['<startEvent id="begin"/><endEvent id="done"/>']
    before = "begin"
    for block in range(14):
        split, join = f"split{block}", f"join{block}"
        parts.append(f'<parallelGateway id="{split}"/><parallelGateway id="{join}"/>{flow(before, split)}')
        for branch in "abc":
            name = f"{branch}{block}"
            parts += [service(name, "count"), flow(split, name), flow(name, join)]
        before = join
    model = definitions(process("large", *parts, flow(before, "done")))

    found = ended(engine, model)

    assert [{name[1:] for name in found[start : start + 3]} for start in range(0, 42, 3)] == [
        {str(block)} for block in range(14)
    ]


def test_a_loop_of_1000_turns(tmp_path: Path) -> None:
    loop = '<standardLoopCharacteristics loopMaximum="1000"/>'
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Count]) as engine:
        assert ended(engine, line("large", service("again", "count", inside=loop))) == ["again"] * 1000


def test_a_loop_of_1000_turns_through_a_gateway(tmp_path: Path) -> None:
    mapped = (
        '<extensionElements><camunda:inputOutput><camunda:outputParameter name="turn">${turn + n}'
        "</camunda:outputParameter></camunda:inputOutput></extensionElements>"
    )
    model = definitions(
        process(
            "large",
            '<startEvent id="begin"/><exclusiveGateway id="more" default="more_done"/><endEvent id="done"/>',
            service("again", "count", inside=mapped),
            flow("begin", "again"),
            flow("again", "more"),
            flow("more", "again", "${turn < 1000}"),
            flow("more", "done"),
        )
    )
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Count]) as engine:
        engine.deploy(model)
        started = engine.start(key="large", name="test", variables={"turn": 0}).process_instance_id
        assert engine.wait(started).status == "success"
        assert len(engine.tasks(started)) == 1000


@pytest.mark.parametrize("sequential", [False, True])
def test_a_node_that_runs_1000_times(tmp_path: Path, sequential: bool) -> None:
    marker = runs("1000", sequential=sequential)
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Count], dispatcher=ThreadsDispatcher(4)) as engine:
        found = ended(engine, line("large", service("slave-", "count", inside=marker)))

    assert sorted(found) == sorted(f"slave-{number}" for number in range(1, 1001))


def test_a_loop_that_never_ends_is_stopped_at_the_limit_by_name(tmp_path: Path) -> None:
    model = definitions(
        process(
            "large",
            '<startEvent id="begin"/><task id="again"/><exclusiveGateway id="more" default="more_again"/>',
            '<endEvent id="done"/>',
            flow("begin", "again"),
            flow("again", "more"),
            flow("more", "again"),
            flow("more", "done", "${1 > 2}"),
        )
    )
    with Engine(f"sqlite:///{tmp_path}/river.db", limits=Limits(steps_per_turn=5_000)) as engine:
        engine.deploy(model)
        stopped = engine.get(engine.start(key="large", name="test").process_instance_id)

    assert stopped.status == "failed"
    assert "steps_per_turn" in (stopped.reason or "")


def test_more_runs_than_the_limit_are_refused_by_name(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Count], limits=Limits(multi_instance=10)) as engine:
        engine.deploy(line("large", service("slave-", "count", inside=runs("${count}"))))
        refused = engine.get(engine.start(key="large", name="test", variables={"count": 11}).process_instance_id)
        allowed = engine.get(engine.start(key="large", name="test", variables={"count": "10"}).process_instance_id)

    assert refused.status == "failed"
    assert "multi_instance" in (refused.reason or "")
    assert allowed.status == "success"


@pytest.mark.parametrize("task", ["stone", "person"])
def test_inputs_that_multiply_are_weighed_before_they_are_made(tmp_path: Path, task: str) -> None:
    """1,500 inputs of one variable of 900 kB took 2.7 GB and ten seconds in which nobody else moved."""
    copies = "".join(f'<camunda:inputParameter name="i{n}">${{big}}</camunda:inputParameter>' for n in range(1_500))
    inside = f"<extensionElements><camunda:inputOutput>{copies}</camunda:inputOutput></extensionElements>"
    node = service("t", "count", inside=inside) if task == "stone" else f'<userTask id="t">{inside}</userTask>'
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Count]) as engine:
        engine.deploy(line("large", node))
        tracemalloc.start()
        ended = engine.start(key="large", name="test", variables={"big": "x" * 900_000}, rollback=False)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert (ended.status, "instance_size" in (ended.reason or "")) == ("failed", True)
    assert most < 100_000_000


def test_outputs_that_multiply_are_not_made(tmp_path: Path) -> None:
    """200 times all variables were an answer of 191 MB."""
    template = [{"Key": f"k{number}", "Value": "${parameters}"} for number in range(200)]
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Count]) as engine:
        engine.deploy(line("large", service("t", "count")), outputs_template=template)
        started = engine.start(key="large", name="test", variables={"big": "x" * 900_000})
        ended = engine.get(started.process_instance_id)

    assert (ended.status, ended.outputs) == ("success", None)
    assert "instance_size" in (ended.reason or "")
