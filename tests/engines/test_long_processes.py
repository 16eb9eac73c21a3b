"""Two engines step one long process in turn, each with no more of it in memory than its next step needs.

What comes of it is what comes of one engine that has all of it in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from typing import Any, ClassVar

import pytest

from riverstone.engine import Engine, Stone, TaskInfo, VirtualClock
from riverstone.engine.instance.instance import Instance
from riverstone.engine.ledger import window
from riverstone.engine.ledger.causality import LONG_AFTER
from riverstone.engine.ledger.window import Window
from riverstone.engine.river.river import River
from riverstone.engine.river.turn import Action
from riverstone.engine.steps.repair import rewind_request
from riverstone.engine.steps.repair.rewind_request import RewindRequest

from ..features.sketch import catch, definitions, flow, process, runs, service

MORE = catch("more", '<messageEventDefinition messageRef="m"/>')
ROUND = definitions(
    '<message id="m" name="more"/>',
    process(
        "round",
        '<startEvent id="begin"/><exclusiveGateway id="again"/><userTask id="beside"/>',
        service("broken", "add", {"to": "no number"}),
        MORE,
        service("first", "add", {"to": "${exists(outputs.last.sum) ? outputs.last.sum : 0}"}),
        service("last", "add", {"to": "${outputs.first.sum}"}),
        flow("begin", "beside"),
        flow("beside", "broken"),
        flow("begin", "again"),
        flow("again", "more"),
        flow("more", "first"),
        flow("first", "last"),
        flow("last", "again"),
    ),
)
"""A person's task that is open until something is to fail, beside a round of two tasks for each message."""
RUNS = definitions(
    process(
        "runs",
        '<startEvent id="begin"/><endEvent id="end"/>',
        f'<userTask id="each">{runs("9")}</userTask>',
        service("all", "add", {"to": "${1 - 1}"}),
        flow("begin", "each"),
        flow("each", "all"),
        flow("all", "end"),
    ),
)
MANY = definitions(
    '<message id="m" name="more"/>',
    process(
        "many",
        '<startEvent id="begin"/><userTask id="host"/>',
        '<boundaryEvent id="on" attachedToRef="host" cancelActivity="false">'
        '<messageEventDefinition messageRef="m"/></boundaryEvent>',
        service("each", "add", {"to": "${1 - 1}"}, runs("60")),
        service("more", "add", {"to": "${1 - 1}"}),
        flow("begin", "each"),
        flow("each", "host"),
        flow("on", "more"),
    ),
)
"""Sixty tasks, then one for each message that follows these sixty."""
TURNS = 9


class Add(Stone):
    """Puts out one more than it is given, and can take that back."""

    code = "add"
    outputs: ClassVar[dict[str, str]] = {"sum": "one more"}
    calls: ClassVar[list[Any]]

    def start(self, task: TaskInfo) -> None:
        self.calls.append((task.namespace, task.parameters["to"]))
        task.add_output("sum", task.parameters["to"] + 1)

    def rollback(self, task: TaskInfo) -> None:
        self.calls.append((task.event, task.namespace, task.outputs.get("sum", 0)))

    cancel = delete = rollback


def engines(url: str, count: int) -> Iterator[tuple[list[Engine], list[Any]]]:
    calls: list[Any] = []
    add = type("Adding", (Add,), {"calls": calls, "__doc__": Add.__doc__})
    clock = VirtualClock(1_800_000_000_000)
    made = [Engine(url, clock=clock, stones=[add], passive=number > 0) for number in range(count)]
    try:
        yield made, calls
    finally:
        for engine in reversed(made):
            engine.close()


def shown(engine: Engine, number: str) -> Any:
    """What there is of a process, without the numbers, which each engine takes from those that it has."""
    tasks, record = engine.tasks(number), engine.get(number)
    names = {task.task_id: (task.element_id, task.outputs.get("sum", 0)) for task in tasks}
    rows = [
        (*names[task.task_id], task.status, task.undo, sorted(names[each] for each in task.after)) for task in tasks
    ]
    return sorted(rows), record.status, record.native_outputs


def told(url: str, count: int, story: Callable[[Iterator[Engine], str], None], model: bytes, key: str) -> Any:
    """What comes of a story that ``count`` engines take turns in."""
    for made, calls in engines(url, count):
        made[0].deploy(model)
        number = made[0].start(key=key, name="it").process_instance_id
        story(cycle(made), number)
        return calls, shown(made[-1], number)


@pytest.fixture
def alike(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Compares two engines, for which a ledger is long when a few rows have ended, with one that has all of it.

    They read few of its rows in a turn.
    """

    def compare(story: Callable[[Iterator[Engine], str], None], model: bytes = ROUND, key: str = "round") -> Any:
        whole = told(url, 1, story, model, key)
        monkeypatch.setattr(window, "LEAST", 3)
        monkeypatch.setattr(window, "MOST_IN_A_TURN", 2)
        found = told(url, 2, story, model, key)
        assert found == whole
        return found

    return compare


def rounds(turns: Iterator[Engine], number: str) -> None:
    for _ in range(TURNS):
        next(turns).message("more", process_instance_id=number)


def test_each_step_sees_what_the_other_engine_has_put_out(alike: Callable[..., Any]) -> None:
    calls, _ = alike(rounds)
    assert calls[-1] == ("last", 2 * TURNS - 1)


def test_an_undo_takes_back_every_task_of_a_long_process_in_order(alike: Callable[..., Any]) -> None:
    def story(turns: Iterator[Engine], number: str) -> None:
        rounds(turns, number)
        next(turns).cancel(number)

    calls, (_, status, _) = alike(story)
    assert status == "cancel.success"
    undone = [call[2] for call in calls if call[0] == "cancel"]
    assert undone == list(range(2 * TURNS, 0, -1))


def fail(engine: Engine, number: str) -> None:
    asked = next(task for task in engine.tasks(number) if task.element_id == "beside")
    engine.complete(asked.task_id)


def test_what_fails_is_rolled_back_in_order_however_often_its_engine_forgets(
    alike: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first turns nothing is kept in memory, as where the engine dies after each."""
    begun: list[str] = []
    go_on = River.go_on

    def forgetful(river: River) -> bool:
        if river.unfinished and len(begun) < 3:
            (number,) = river.unfinished
            found = river.cache.peek(number)
            assert found is not None
            begun.append(found.row.phase)
            river.cache.clear()
        return go_on(river)

    monkeypatch.setattr(River, "go_on", forgetful)

    def story(turns: Iterator[Engine], number: str) -> None:
        rounds(turns, number)
        fail(next(turns), number)

    calls, (_, status, _) = alike(story)
    assert status == "rollback.success"
    undone = [call[2] for call in calls if call[0] == "rollback"]
    assert undone == [0, *range(2 * TURNS, 0, -1)]
    assert begun == ["draining"]


def test_the_ledger_is_read_in_turns_before_it_is_undone(
    alike: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int | None] = []
    read_on = Window.read_on

    def noted(rows: Window) -> int | None:
        read.append(read_on(rows))
        return read[-1]

    monkeypatch.setattr(Window, "read_on", noted)

    def failing(turns: Iterator[Engine], number: str) -> None:
        rounds(turns, number)
        fail(next(turns), number)

    def cancelled(turns: Iterator[Engine], number: str) -> None:
        rounds(turns, number)
        next(turns).cancel(number)
        # Whoever asks again has nothing read that is there.
        next(turns).cancel(number)

    for story in (failing, cancelled):
        read.clear()
        alike(story)
        turns = [each for each in read if each is not None]
        assert len(set(turns)) >= TURNS
        # One copy that was too old where the reading began, and one where it was asked for again.
        assert len(turns) <= len(set(turns)) + 2


def test_a_cancel_takes_back_what_another_engine_has_done_while_it_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "LEAST", 3)
    monkeypatch.setattr(window, "MOST_IN_A_TURN", 2)
    read_on, read = Window.read_on, 0

    def story(turns: Iterator[Engine], number: str) -> None:
        for _ in range(TURNS):
            one = next(turns)
            one.message("more", process_instance_id=number)
            other = next(turns)
        other.message("more", process_instance_id=number)

        def meanwhile(rows: Window) -> int | None:
            nonlocal read
            read += 1
            if read % 2 == 0 and read < 9:
                other.message("more", process_instance_id=number)
            return read_on(rows)

        monkeypatch.setattr(Window, "read_on", meanwhile)
        one.cancel(number)

    calls, (_, status, _) = told(url, 2, story, ROUND, "round")
    assert status == "cancel.success"
    made = [call[1] + 1 for call in calls if len(call) == 2]
    assert len(made) > 2 * TURNS + 2
    assert [call[2] for call in calls if call[0] == "cancel"] == made[::-1]


def test_a_rewind_goes_back_to_a_task_that_was_folded_long_ago(alike: Callable[..., Any]) -> None:
    def story(turns: Iterator[Engine], number: str) -> None:
        rounds(turns, number)
        tasks = [task for task in next(turns).tasks(number) if task.element_id == "first"]
        next(turns).rewind(number, tasks[2].task_id)
        rounds(turns, number)
        next(turns).cancel(number)

    calls, (_, status, _) = alike(story)
    assert status == "cancel.success"
    assert ("first", 4) in calls[2 * TURNS :]


def test_the_runs_of_a_task_that_ended_before_a_fold_are_joined(alike: Callable[..., Any]) -> None:
    def story(turns: Iterator[Engine], number: str) -> None:
        for _ in range(9):
            engine = next(turns)
            task = next(task for task in engine.tasks(number) if task.status == "running")
            next(turns).complete(task.task_id)

    _, (tasks, status, _) = alike(story, RUNS, "runs")
    assert status == "success"
    assert len(tasks[0][-1]) == 9


def test_what_many_tasks_followed_is_said_once_whichever_engine_begins_them(url: str) -> None:
    for engines_in_turn, _ in engines(url, 2):
        engines_in_turn[0].deploy(MANY)
        number = engines_in_turn[0].start(key="many", name="it").process_instance_id
        for engine in (*engines_in_turn, *engines_in_turn):
            engine.message("more", process_instance_id=number)
        followed = [row.after or "" for row in engines_in_turn[0]._store.tasks(int(number))]
        assert sum(len(text) >= LONG_AFTER for text in followed) == 1
        shown = [task.after for task in engines_in_turn[1].tasks(number) if task.element_id == "more"]
        assert [len(after) for after in shown] == [60] * 4


def test_a_step_that_another_engine_was_faster_with_is_done_again_on_what_is_there(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have a copy, of before and of after a fold."""
    monkeypatch.setattr(window, "LEAST", 3)
    for (one, other), calls in engines(url, 2):
        one.deploy(ROUND)
        number = one.start(key="round", name="it").process_instance_id
        other.protect(number, False)
        for _ in range(TURNS):
            one.message("more", process_instance_id=number)
        other.message("more", process_instance_id=number)
        one.message("more", process_instance_id=number)
        assert [given for _, given in calls] == list(range(2 * TURNS + 4))


def test_a_rewind_whose_way_back_is_found_in_a_turn_before(
    alike: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come between the two turns is undone as well, and a copy that is gone is no harm."""
    monkeypatch.setattr(rewind_request, "MANY", 2)
    prepare = RewindRequest.prepare
    found: list[bool] = []

    def noted(request: RewindRequest, instance: Instance) -> bool:
        found.append(prepare(request, instance))
        return found[-1]

    monkeypatch.setattr(RewindRequest, "prepare", noted)

    def story(turns: Iterator[Engine], number: str) -> None:
        rounds(turns, number)
        one, other = next(turns), next(turns)
        step = one._pump.step
        between: list[Callable[[], object]] = []

        def disturbed(action: Action) -> Any:
            if True in found and between:
                between.pop()()
            return step(action)

        monkeypatch.setattr(one._pump, "step", disturbed)
        for engine in (None, one, other):
            tasks = [task for task in one.tasks(number) if task.element_id == "first" and task.undo is None]
            found.clear()
            if engine is None:
                between.append(one._river.cache.clear)
            else:
                between.append(partial(engine.message, "more", process_instance_id=number))
            one.rewind(number, sorted(tasks, key=lambda task: task.outputs["sum"])[-3].task_id)
            assert True in found
            assert not between
        found.clear()
        one.cancel(number)

    calls, (_, status, _) = alike(story)
    assert status == "cancel.success"
    undone = [call for call in calls if call[0] in ("rollback", "cancel")]
    made = [call for call in calls if call[0] in ("first", "last")]
    assert len(undone) == len(made)
