"""Constant statements over plain rows, one row or many at a time.

SQLite's driver lets go of Python's lock at every statement, and taking it back from a dozen busy threads costs more
than the statement: there, many rows go in one. Other databases get the driver's own way for many.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import fields
from functools import partial
from operator import itemgetter
from typing import Any

from ..errors import RevisionConflict
from ..row_types.tables import TABLES, columns
from .cipher import COLUMNS, Cipher, sealed

Make = Callable[..., "Statement"]

WIDTHS = (64, 16, 4, 1)
"""Rows in one statement; few sizes, so that all of them stay prepared."""


SEEN = {
    width: "SELECT `process_instance_id`, `revision` FROM `process_instance` WHERE `process_instance_id` IN"
    f" ({', '.join('?' * width)}) FOR SHARE"
    for width in WIDTHS
}
"""The revisions of so many instances, held until the commit against whoever would change them."""
MOST_MARKS = 500
"""Values in one statement; of more there are several."""
CHANGED = "a process instance was changed by another engine"
NUMBERS = ("process_instance_id", "created")
"""Columns that are numbers, of tables without a record."""
IDS: Mapping[str, tuple[str, ...]] = {
    "process_instance": ("id", "model_id", "deployment_id"),
    "process_model": ("id",),
    "draft": ("id",),
    "deployment": ("id", "model_id"),
    "start_trigger": ("deployment_id",),
    "version_tag": ("deployment_id",),
    "stone_use": ("deployment_id",),
}
"""Columns that PostgreSQL holds as UUIDs, by their tables."""


class Statement:
    """One SQL statement with ``?`` marks and backquotes, and where its values come from."""

    def __init__(self, text: str, names: Sequence[str]) -> None:
        self.text = text
        self.names = tuple(names)
        self.secret: tuple[int, ...] = ()
        """Which of the values are encrypted, where anything is."""
        self.values: Callable[[Any], Any] = reader(names)
        """The values of one record, in the order of the marks."""

    def wide(self, count: int) -> str:
        """The statement for ``count`` rows, in SQLite's words."""
        raise TypeError(f"{type(self).__name__} takes one row at a time")

    def of_arrays(self) -> str:
        """The statement for any number of rows, in PostgreSQL's words: a mark stands for all values of a column."""
        raise TypeError(f"{type(self).__name__} takes one row at a time")


class Insert(Statement):
    """Adds rows to a table."""

    def __init__(self, table: str, names: Sequence[str]) -> None:
        self._table = table
        self._head = f"INSERT INTO `{table}` ({listed(names)}) VALUES "
        self._marks = f"({marks(names)})"
        super().__init__(self._head + self._marks, names)
        self.secret = _secret(table, names)

    @classmethod
    def of(cls, table: str, row: type[Any]) -> Insert:
        """For rows of this record."""
        return cls(table, columns(row))

    def wide(self, count: int) -> str:
        return self._head + ", ".join([self._marks] * count)

    def of_arrays(self) -> str:
        return f"{self._head.removesuffix('VALUES ')}SELECT * FROM {_unnested(self._table, self.names)}"


class Update(Statement):
    """Sets columns of the rows that ``where`` names, and others to what ``always`` says in SQL."""

    def __init__(
        self, table: str, names: Sequence[str], *, where: Sequence[str], always: Mapping[str, str] | None = None
    ) -> None:
        self._table = table
        self._set = tuple(names)
        self._where = tuple(where)
        self._always = [f"`{name}` = {value}" for name, value in (always or {}).items()]
        assignments = ", ".join([*(f"`{name}` = ?" for name in names), *self._always])
        condition = " AND ".join(f"`{name}` = ?" for name in where)
        super().__init__(f"UPDATE `{table}` SET {assignments} WHERE {condition}", (*names, *where))
        self.secret = _secret(table, names)

    def wide(self, count: int) -> str:
        rows = ", ".join([f"({marks(self.names)})"] * count)
        return self._from(f"(VALUES {rows}) AS new")

    def of_arrays(self) -> str:
        return self._from(_unnested(self._table, self.names))

    def _from(self, rows: str) -> str:
        offset = len(self._set)
        named = (f"`{name}` = new.column{index}" for index, name in enumerate(self._set, 1))
        assignments = ", ".join([*named, *self._always])
        condition = " AND ".join(
            f"`{self._table}`.`{name}` = new.column{offset + index}" for index, name in enumerate(self._where, 1)
        )
        return f"UPDATE `{self._table}` SET {assignments} FROM {rows} WHERE {condition}"


class Delete(Statement):
    """Removes the rows that have these values."""

    def __init__(self, table: str, where: Sequence[str]) -> None:
        self._table = table
        self._head = f"DELETE FROM `{table}` WHERE "
        self._condition = " AND ".join(f"`{name}` = ?" for name in where)
        super().__init__(self._head + self._condition, where)

    def wide(self, count: int) -> str:
        if len(self.names) == 1:
            return f"{self._head}`{self.names[0]}` IN ({marks(range(count))})"
        # A list of pairs would be looked for in the whole table, each of these by the index.
        return self._head + " OR ".join([f"({self._condition})"] * count)

    def of_arrays(self) -> str:
        condition = " AND ".join(
            f"`{self._table}`.`{name}` = new.column{index}" for index, name in enumerate(self.names, 1)
        )
        return f"DELETE FROM `{self._table}` USING {_unnested(self._table, self.names)} WHERE {condition}"


class Graded:
    """One statement in several widths: a row is written with the narrowest that leaves nothing out.

    Every value costs as it is written, ``None`` in SQLite's driver several times as much as others, and most rows need
    few of them: ``names`` begin with those. The narrowest may ``always`` set the next columns to the same values, and
    has a form that sets some ``besides``. What the store holds of a row already is its ``stored``, or ``unset`` of one
    that is new.
    """

    def __init__(
        self,
        make: Make,
        names: Sequence[str],
        *widths: int,
        always: Mapping[str, int | None] | None = None,
        besides: Sequence[str] = (),
        unset: tuple[Any, ...] | None = None,
    ) -> None:
        always = always or {}
        beyond = widths[0] + len(always)
        if list(names[widths[0] : beyond]) != list(always):
            raise ValueError(f"the columns after the first {widths[0]} are not {', '.join(always)}")
        self.beyond = reader(names[beyond:])
        """The values of a row that the narrowest leaves out."""
        self._made = reader([*always]) if always else None
        self._always = tuple(always.values())
        self._unset = None if unset is None else unset[beyond:]
        words = {name: "NULL" if value is None else str(value) for name, value in always.items()}
        self._narrowest = make(names[: widths[0]], always=words) if always else make(names[: widths[0]])
        self._besides: Statement | None = None
        if besides:
            self._besides = make((*names[: widths[0]], *besides), always=words)
            self._but_these = itemgetter(*(at for at, name in enumerate(names[beyond:]) if name not in besides))
        self._wider = [(width - beyond, make(names[:width])) for width in (*widths[1:], len(names))]
        self.statements = [self._narrowest, *(statement for _, statement in self._wider)]
        if self._besides is not None:
            self.statements.append(self._besides)

    @classmethod
    def insert(cls, table: str, row: type[Any], *widths: int) -> Graded:
        """For new records of this kind."""
        unset = tuple(field.default for field in fields(row) if field.name in columns(row))
        return cls(partial(Insert, table), columns(row), *widths, unset=unset)

    def fitting(self, row: Any) -> Statement:
        """The statement for a row."""
        beyond, known = self.beyond(row), self._unset
        if known is None:
            known = row.stored
        if self._made is None or self._made(row) == self._always:
            if beyond == known:
                return self._narrowest
            if self._besides is not None and known is not None and self._but_these(beyond) == self._but_these(known):
                return self._besides
        for start, statement in self._wider:
            if known is not None and beyond[start:] == known[start:]:
                return statement
        return self._wider[-1][1]

    def sorted(self, rows: Iterable[Any]) -> Iterable[tuple[Statement, list[Any]]]:
        """Rows, by the statements that fit them."""
        fitting: dict[Statement, list[Any]] = {}
        for row in rows:
            fitting.setdefault(self.fitting(row), []).append(row)
        return fitting.items()


class Writer:
    """Runs statements on a cursor; ``dialects`` holds each in the words of the database."""

    def __init__(self, cursor: Any, dialects: dict[str, str], *, wide: bool, cipher: Cipher | None = None) -> None:
        self.cursor = cursor
        self.dialects = dialects
        self.wide = wide
        self.cipher = cipher

    def finds(self, text: str, *values: Any) -> bool:
        """Whether a question has an answer."""
        self.cursor.execute(self.dialects[text], values)
        return self.cursor.fetchone() is not None

    def find(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The answers to a question."""
        self.cursor.execute(self.dialects[text], values)
        return list(self.cursor.fetchall())

    def refuse_unless(self, text: str, values: Sequence[Any], otherwise: str) -> None:
        """Raise RevisionConflict, saying this, where a question has no answer."""
        if not self.finds(text, *values):
            raise RevisionConflict(otherwise)

    def refuse_if(self, text: str, values: Sequence[Any], otherwise: str) -> None:
        """The same where it has one."""
        if self.finds(text, *values):
            raise RevisionConflict(otherwise)

    def compare(self, revisions: Mapping[int, int]) -> None:
        """Raise RevisionConflict unless these instances have these revisions, which nobody changes until the end."""
        numbers = sorted(revisions)
        for start in range(0, len(numbers), WIDTHS[0]):
            part = numbers[start : start + WIDTHS[0]]
            width = min(width for width in WIDTHS if width >= len(part))
            # The last once more for each mark that is left.
            found = self.find(SEEN[width], (*part, *part[-1:] * (width - len(part))))
            if dict(found) != {number: revisions[number] for number in part}:
                raise RevisionConflict(CHANGED)

    def put(self, graded: Graded, rows: Collection[Any], otherwise: str | None = None) -> None:
        """Write records, at least one; ``otherwise`` says what has come in between where not all are there to be.

        Then RevisionConflict is raised.
        """
        if len(rows) == 1:
            # As in most steps, of each kind.
            (row,) = rows
            statement = graded.fitting(row)
            self._write_one(statement, statement.values(row))
            if otherwise is not None and self.cursor.rowcount != 1:
                raise RevisionConflict(otherwise)
            return
        for statement, some in graded.sorted(rows):
            self.run(statement, some, otherwise)

    def run(self, statement: Statement, rows: Collection[Any], otherwise: str | None = None) -> None:
        """The same with one statement for all of them."""
        self.write(statement, list(map(statement.values, rows)), otherwise)

    def write(self, statement: Statement, every: Sequence[Sequence[Any]], otherwise: str | None = None) -> None:
        """The same for the values of rows."""
        if len(every) == 1:
            self._write_one(statement, every[0])
            written = self.cursor.rowcount
        else:
            written = self._write_all(statement, every)
        if otherwise is not None and written != len(every):
            raise RevisionConflict(otherwise)

    def _write_all(self, statement: Statement, every: Sequence[Sequence[Any]]) -> int:
        cursor = self.cursor
        if self.cipher is not None and statement.secret:
            every = [sealed(each, statement.secret, self.cipher) for each in every]
        if not self.wide:
            cursor.executemany(self.dialects[statement.text], every)
            return int(cursor.rowcount)
        written = 0
        for text, flat in _widened(statement, every):
            cursor.execute(text, flat)
            written += int(cursor.rowcount)
        return written

    def _write_one(self, statement: Statement, values: Sequence[Any], text: str | None = None) -> None:
        """``text`` stands in place of the statement's own, with more marks behind those of its values."""
        if self.cipher is not None and statement.secret:
            values = sealed(values, statement.secret, self.cipher)
        self.cursor.execute(self.dialects[statement.text] if text is None else text, values)


def reader(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that reads these attributes of a record.

    It is made as dataclasses make theirs: the interpreter reads a slot by its name in a tenth of what ``attrgetter``
    takes, and a step reads several hundred.
    """
    if not all(map(str.isidentifier, names)):
        raise ValueError(f"{', '.join(names)} are not all names")
    parts = "".join(f"row.{name}, " for name in names)
    made: Callable[[Any], tuple[Any, ...]] = eval(f"lambda row: ({parts})")  # noqa: S307 - names of our own columns
    return made


def _secret(table: str, names: Sequence[str]) -> tuple[int, ...]:
    return tuple(place for place, name in enumerate(names) if name in COLUMNS.get(table, ()))


def _unnested(table: str, names: Sequence[str]) -> str:
    """A table ``new`` of as many columns, each out of an array that is a value."""
    arrays = ", ".join(f"?::{_type_of(table, name)}[]" for name in names)
    return f"unnest({arrays}) AS new({', '.join(f'column{index}' for index, _ in enumerate(names, 1))})"


def _type_of(table: str, name: str) -> str:
    row = TABLES[table]
    declared = {} if row is None else {each.name: str(each.type) for each in fields(row)}
    kind = declared.get(name, "int" if name in NUMBERS else "str")
    if name in IDS.get(table, ()):
        return "uuid"
    return "bigint" if kind.startswith("int") else "double precision" if kind.startswith("float") else "text"


def listed(names: Iterable[str]) -> str:
    """Columns, as a statement names them."""
    return ", ".join(f"`{name}`" for name in names)


def marks(values: Sized) -> str:
    """A mark for each of several values."""
    return ", ".join("?" * len(values))


def quoted(words: Iterable[str]) -> str:
    """Words of a vocabulary as a list in a constant question."""
    return ", ".join(f"'{word}'" for word in words)


def parts(values: Sequence[Any], most: int = MOST_MARKS) -> Iterator[Sequence[Any]]:
    """As many as fit in one statement, and so on."""
    for start in range(0, len(values), most):
        yield values[start : start + most]


def select(table: str, row: type[Any], condition: str) -> str:
    """The statement that reads records of a table."""
    return f"SELECT {listed(columns(row))} FROM `{table}` WHERE {condition}"


_wide: dict[tuple[str, int], str] = {}


def _widened(statement: Statement, values: Sequence[Sequence[Any]]) -> Iterator[tuple[str, list[Any]]]:
    start = 0
    for width in WIDTHS:
        while len(values) - start >= width:
            text = _wide.get((statement.text, width))
            if text is None:
                text = _wide[statement.text, width] = statement.text if width == 1 else statement.wide(width)
            yield text, [value for row in values[start : start + width] for value in row]
            start += width
