"""Which process instances a list is to hold, and by which index they are found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

from ..databases.guard import Kind
from ..databases.statements import marks
from ..vocabulary import Awaits, InstanceKind, ProcessState, ProcessStatus
from ..words import words_in

STARS = re.compile(r"\*+")


class Condition(NamedTuple):
    """What an instance must have: SQL of ``p``, its row, with values; and how an index finds all that have it."""

    sql: str
    values: tuple[Any, ...] = ()
    table: str | None = None
    """Whose index has the ids of those that have it; None where there is none."""
    by: str = ""
    """What that index is asked: SQL of ``d``, a row of this table, with the same values."""
    ordered: bool = True
    """Whether it gives the ids in their order."""
    by_values: tuple[Any, ...] | None = None
    """Of ``by``, where its values are others."""
    column: str | None = None
    """The one that ``by`` wants to equal its first value, where the index begins with it."""

    @property
    def sought(self) -> tuple[Any, ...]:
        """The values of ``by``."""
        return self.values if self.by_values is None else self.by_values

    def asked(self, kind: Kind) -> tuple[str, tuple[Any, ...], tuple[str, ...]]:
        """What the index is asked on this kind of database, the values, and what has to come first in the order.

        PostgreSQL may expect that nearly all have what few have, and then seek them in the order of the list. It takes
        a value as known and its column out of the order; asked for a range of one value, only this index has the order.
        """
        if kind != "postgresql" or self.column is None:
            return self.by, self.sought, ()
        column = f"d.`{self.column}`"
        by = self.by.replace(f"{column} = ?", f"{column} >= ? AND {column} <= ?", 1)
        return by, (self.sought[0], *self.sought), (column,)


class InstanceFilter(NamedTuple):
    """What instances must have to be found; None and nothing do not matter. Times are milliseconds since 1970."""

    statuses: tuple[ProcessStatus, ...] = ()
    state: ProcessState | None = None
    kind: InstanceKind | None = None
    key: str | None = None
    name: str | None = None
    text: str | None = None
    """Words of the name and the business key, or what these begin with, a part of the key, or the whole id; in any
    case; of the newest also what stands inside of words."""
    business_key: str | None = None
    stone: str | None = None
    """The code of a stone that one of its own tasks is of."""
    deployments: tuple[str, ...] | None = None
    """With ``stone``, the versions whose processes have used it, where they are few."""
    element: str | None = None
    """The id of an element at which it stands."""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Names of searchable variables, with the digests of the value that each must have."""
    failure: Literal["failed", "attention"] | None = None
    """Whether there is an error to be told: its work has failed, or it needs somebody."""
    error: str | None = None
    """With ``failure``, what may be a part of that error's text in any case, as it is shown."""
    started_from: int | None = None
    started_before: int | None = None
    ended_from: int | None = None
    ended_before: int | None = None
    owner: str | None = None

    def conditions(self) -> list[Condition]:
        """All that is asked for but the text, what an index answers most narrowly first."""
        return [*self._told(), *self._standing(), *self._named(), *self._timed(), *self._looked_at()]

    def _named(self) -> Iterator[Condition]:
        for column, value in (("business_key", self.business_key), ("key", self.key), ("owner_name", self.owner)):
            if value is not None:
                yield having(column, value)
        if self.kind == "start":
            yield IS_START
        elif self.kind is not None:
            yield having("kind", self.kind, but="start")
        if self.name is not None:
            yield Condition("p.`name` = ?", (self.name,))
            # Any of its words finds all that have it; the longest may be the rarest.
            if longest := max(words_in(self.name), key=len, default=""):
                yield Condition("1 = 1", table="word", by="d.`word` = ?", by_values=(longest,), column="word")

    def _told(self) -> Iterator[Condition]:
        for name, digests in self.values:
            sql = f"{{}}.`name` = ? AND {{}}.`digest` IN ({marks(digests)})"
            own, one = sql.replace("{}", "d"), len(digests) == 1
            yield Condition(_exists("variable", sql), (name, *digests), "variable", own, one)
        if self.stone is not None:
            if self.deployments is None:
                yield _of_row(f"{{}}.{OF_STONE}", self.stone, ordered=False)
            else:
                yield _of_row(f"{{}}.`deployment_id` IN ({marks(self.deployments)})", *self.deployments, ordered=False)
            yield Condition(_exists("task", "{}.`stone` = ?"), (self.stone,))

    def _standing(self) -> Iterator[Condition]:
        state, statuses = self.state, self.statuses
        if state == "running":
            yield _of_row("{}.`phase` <> 'ended' AND {}.`awaits` IS NULL")
        elif state is not None:
            yield having("awaits" if state in get_args(Awaits) else "outcome", state)
        if statuses == ("success",):
            # Most have it, and no index of their statuses has them too.
            yield _of_row("{}.`outcome` = ? AND {}.`status` = 'success'", "success")._replace(column="outcome")
        elif len(statuses) == 1:
            yield having("status", statuses[0], but="success")
        elif statuses:
            yield Condition(f"p.`status` IN ({marks(statuses)})", statuses)
        if self.element is not None:
            yield _ACTIVE
            yield Condition(AT_ELEMENT, (self.element, self.element, f"{plain(self.element)}:%"))

    def _timed(self) -> Iterator[Condition]:
        for column, since, before in (
            ("started", self.started_from, self.started_before),
            ("ended", self.ended_from, self.ended_before),
        ):
            parts = {f"{{}}.`{column}` >= ?": since, f"{{}}.`{column}` < ?": before}
            given = {part: value for part, value in parts.items() if value is not None}
            if given:
                yield _of_row(" AND ".join(given), *given.values(), ordered=False)

    def _looked_at(self) -> Iterator[Condition]:
        if self.failure is not None:
            yield having("awaits" if self.failure == "attention" else "outcome", self.failure)
        if self.failure is not None and self.error is not None:
            like = _part(self.error), _part(self.error.lower())
            told = (SAYS_IT, *MAY_SAY_IT) if self.failure == "attention" else (SAYS_IT,)
            yield Condition(f"({' OR '.join(told)})", like * len(told))


def having(column: str, value: str | int, *, but: str | None = None) -> Condition:
    """What has this value in a column with an index, in which what most have is left out."""
    sql = f"{{}}.`{column}` = ?" if but is None else f"{{}}.`{column}` = ? AND {{}}.`{column}` <> '{but}'"
    return _of_row(sql, value)._replace(column=column)


def _of_row(sql: str, *values: Any, ordered: bool = True) -> Condition:
    """What a column of the instance itself must have, which has an index with the id."""
    return Condition(sql.replace("{}", "p"), values, "process_instance", sql.replace("{}", "d"), ordered)


def _exists(table: str, sql: str) -> str:
    inside = f"SELECT 1 FROM `{table}` AS x WHERE x.`process_instance_id` = p.`process_instance_id`"
    return f"EXISTS ({inside} AND {sql.replace('{}', 'x')})"


IS_START = Condition("p.`kind` = 'start'")
HAS_ENDED = Condition("p.`ended` IS NOT NULL")
_ACTIVE = _of_row("{}.`phase` <> 'ended'")
_INSTANCE = "x.`process_instance_id` = p.`process_instance_id`"
OF_STONE = "`deployment_id` IN (SELECT `deployment_id` FROM `stone_use` WHERE `stone` = ?)"
# A token on one part of an element bears the element's id with that of the part.
AT_ELEMENT = (
    f"(EXISTS (SELECT 1 FROM `task` AS x WHERE {_INSTANCE} AND x.`open` = 1 AND x.`node` = ?)"
    f" OR EXISTS (SELECT 1 FROM `token` AS x WHERE {_INSTANCE} AND (x.`node` = ? OR x.`node` LIKE ? ESCAPE '!')))"
)
_LIKE = "(x.`reason` LIKE ? ESCAPE '!' OR LOWER(x.`reason`) LIKE ? ESCAPE '!')"
SAYS_IT = _LIKE.replace("x.", "p.")
MAY_SAY_IT = (
    f"EXISTS (SELECT 1 FROM `task` AS x WHERE {_INSTANCE} AND {_LIKE})",
    "EXISTS (SELECT 1 FROM `process_instance` AS x WHERE x.`process_instance_id`"
    f" IN (p.`rollback_id`, p.`cancel_id`, p.`delete_id`) AND {_LIKE})",
)
"""Of one that needs somebody: what a task of it, or an undo, says."""


def plain(text: str) -> str:
    """A text as a pattern holds it."""
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return text


def _part(text: str) -> str:
    """A pattern for what may hold this text as it is shown: any text may be hidden behind stars."""
    return f"%{STARS.sub('%', plain(text))}%"
