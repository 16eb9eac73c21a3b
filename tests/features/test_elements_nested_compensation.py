"""Compensation inside of compensation: handlers with handlers of their own, and transactions in transactions.

Every story is told twice, once with restarts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .elements import START, Stage, boundary, end, model, on_event, runs, stages, sub, throw, timer, user, work
from .test_elements_compensation import COMPENSATE, undoable

ERROR = "<errorEventDefinition/>"
CANCEL = "<cancelEventDefinition/>"
BACK = throw("t", COMPENSATE)


@pytest.fixture(params=["undisturbed", "restarting"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    yield from stages(tmp_path, request.param == "restarting")


def taken_back_by(node: str, steps: str, *flows: str, inside: str = "") -> str:
    """What compensates an activity: a sub-process that begins at ``in`` and its name."""
    begin = f'<startEvent id="in{node}"/>'
    line = f'<association id="as{node}" associationDirection="One" sourceRef="c{node}" targetRef="back{node}"/>'
    handler = sub(f"back{node}", begin + steps, *flows, isForCompensation="true", inside=inside)
    return boundary(f"c{node}", node, COMPENSATE) + handler + line


def transaction(name: str, inside: str, *flows: str) -> str:
    """One that can be cancelled, and then goes on at its border."""
    return sub(name, f'<startEvent id="in{name}"/>{inside}', *flows, tag="transaction") + boundary(
        f"x{name}", name, CANCEL
    )


@pytest.mark.parametrize("marker", ["", runs("2")], ids=["once", "twice"])
def test_what_a_handler_has_done_is_compensated_by_nobody(stage: Stage, marker: str) -> None:
    back = taken_back_by("a", undoable("h1") + work("h2"), "ina -> h1 -> h2", inside=marker)
    body = START + work("a") + back + BACK + throw("t2", COMPENSATE) + work("b") + end("e")
    stage.start(model(body, "s -> a -> t -> t2 -> b -> e"))
    assert sorted(stage.log) == sorted(["a", *["h1", "h2"] * (2 if marker else 1), "b"])
    assert stage.status == "success"


def test_a_handler_compensates_its_own_steps_if_it_says_so(stage: Stage) -> None:
    deep = sub("d", '<startEvent id="ds"/>' + work("d1"), "ds -> d1") + taken_back_by("d", work("k"), "ind -> k")
    steps = undoable("h1") + deep + throw("ht", COMPENSATE) + work("h2")
    back = taken_back_by("a", steps, "ina -> h1 -> d -> ht -> h2")
    body = START + work("a") + back + BACK + throw("t2", COMPENSATE) + work("b") + end("e")
    stage.start(model(body, "s -> a -> t -> t2 -> b -> e"))
    assert stage.log == ["a", "h1", "d1", "k", "unh1", "h2", "b"]


def test_a_transaction_in_a_handler_is_cancelled_by_itself(stage: Stage) -> None:
    inner = transaction("tx", undoable("m") + end("bad", CANCEL), "intx -> m -> bad") + work("gone")
    back = taken_back_by("a", work("h1") + inner, "ina -> h1 -> tx", "xtx -> gone")
    body = START + work("a") + back + BACK + throw("t2", COMPENSATE) + work("b") + end("e")
    stage.start(model(body, "s -> a -> t -> t2 -> b -> e"))
    assert stage.log == ["a", "h1", "m", "unm", "gone", "b"]


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_transaction_in_a_transaction_is_taken_back_once(stage: Stage, cancelled: bool) -> None:
    inner = transaction("tx", undoable("m") + end("me", CANCEL if cancelled else ""), "intx -> m -> me")
    parts = undoable("k") + inner + undoable("n") + end("bad", CANCEL)
    outer = transaction("outer", parts, "inouter -> k -> tx", "xtx -> n" if cancelled else "tx -> n", "n -> bad")
    body = START + outer + work("gone") + end("e")
    stage.start(model(body, "s -> outer", "xouter -> gone -> e"))
    back = ["k", "m", "unm", "n", "unn", "unk"] if cancelled else ["k", "m", "n", "unn", "unm", "unk"]
    assert stage.log == [*back, "gone"]


def by_hand(node: str) -> str:
    return undoable(node, handler=user(f"un{node}", isForCompensation="true"))


def test_a_cancel_goes_on_with_what_an_inner_transaction_was_compensating(stage: Stage) -> None:
    inner = transaction("tx", undoable("m") + by_hand("n") + end("me", CANCEL), "intx -> m -> n -> me")
    parts = '<parallelGateway id="g"/>' + undoable("k") + inner + user("u") + end("bad", CANCEL)
    outer = transaction("outer", parts, "inouter -> k -> g", "g -> tx", "g -> u -> bad")
    stage.start(model(START + outer + work("gone") + end("e"), "s -> outer", "xouter -> gone -> e"))
    assert (stage.log, stage.open) == (["k", "m", "n"], ["u", "unn"])
    assert (stage.complete("u").open, stage.log) == (["unn"], ["k", "m", "n"])
    assert stage.complete("unn").log == ["k", "m", "n", "unm", "unk", "gone"]
    assert stage.status == "success"


def test_a_cancel_goes_on_with_what_a_throw_event_was_compensating(stage: Stage) -> None:
    parts = '<parallelGateway id="g"/>' + undoable("k") + by_hand("n") + BACK + user("u") + end("bad", CANCEL)
    outer = transaction("outer", parts, "inouter -> k -> n -> g", "g -> t", "g -> u -> bad")
    stage.start(model(START + outer + work("gone") + end("e"), "s -> outer", "xouter -> gone -> e"))
    assert stage.open == ["u", "unn"]
    assert stage.complete("u").open == ["unn"]
    assert stage.complete("unn").log == ["k", "n", "unk", "gone"]


def test_what_compensates_itself_goes_on_with_the_rest_when_it_is_cancelled(stage: Stage) -> None:
    """A compensation event sub-process that was taken away half way begins once more, and knows what is left."""
    own = on_event("h", COMPENSATE, work("again") + throw("ht", COMPENSATE), "sh -> again -> ht")
    inner = sub("d", '<startEvent id="ds"/>' + undoable("m") + by_hand("n") + own, "ds -> m -> n")
    parts = '<parallelGateway id="g"/>' + undoable("k") + inner + BACK + user("u") + end("bad", CANCEL)
    outer = transaction("outer", parts, "inouter -> k -> d -> g", "g -> t", "g -> u -> bad")
    stage.start(model(START + outer + work("gone") + end("e"), "s -> outer", "xouter -> gone -> e"))
    assert (stage.log, stage.open) == (["k", "m", "n", "again"], ["u", "unn"])
    stage.complete("u").complete("unn")
    assert stage.log == ["k", "m", "n", "again", "again", "unm", "unk", "gone"]


def test_a_handler_that_cancels_its_transaction_once_more_is_not_called_for_ever(stage: Stage) -> None:
    bad = sub(
        "una", '<startEvent id="us"/>' + work("u1") + end("ue", CANCEL), "us -> u1 -> ue", isForCompensation="true"
    )
    outer = transaction(
        "outer", undoable("k") + undoable("a", handler=bad) + end("x", CANCEL), "inouter -> k -> a -> x"
    )
    stage.start(model(START + outer + work("gone") + end("e"), "s -> outer", "xouter -> gone -> e"))
    assert stage.log == ["k", "a", "u1", "unk", "gone"]


def test_the_error_of_a_handler_leaves_the_rest_to_be_compensated(stage: Stage) -> None:
    bad = sub(
        "unb", '<startEvent id="bs"/>' + work("b1") + end("be", ERROR), "bs -> b1 -> be", isForCompensation="true"
    )
    handler = on_event("h", ERROR, throw("ht", COMPENSATE) + work("last") + end("he"), "sh -> ht -> last -> he")
    body = START + undoable("a") + undoable("b", handler=bad) + BACK + handler + end("e")
    stage.start(model(body, "s -> a -> b -> t -> e"))
    assert stage.log == ["a", "b", "b1", "una", "last"]
    assert stage.status == "success"


def beside(failing: str) -> str:
    """Two parallel activities that are compensated at once: ``a`` by hand, and ``b`` by what ends in an error."""
    steps = f'<startEvent id="bs"/>{failing}' + end("be", ERROR)
    bad = sub("unb", steps, "bs -> b1 -> be", isForCompensation="true")
    gateways = '<parallelGateway id="g"/><parallelGateway id="j"/>'
    return gateways + by_hand("a") + undoable("b", handler=bad) + BACK + end("e")


SIDES = ("g -> a -> j", "g -> b -> j", "j -> t -> e")


def test_the_error_of_a_handler_leaves_what_another_had_begun_to_be_compensated(stage: Stage) -> None:
    handler = on_event("h", ERROR, throw("ht", COMPENSATE) + work("last") + end("he"), "sh -> ht -> last -> he")
    stage.start(model(START + beside(user("b1")) + handler, "s -> g", *SIDES))
    assert (stage.log, stage.open) == (["a", "b"], ["b1", "una"])
    # The one that failed is not begun again, the other one is.
    assert (stage.complete("b1").open, stage.log) == (["una"], ["a", "b"])
    assert stage.complete("una").log == ["a", "b", "last"]
    assert stage.status == "success"
    undone = {task.element_id: task.undo for task in stage.engine.tasks(stage.number)}
    assert (undone["a"], undone["b"]) == ("undone", None)


def test_a_handler_that_is_through_when_another_fails_is_not_called_again(stage: Stage) -> None:
    handler = on_event("h", ERROR, throw("ht", COMPENSATE) + work("last") + end("he"), "sh -> ht -> last -> he")
    stage.start(model(START + beside(user("b1")) + handler, "s -> g", *SIDES))
    assert stage.complete("una").open == ["b1"]
    assert (stage.complete("b1").open, stage.log) == ([], ["a", "b", "last"])
    assert [task.element_id for task in stage.engine.tasks(stage.number)].count("una") == 1
    assert stage.status == "success"


def test_an_event_of_another_takes_no_handler_for_compensated(stage: Stage) -> None:
    """No handler is why all is taken away, so all of them begin again."""
    steps = throw("ht", COMPENSATE) + work("last") + end("he")
    handler = on_event("h", timer("PT5S"), steps, "sh -> ht -> last -> he")
    body = START + by_hand("a") + BACK + handler + end("e")
    stage.start(model(body, "s -> a -> t -> e"))
    assert stage.advance(6).open == ["una"]
    assert stage.complete("una").log == ["a", "last"]
    assert stage.status == "success"


def test_a_handler_that_cancels_once_more_leaves_the_others_to_be_called(stage: Stage) -> None:
    bad = sub(
        "unb", '<startEvent id="bs"/>' + user("b1") + end("be", CANCEL), "bs -> b1 -> be", isForCompensation="true"
    )
    gateways = '<parallelGateway id="g"/><parallelGateway id="j"/>'
    parts = gateways + by_hand("a") + undoable("b", handler=bad) + end("x", CANCEL)
    outer = transaction("outer", parts, "inouter -> g", "g -> a -> j", "g -> b -> j", "j -> x")
    stage.start(model(START + outer + work("gone") + end("e"), "s -> outer", "xouter -> gone -> e"))
    assert stage.open == ["b1", "una"]
    assert (stage.complete("b1").open, stage.log) == (["una"], ["a", "b"])
    assert stage.complete("una").log == ["a", "b", "gone"]
    assert stage.status == "success"


def test_nobody_waits_for_a_handler_that_was_left_by_its_border(stage: Stage) -> None:
    back = taken_back_by("b", work("b1") + end("be", ERROR), "inb -> b1 -> be") + boundary("bx", "backb", ERROR)
    body = START + undoable("a") + work("b") + back + work("caught") + BACK + work("c") + end("e")
    stage.start(model(body, "s -> a -> b -> t -> c -> e", "bx -> caught"))
    assert sorted(stage.log) == ["a", "b", "b1", "c", "caught", "una"]
    assert stage.status == "success"
    # Nothing was undone of it, so that is still to be done.
    undone = {task.element_id: task.undo for task in stage.engine.tasks(stage.number)}
    assert (undone["a"], undone["b"]) == ("undone", None)


@pytest.mark.parametrize("interrupting", [True, False])
def test_a_transaction_waits_for_what_left_the_border_of_a_handler(stage: Stage, interrupting: bool) -> None:
    late = boundary("late", "unn", timer("PT5S"), interrupting=interrupting)
    parts = undoable("k") + by_hand("n") + late + user("slow") + end("bad", CANCEL)
    outer = transaction("outer", parts, "inouter -> k -> n -> bad", "late -> slow")
    stage.start(model(START + outer + work("gone") + end("e"), "s -> outer", "xouter -> gone -> e"))
    stage.advance(6)
    if not interrupting:
        stage.complete("unn")
    assert (stage.log, stage.open) == (["k", "n", "unk"], ["slow"])
    assert stage.complete("slow").log == ["k", "n", "unk", "gone"]
    assert stage.status == "success"
