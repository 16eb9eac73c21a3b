"""Whose task it is to be and until when, by the model; evaluated as the task begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ....errors import ExpressionError
from ....person import LONGEST_NAME, is_person
from ...running.timers.moments import duration_ms, read_date

if TYPE_CHECKING:
    from ....language.context import Context
    from ....language.expressions import Value

STARTER = "starter"
"""Whom a model bars by this word: whoever started the process."""
MOST_NAMES = 500
USUAL, HIGHEST = 50, 1_000_000_000
"""The priority where none is said, as in Camunda and Flowable, and the highest."""
_WHOLE = re.compile(r"-?[0-9]{1,11}")


class Assigned(NamedTuple):
    """What came of it for one task."""

    assignee: str | None = None
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    due: int | None = None
    follow_up: int | None = None
    priority: int = USUAL


class Assignment(NamedTuple):
    """What the model says of one task of a person."""

    assignee: Value | None = None
    users: Sequence[Value] = ()
    groups: Sequence[Value] = ()
    due: Value | None = None
    follow_up: Value | None = None
    priority: Value | None = None
    barred: tuple[str, ...] = ()
    """Who may not do it: with ``STARTER`` whoever started the process, and whoever has done the tasks of these ids."""

    def of(self, context: Context, now: int) -> Assigned:
        """For a task that begins now; raises ExpressionError where a value is none."""
        if self is NOBODY:
            return ANYBODY
        assignee = None if self.assignee is None else self.assignee.evaluate(context)
        return Assigned(
            None if assignee is None or assignee == "" else _name(assignee, "assignee"),
            _names(self.users, context, "candidate users"),
            _names(self.groups, context, "candidate groups"),
            time_of(self.due, context, now),
            time_of(self.follow_up, context, now),
            _priority(self.priority, context),
        )

    @property
    def values(self) -> list[Value]:
        """Everything that is evaluated."""
        single = (self.assignee, self.due, self.follow_up, self.priority)
        return [*(each for each in single if each is not None), *self.users, *self.groups]


def _name(value: Any, what: str) -> str:
    if isinstance(value, str) and is_person(text := value.strip()):
        return text
    raise ExpressionError(f"The {what} is {value!r}: give a name of at most {LONGEST_NAME} characters.")


def _names(values: Sequence[Value], context: Context, what: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        given = value.evaluate(context)
        for each in given if isinstance(given, list) else str(given or "").split(","):
            if each != "" and not (isinstance(each, str) and each.isspace()):
                found[_name(each, what)] = None
    if len(found) > MOST_NAMES:
        raise ExpressionError(f"There are {len(found)} {what}: name at most {MOST_NAMES}.")
    return tuple(found)


def time_of(value: Value | None, context: Context, now: int) -> int | None:
    """The moment that a duration from now or a date comes to; raises ExpressionError for what is neither."""
    given = None if value is None else value.evaluate(context)
    if given is None or given == "":
        return None
    text = str(given).strip()
    return now + duration_ms(text, now) if text.lstrip("-")[:1] == "P" else read_date(text)[0]


def _priority(value: Value | None, context: Context) -> int:
    given = None if value is None else value.evaluate(context)
    if given is None or given == "":
        return USUAL
    text = str(given).strip()
    if isinstance(given, bool) or not _WHOLE.fullmatch(text) or abs(int(text)) > HIGHEST:
        raise ExpressionError(f"The priority is {given!r}: give a whole number, such as {USUAL}.")
    return int(text)


NOBODY = Assignment()
"""Where the model says nothing."""
ANYBODY = Assigned()
