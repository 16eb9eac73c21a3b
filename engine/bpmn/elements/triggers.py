"""What an event waits for: its messages, signals, timers and conditions, evaluated for one token (BPMN 2.0, 10.5.5)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

from ....models.vocabulary import WaitKind
from ...errors import ExpressionError, ExpressionWork
from ...jsontext import JSON
from ...language.operators import kind_of
from ...mask import cut
from ..running.event_definitions import AWAITED, EventDefinition
from ..running.timers.cycles import Cycle, read_timer
from ..running.token import Token
from ..running.waits import Wait

LONGEST_NAME = 255
"""Characters of a message's or signal's name, and of what correlates one."""

MOST_COMINGS = 20
"""Of an event that has come again and again after different tasks: how many of these are told apart."""


def waits_for(definitions: Sequence[EventDefinition], token: Token) -> list[Wait]:
    """What a token must wait for, the expressions evaluated now."""
    awaited = enumerate(definitions)
    waits = (_wait(definition, token, number) for number, definition in awaited if definition.kind in AWAITED)
    return [wait for wait in waits if wait is not None]


def _wait(definition: EventDefinition, token: Token, number: int) -> Wait | None:
    if definition.kind == "timer":
        return _set_timer(definition, token, number)
    if definition.kind == "condition":
        return Wait("condition", number)
    correlation = None
    if definition.correlation is not None:
        correlation = _correlation(definition.correlation.evaluate(token.context), token)
        _refuse_long("correlation", correlation, token)
    kind: WaitKind = "signal" if definition.kind == "signal" else "message"
    return Wait(kind, number, name=event_name(definition, token), correlation=correlation)


def _correlation(value: JSON, token: Token) -> str:
    """Text or a number, as in the vendors' engines: of null all processes would wait for the same message."""
    if isinstance(value, str) or type(value) in (int, float):
        return str(value)
    raise ExpressionError(
        f"The correlation of {token.node.label} is {kind_of(value)}, neither text nor a number: give it a value."
    )


def event_name(definition: EventDefinition, token: Token) -> str:
    """The name of a message or signal, which may be an expression; raises ExpressionError where it is no text."""
    if definition.expression is None:
        return definition.name or ""
    name = definition.expression.evaluate(token.context)
    if not isinstance(name, str) or not name:
        raise ExpressionError(f"The {definition.kind} name of {token.node.label} is not a text.")
    _refuse_long(f"{definition.kind} name", name, token)
    return name


def _refuse_long(what: str, text: str, token: Token) -> None:
    if len(text) > LONGEST_NAME:
        raise ExpressionError(f"The {what} of {token.node.label} has {len(text)} characters; {LONGEST_NAME} fit.")


def _set_timer(definition: EventDefinition, token: Token, number: int) -> Wait | None:
    """Evaluate a timer and keep with the token what it takes to repeat it; None for one that is over."""
    assert definition.expression is not None
    assert definition.timer is not None
    value = definition.expression.evaluate(token.context)
    host = token.workflow.host
    least = round(host.limits.timer_interval * 1000)
    until = None if definition.until is None else definition.until.evaluate(token.context)
    try:
        timer = read_timer(definition.timer, value, host.now(), least, sunday=definition.sunday, until=until)
    except ExpressionError as error:
        text = f"The timer of {token.node.label} cannot be set: {error.message}"
        raise error.reworded(text) from None
    if timer.due is None:
        if token.node.counts:
            raise ExpressionError(f"The timer {cut(str(value), 120)!r} of {token.node.label} is over.")
        return None
    if timer.cycle is not None and timer.cycle.left:
        token.note(repeats={**token.internal_data.get("repeats", {}), str(number): list(timer.cycle)})
    kind: WaitKind = "date" if timer.by_calendar else "timer"
    return Wait(kind, number, due=timer.due)


def repeats_left(token: Token, number: int) -> int:
    """How often a timer of this token comes again; -1 for one that never ends."""
    left: int = token.internal_data.get("repeats", {}).get(str(number), (0, ""))[0]
    return left


def set_again(token: Token, number: int) -> bool:
    """After a timer has come, wait for its next turn; false if that was the last one, for which nothing waits now."""
    workflow = token.workflow
    waits = workflow.waits.get(token.id, [])
    kept = [wait for wait in waits if wait.number != number]
    come = next((wait for wait in waits if wait.number == number), None)
    following = None
    if come is not None and come.due is not None and repeats_left(token, number):
        cycle = Cycle.of(token.internal_data["repeats"][str(number)])
        following = cycle.following(come.due, workflow.host.now())
    if come is None or following is None:
        workflow.wait(token, kept)
        return False
    due, cycle = following
    token.note(repeats={**token.internal_data["repeats"], str(number): list(cycle)})
    workflow.wait(token, [*kept, Wait(come.kind, number, due=due)])
    return True


def rest(token: Token, number: int) -> None:
    """One of several that must all come has come: it is waited for no more until the others have."""
    workflow = token.workflow
    waits = workflow.waits.get(token.id, [])
    come = [list(wait) for wait in waits if wait.number == number]
    token.note(come=[*token.internal_data.get("come", []), *come])
    workflow.wait(token, [wait for wait in waits if wait.number != number])


def wait_again(token: Token, number: int) -> bool:
    """Wait once more for what has come, last of all this; false if a timer among it was over with that."""
    workflow = token.workflow
    waits = workflow.waits.get(token.id, [])
    come = [Wait(*each) for each in token.internal_data.pop("come", ())]
    last = [wait for wait in waits if wait.number == number]
    if come:
        workflow.wait(token, sorted([*waits, *come], key=lambda wait: wait.number))
    are_set = [set_again(token, wait.number) for wait in (*come, *last) if wait.due is not None]
    return all(are_set)


def condition_holds(definition: EventDefinition, token: Token) -> bool:
    """Whether a condition is true; one over things that are not there yet is not."""
    assert definition.expression is not None
    try:
        return definition.expression.is_true(token.context)
    except ExpressionWork:
        raise
    except ExpressionError:
        return False


def note_come(token: Token, listener: Token, number: int, *, all_must_come: bool, causes: tuple[int, ...]) -> None:
    """Keep with an activity or scope that an event has come beside it which does not come anew by being awaited anew.

    A message or a signal that comes once more is another one, and so is the next turn of an endless timer.
    """
    event = listener.node
    known = token.internal_data.get("fired", {})
    fired = dict(known.get(event.name, {}))
    for each in range(len(event.definitions)) if all_must_come else [number]:
        kind = event.definitions[each].kind
        if kind == "condition" or (kind == "timer" and repeats_left(listener, each) >= 0):
            after = [cause for cause in causes if cause > 0]
            fired[str(each)] = come_once_more(fired.get(str(each)), after, _counted_from(listener, str(each)))
    if fired:
        token.note(fired={**known, event.name: fired})
        token.workflow.touched[token.id] = token
        if token.workflow.way is not None:
            token.workflow.way.fired(token)


def come_once_more(come: Sequence[Any] | None, after: list[int], start: int) -> list[Any]:
    """What is kept of an event that has come so often, now that it has come again, after these tasks."""
    if come is None:
        return [1, after, start]
    *earlier, [times, last] = comings(come)
    if last != after and len(earlier) < MOST_COMINGS:
        earlier, times = [*earlier, [times, last]], 0
    return _come([*earlier, [times + 1, after]], start)


def comings(come: Sequence[Any]) -> list[list[Any]]:
    """How often it came after which tasks, the last time last."""
    times, last, _, *more = come
    earlier: list[list[Any]] = more[0] if more else []
    return [*earlier, [times - sum([each[0] for each in earlier]), last]]


def still_come(come: Sequence[Any], over: Set[int]) -> list[Any] | None:
    """What is left of it when what came after these tasks is no more; None if nothing is."""
    stays = [each for each in comings(come) if over.isdisjoint(each[1])]
    return _come(stays, come[2]) if stays else None


def _come(groups: list[list[Any]], start: int) -> list[Any]:
    *earlier, (_, last) = groups
    return [sum([each[0] for each in groups]), last, start, *([earlier] if earlier else [])]


def _counted_from(listener: Token, key: str) -> int:
    kept = listener.internal_data.get("repeats", {}).get(key)
    return -1 if kept is None else Cycle.of(kept).start


def come_before(token: Token, listener: Token, *, all_must_come: bool) -> None:
    """What listens anew beside an activity or scope to which a rewind goes back: not for what has come and stays."""
    over = False
    for key, (times, _, start, *_) in token.internal_data.get("fired", {}).get(listener.node.name, {}).items():
        number = int(key)
        if number >= len(listener.node.definitions):
            continue
        if listener.node.definitions[number].kind == "condition":
            listener.note(held=[*listener.internal_data.get("held", []), number])
            continue
        kept = listener.internal_data.get("repeats", {}).get(key)
        if kept is not None and start == _counted_from(listener, key) > 0:
            # It is counted from a date, so the turns that are over are used up already.
            continue
        if kept is not None and times <= kept[0]:
            listener.note(repeats={**listener.internal_data["repeats"], key: [kept[0] - times, *kept[1:]]})
            continue
        over = True
        waits = listener.workflow.waits.get(listener.id, [])
        listener.workflow.wait(listener, [wait for wait in waits if wait.number != number])
    if over and all_must_come:
        listener.workflow.stop_waiting(listener)
