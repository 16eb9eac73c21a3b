"""A whole commit as one statement of PostgreSQL: common table expressions that share a snapshot and a trip.

All parts of such a statement see what was there as it began, whatever it waits for. A row that is updated, deleted or
locked is looked at once more as it is then, and what no longer fits is left out: so revisions and other rows are
compared by counting. What was only looked at is not: an engine's row has an ``epoch`` that whoever changes such things
for all engines raises, and it is compared by the update that marks the commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from ..databases.cipher import Cipher, sealed
from ..databases.news import TELL
from ..databases.statements import CHANGED, Graded, Statement, Update
from .standing import ANYBODY, StandingWriter

MARK = Update("engine_node", ("committed",), where=("id", "epoch"))
SELECT_STANDING = (
    "SELECT `epoch`, EXISTS (SELECT 1 FROM `subscription`), `kind`, `name`"
    " FROM `engine_node` LEFT JOIN `suspension` ON TRUE WHERE `engine_node`.`id` = ?"
)
SEEN = (
    "SELECT 1 FROM `process_instance` JOIN unnest(?::bigint[], ?::bigint[]) AS seen(number, revision)"
    " ON `process_instance_id` = seen.number AND `process_instance`.`revision` = seen.revision"
    " FOR SHARE OF `process_instance`"
)
SIGN = "riverstone conflict "
"""How the text begins that the server fails to read as a number where a check does not hold; it shows in its log."""
FAILED = re.compile(f'"{SIGN}([0-9]+), ')
OUTDATED = "what this engine knows is out of date"
TEXTS, NUMBERS = {str}, {int, float, type(None)}
NUL = "\0"
"""No text of PostgreSQL holds it."""


class Standing(NamedTuple):
    """What is so as long as an engine's row has this ``epoch``."""

    epoch: int
    suspended: frozenset[tuple[str, str]]
    is_heard: bool
    """Whether anybody may want to be told of processes; where it is false, a commit that would tell compares it."""


class OneStatement(StandingWriter):
    """Takes what a :class:`.Writer` takes, and makes one statement of it; ``ask`` asks the database by itself.

    Where a row is not there to be written, or a question has not the answer that it must have, the statement fails and
    changes nothing; see :meth:`conflict`.
    """

    def __init__(
        self, standing: Standing, ask: Callable[[str, Sequence[Any]], list[Any]], cipher: Cipher | None
    ) -> None:
        super().__init__(None, {}, wide=False, cipher=cipher)
        self._standing = standing
        self._ask = ask
        self._parts: list[tuple[Statement, Sequence[Sequence[Any]], str | None]] = []
        self._questions: dict[tuple[str, Sequence[Any]], tuple[int, str]] = {}
        """What is asked, with how many rows are to answer it, and what it means where others do."""
        self._checks: list[str] = []

    def suspended(self) -> frozenset[tuple[str, str]]:
        return self._standing.suspended

    def is_heard(self) -> bool:
        if not self._standing.is_heard:
            self.refuse_if(ANYBODY, (), OUTDATED)
        return self._standing.is_heard

    def finds(self, text: str, *values: Any) -> bool:
        """Whether a question has an answer."""
        return bool(self._ask(text, values))

    def find(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The answers to a question."""
        return self._ask(text, values)

    def refuse_unless(self, text: str, values: Sequence[Any], otherwise: str) -> None:
        """Fail, saying this, where a question has no answer."""
        self._questions[text, tuple(values)] = 1, otherwise

    def refuse_if(self, text: str, values: Sequence[Any], otherwise: str) -> None:
        """The same where it has one."""
        self._questions[text, tuple(values)] = 0, otherwise

    def compare(self, revisions: Mapping[int, int]) -> None:
        """Fail unless these instances have these revisions."""
        arrays = array(revisions), array(revisions.values())
        self._questions[SEEN, arrays] = len(revisions), CHANGED

    def put(self, graded: Graded, rows: Collection[Any], otherwise: str | None = None) -> None:
        """See :meth:`.Writer.put`."""
        # The narrow before the wide, whichever row came first: fewer statements to prepare.
        for statement, some in sorted(graded.sorted(rows), key=lambda each: len(each[0].names)):
            self.run(statement, some, otherwise)

    def write(self, statement: Statement, every: Sequence[Sequence[Any]], otherwise: str | None = None) -> None:
        """See :meth:`.Writer.write`."""
        if self.cipher is not None and statement.secret:
            every = [sealed(each, statement.secret, self.cipher) for each in every]
        self._parts.append((statement, every, otherwise))

    def made(self, mark: Sequence[Any], news: Sequence[str] = ()) -> tuple[str, list[str | None]]:
        """The statement, with numbered marks, and its values as text; ``mark`` are those of :data:`MARK`.

        Other engines are told the ``news`` when it is committed.
        """
        # Where one has many rows all take arrays, so that there are few statements, which stay prepared.
        many = any(len(every) > 1 for _, every, _ in self._parts)
        values: list[Any] = [*mark]
        for _, every, _ in self._parts:
            values += map(array, zip(*every, strict=True)) if many else every[0]
        values += [value for _, given in self._questions for value in given]
        checks = [(1, OUTDATED)]
        checks += [(len(every), told) for _, every, told in self._parts if told is not None]
        checks += self._questions.values()
        values += [expected for expected, _ in checks]
        values += news
        self._checks = [told for _, told in checks]
        text = _text(
            many,
            tuple((statement, told is not None) for statement, _, told in self._parts),
            tuple(text for text, _ in self._questions),
            len(news),
        )
        return text, [value if value is None or isinstance(value, str) else str(value) for value in values]

    def conflict(self, error: BaseException) -> str | None:
        """What has come in between, where that is why the statement has failed."""
        found = FAILED.search(str(error))
        return None if found is None else self._checks[int(found[1])]


@lru_cache(1000)
def _text(many: bool, parts: tuple[tuple[Statement, bool], ...], questions: tuple[str, ...], news: int) -> str:
    named = [("mark", f"{MARK.text} RETURNING 1", True)]
    for number, (statement, counted) in enumerate(parts):
        text = statement.of_arrays() if many else statement.text
        named.append((f"s{number}", f"{text} RETURNING 1" if counted else text, counted))
    named += [(f"q{number}", text, True) for number, text in enumerate(questions)]
    checked = [name for name, _, counted in named if counted]
    told = [
        f"CASE WHEN (SELECT COUNT(*) FROM {name}) = ? THEN 0 ELSE"
        f" CAST('{SIGN}{place}, ' || (SELECT COUNT(*) FROM {name}) AS INTEGER) END AS riverstone_commit"
        for place, name in enumerate(checked)
    ]
    told += [TELL.removeprefix("SELECT ")] * news
    text = f"WITH {', '.join(f'{name} AS ({text})' for name, text, _ in named)} SELECT {', '.join(told)}"
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", text.replace("`", '"'))


def array(values: Iterable[Any]) -> str:
    """An array as PostgreSQL reads it (8.15.2)."""
    values = tuple(values)
    kinds = {*map(type, values)}
    if kinds == TEXTS:
        # All of them at once, since a commit of many processes has thousands.
        joined = NUL.join(values)
        if joined.count(NUL) == len(values) - 1:
            if '"' in joined or "\\" in joined:
                joined = _escaped(joined)
            return '{"' + joined.replace(NUL, '","') + '"}'
    elif kinds <= NUMBERS:
        return "{" + str(values).strip("(,)").replace("None", "NULL") + "}"
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    return f'"{_escaped(value)}"' if isinstance(value, str) else str(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
