"""Activities that run more than once: the standard loop and multi-instance (BPMN 2.0, 13.3.6 and 13.3.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from ...errors import ExpressionError, LimitExceeded
from ...language.operators import kind_of
from ..running.token import STARTED, Token
from ..running.token_data import BEGINNING

if TYPE_CHECKING:
    from ...language.expressions import Expression
    from ..running.event_definitions import EventDefinition


PORTION = 500
"""Runs that begin before others may have a turn."""


class Repeated(Protocol):
    """What a loop asks of the activity that it repeats."""

    def new_run(self, container: Token, number: int, locals_: dict[str, Any]) -> None:
        """Start one run."""

    def runs_ended(self, container: Token) -> None:
        """All runs are through."""

    def throw_implicitly(self, token: Token, definition: EventDefinition | None, *, interrupts: bool) -> None:
        """Throw a multi-instance behavior's event to the border."""


Behavior = Literal["None", "One", "All", "Complex"]
"""When a multi-instance activity throws an event to its border (BPMN 2.0, table 10.29)."""


class Loop(NamedTuple):
    """A standard loop: one run after the other while the condition holds, at most ``maximum`` times."""

    condition: Expression | None = None
    maximum: Expression | None = None
    test_before: bool = False

    def begin(self, token: Token, activity: Repeated) -> None:
        """Start the first turn, or end at once."""
        token._set_state(STARTED)
        token.note(turns=0, maximum=self._maximum(token))
        self._next(token, activity, tested=not self.test_before)

    def collect(self, token: Token, run: Token) -> None:
        """A turn puts out nothing of its own."""

    def run_done(self, token: Token, activity: Repeated, run: Token) -> None:
        """A turn is through: start the next or end."""
        self._next(token, activity, tested=False)

    def _next(self, token: Token, activity: Repeated, *, tested: bool) -> None:
        turns = token.internal_data["turns"]
        maximum = token.internal_data["maximum"]
        go_on = maximum is None or turns < maximum
        if go_on and not tested and self.condition is not None:
            context = token.context.child({"loopCounter": turns})
            go_on = self.condition.is_true(context)
        if not go_on:
            activity.runs_ended(token)
            return
        token.note(turns=turns + 1)
        activity.new_run(token, turns + 1, {"loopCounter": turns})

    def _maximum(self, token: Token) -> int | None:
        if self.maximum is None:
            return None
        return whole_number(self.maximum.evaluate(token.context), "loopMaximum", token.node.bpmn_id)


class MultiInstance(NamedTuple):
    """Runs of one activity for a number or over a collection, one after the other or all at once."""

    sequential: bool = False
    cardinality: Expression | None = None
    collection: Expression | None = None
    element_variable: str | None = None
    index_variable: str | None = None
    output_collection: str | None = None
    output_element: Expression | None = None
    output_variable: str | None = None
    """The variable that ``output_element`` reads, where it reads one: each run has its own."""
    first: int = 0
    """The ``loopCounter`` of the first run."""
    completion: Expression | None = None
    behavior: Behavior = "All"
    event: EventDefinition | None = None
    """What the behaviors None and One throw; without it a signal that any signal event on the border catches."""
    complex_events: Sequence[tuple[Expression, EventDefinition]] = ()
    most: Expression | None = None
    """How many runs go on at once where they do not run one after the other; None for all."""

    def begin(self, token: Token, activity: Repeated) -> None:
        """Find out how many runs there are and start the first, or all."""
        token._set_state(STARTED)
        items = self._items(token)
        count = self._count(token, items)
        limit = token.workflow.host.limits.multi_instance
        if count > limit:
            text = f"{token.node.label} asks for {count} runs, over the limit multi_instance ({limit})."
            raise LimitExceeded("multi_instance", text)
        token.note(count=count, done=0, begun=0)
        if self.most is not None and not self.sequential:
            token.note(most=self._most(self.most, token))
        self.show_counts(token)
        if self.output_collection:
            token.note(collected=[None] * count)
        if (self.sequential or self.most is not None) and items is not None and self.element_variable:
            token.note(items=items)
        if count == 0:
            self._end(token, activity)
            return
        if self.sequential:
            self._start(token, activity, 1, items)
        else:
            self._begin_portion(token, activity, items)

    def begin_more(self, token: Token, activity: Repeated) -> None:
        """Start the next of runs that all begin at once, in the order in which they would without portions."""
        del token.internal_data[BEGINNING]
        token._set_state(STARTED)
        items = token.internal_data.get("items")
        if self.most is None:
            token.internal_data.pop("items", None)
        self._begin_portion(token, activity, items)

    def _begin_portion(self, token: Token, activity: Repeated, items: list[Any] | None) -> None:
        internal = token.internal_data
        begun = internal["begun"]
        until = min(internal["count"], internal["done"] + internal.get("most", internal["count"]))
        last = min(begun + PORTION, until)
        for number in range(begun + 1, last + 1):
            self._start(token, activity, number, items)
        if last < until:
            token.note(beginning=True)
            if items is not None:
                token.note(items=items)
            # It is older than its runs, so none of them comes before the rest has begun.
            token.workflow.make_ready(token)

    def collect(self, token: Token, run: Token) -> None:
        """Keep what a run that is about to end has put out."""
        internal = token.internal_data
        if self.output_element is not None and "collected" in internal:
            internal["collected"][run.internal_data["run"] - 1] = self.output_element.evaluate(run.context)

    def run_done(self, token: Token, activity: Repeated, run: Token) -> None:
        """A run is through: start the next, or end when all are or the completion condition holds."""
        internal = token.internal_data
        token.note(done=internal["done"] + 1)
        self.show_counts(token)
        self._throw(token, activity, run)
        if token.id not in token.workflow.tasks:
            return
        if self._complete(run):
            for other in list(token.inside.values()):
                token.workflow.ends_in(token, token.workflow.cancel_token(other))
            self._end(token, activity)
        elif internal["done"] == internal["count"]:
            self._end(token, activity)
        elif self.sequential or self._has_room(token):
            self._start(token, activity, internal["begun"] + 1, internal.get("items"))

    def _has_room(self, token: Token) -> bool:
        """Whether the next run begins since only so many go on at once and one is through."""
        internal = token.internal_data
        return "most" in internal and BEGINNING not in internal and internal["begun"] < internal["count"]

    def _most(self, most: Expression, token: Token) -> int:
        found = whole_number(most.evaluate(token.context), "maxAtOnce", token.node.bpmn_id)
        if found == 0:
            raise ExpressionError(f"The maxAtOnce of {token.node.bpmn_id!r} is 0, so no run would ever begin.")
        return found

    def _start(self, token: Token, activity: Repeated, number: int, items: list[Any] | None) -> None:
        token.note(begun=number)
        self.show_counts(token)
        # What is put out may be what the run is given.
        locals_: dict[str, Any] = {} if self.output_variable is None else {self.output_variable: None}
        locals_["loopCounter"] = number - 1 + self.first
        if items is not None and self.element_variable:
            locals_[self.element_variable] = items[number - 1]
        if self.index_variable:
            locals_[self.index_variable] = number - 1
        activity.new_run(token, number, locals_)

    def _items(self, token: Token) -> list[Any] | None:
        if self.collection is None:
            return None
        items = self.collection.evaluate(token.context)
        if isinstance(items, dict):
            return list(items.values())
        if not isinstance(items, list):
            raise ExpressionError(f"The collection of {token.node.label} is {kind_of(items)}, not a list.")
        return items

    def _count(self, token: Token, items: list[Any] | None) -> int:
        """How many runs there are; where the model says that beside a collection, its first items are for these."""
        if self.cardinality is None:
            return len(items or ())
        count = whole_number(self.cardinality.evaluate(token.context), "loopCardinality", token.node.bpmn_id)
        if items is not None and len(items) < count:
            text = f"{token.node.label} asks for {count} runs, but its collection has {len(items)} items."
            raise ExpressionError(text)
        return count

    def show_counts(self, token: Token) -> None:
        """Let all inside see the instance attributes (BPMN 2.0, table 10.30), also as the Java engines call them."""
        internal = token.internal_data
        count, done, begun = internal["count"], internal["done"], internal["begun"]
        token.data.update(
            nrOfInstances=count,
            nrOfCompletedInstances=done,
            nrOfActiveInstances=begun - done,
            numberOfInstances=count,
            numberOfCompletedInstances=done,
            numberOfActiveInstances=begun - done,
            numberOfTerminatedInstances=0,
        )

    def _complete(self, run: Token) -> bool:
        """Whether no more is needed, as the run sees it that is through: its item and its result too."""
        return self.completion is not None and self.completion.is_true(run.context)

    def _throw(self, token: Token, activity: Repeated, run: Token) -> None:
        """Throw what the behavior asks for when a run is through (BPMN 2.0, table 10.29).

        None and One only tell how often something goes on from the border, so the runs that are left go on as well,
        and a further token leaves when all are through. Complex leaves it to the event whether it interrupts.
        """
        if self.behavior == "None" or (self.behavior == "One" and token.internal_data["done"] == 1):
            activity.throw_implicitly(token, self.event, interrupts=False)
        for condition, event in self.complex_events:
            if token.id in token.workflow.tasks and condition.is_true(run.context):
                activity.throw_implicitly(token, event, interrupts=True)

    def _end(self, token: Token, activity: Repeated) -> None:
        if self.output_collection:
            token.set_variables({self.output_collection: token.internal_data["collected"]})
        activity.runs_ended(token)


def whole_number(value: Any, what: str, element_id: str) -> int:
    """A count from an expression: an integer, or the decimal text of one as forms give it; never negative."""
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.strip().isdecimal():
        return int(value)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 0:
        raise ExpressionError(f"The {what} of {element_id!r} is {value!r}, not a whole number from 0 on.")
    return int(value)
