"""The kinds of member that requests and answers are made of, beside those of Marshmallow.

Marshmallow calls a hundred functions for one body or record. So the kinds that the usual ones are made of can do
without it: ``is_plain`` tells of a value that it is right and is taken as it is, and ``show`` shows one. Whatever is
not plain is Marshmallow's, and so is every word about what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from marshmallow import fields, validate

from ...engine import jsontext
from ...engine.clock import read_moment

STORABLE = r"^[^\x00]*$"
NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
DECIMAL_ID = r"^[1-9][0-9]{0,17}$"
TIME = "%Y-%m-%d %H:%M:%S"
TIME_FORM = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
INSTANT_FORM = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[ +-][0-9]{2}:[0-9]{2})"


class Text(fields.String):
    """A string of 1 to ``longest`` characters that as a whole has the form ``pattern``.

    ``shown`` is the form that the description tells instead, where somebody else refuses others with better words.
    """

    default_error_messages = {"pattern": "Does not have the form {pattern}."}

    def __init__(
        self, *, longest: int = 255, pattern: str = STORABLE, shown: str = "", description: str = "", **options: Any
    ) -> None:
        metadata = {"pattern": shown or pattern, **({"description": description} if description else {})}
        super().__init__(validate=validate.Length(min=1, max=longest), metadata=metadata, **options)
        self.longest = longest
        self.form = re.compile(pattern.removeprefix("^").removesuffix("$"))

    def is_plain(self, value: Any) -> bool:
        return type(value) is str and 0 < len(value) <= self.longest and self.form.fullmatch(value) is not None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if not self.form.fullmatch(text):
            raise self.make_error("pattern", pattern=self.metadata["pattern"])
        return text


class AnyText(fields.String):
    """A string of which nothing is asked."""

    def is_plain(self, value: Any) -> bool:
        return type(value) is str


class Word(fields.String):
    """One word of a vocabulary, which is a ``Literal``."""

    def __init__(self, vocabulary: Any, **options: Any) -> None:
        super().__init__(validate=validate.OneOf(get_args(vocabulary)), **options)


class Object(fields.Dict):
    """A JSON object with any members."""

    default_error_messages = {"invalid": "Not a JSON object."}

    def is_plain(self, value: Any) -> bool:
        return type(value) is dict


class Texts(fields.Dict):
    """A JSON object whose members are texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(keys=Text(), values=Text(longest=4000), **options)


class Flag(fields.Boolean):
    """``true`` or ``false`` and nothing that merely looks like it."""

    def is_plain(self, value: Any) -> bool:
        return type(value) is bool

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class FlagText(fields.Boolean):
    """The same in a query: the texts ``true`` and ``false``."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return bool(value == "true")


class Number(fields.Float):
    """A number of JSON, and no text of one."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> float:
        if type(value) not in (int, float):
            raise self.make_error("invalid", input=value)
        return float(value)


class Whole(fields.Integer):
    """A whole number of JSON: 2.7 is not cut to one, and a text is none."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class CountText(fields.Integer):
    """A whole number in a query, without sign, blanks or underscores."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> int:
        if not re.fullmatch("[0-9]{1,9}", value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Ids(fields.List[str]):
    """Decimal ids, fewer than what nobody means."""

    MOST = 10_000
    default_error_messages = {"too_many": "Has more than {most} items."}

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(pattern=DECIMAL_ID), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        # Before each of them is looked at.
        if isinstance(value, list) and len(value) > self.MOST:
            raise self.make_error("too_many", most=self.MOST)
        return super()._deserialize(value, attr, data, **options)


class Pairs(fields.List[str]):
    """OLD=NEW in a query, given as often as there are pairs; what comes of it is NEW by OLD."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(pattern=r"^[^=]+=[\s\S]+$"), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        found: dict[str, str] = {}
        for each in super()._deserialize(value, attr, data, **options):
            old, _, new = str(each).partition("=")
            found[old] = new
        return found


class LocalTime(fields.Field[datetime]):
    """A moment as ``YYYY-MM-DD HH:MM:SS`` in the server's own time zone, as the record has it."""

    def show(self, value: datetime | None) -> str | None:
        # What views hold is in that zone, as the engine and the client make it.
        return None if value is None else str(value)[: len("YYYY-MM-DD HH:MM:SS")]

    def read(self, text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text).astimezone()

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **options: Any) -> str | None:
        return self.show(value)


class LocalTimeText(fields.Field[datetime]):
    """The same in a query, where it may also be RFC 3339's, with ``T`` and an offset.

    A ``+`` that was not escaped in a query has become a space (WHATWG URL, 5.1), which nothing else can be there.
    """

    default_error_messages = {
        "invalid": "Not a time as YYYY-MM-DD HH:MM:SS, or as 2026-11-29T15:00:00+01:00, between 1971 and 9998."
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> datetime:
        try:
            if re.fullmatch(TIME_FORM, value):
                moment = datetime.strptime(value, TIME).astimezone()
            elif re.fullmatch(INSTANT_FORM, value):
                moment = read_moment(value.replace(" ", "+"))
            else:
                moment = None
        except (ValueError, OverflowError):
            moment = None
        # At the ends of the calendar there are times that have no equal in another zone.
        if moment is None or not 1970 < moment.year < 9999:
            raise self.make_error("invalid")
        return moment


class InstantText(fields.Field[datetime]):
    """A time with its offset, as RFC 3339 has it."""

    default_error_messages = {"invalid": "Not a time such as 2026-11-29T15:00:00+01:00 between 1971 and 9998."}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> datetime:
        try:
            moment = read_moment(value)
        except (TypeError, ValueError):
            raise self.make_error("invalid") from None
        if moment.tzinfo is None or not 1970 < moment.year < 9999:
            raise self.make_error("invalid")
        return moment


class Instant(LocalTime):
    """The same as RFC 3339 has it, with its offset and milliseconds, for programs."""

    def show(self, value: datetime | None) -> str | None:
        return None if value is None else value.isoformat(timespec="milliseconds")


class JsonText(fields.String):
    """A JSON object as text inside JSON, as the record has it."""

    def show(self, value: Mapping[str, Any]) -> str:
        return jsontext.dumps(dict(value))

    def read(self, text: str) -> Mapping[str, Any]:
        found: dict[str, Any] = json.loads(text)
        return found


class Always(fields.Raw):
    """A member that the record has but does not support: always null."""


class Inner(fields.Nested):
    """A record inside of another."""

    def show(self, view: Any) -> dict[str, Any] | None:
        shown: dict[str, Any] | None = None if view is None else self.schema.dump(view)
        return shown

    def read(self, content: Mapping[str, Any] | None) -> Any:
        return None if content is None else self.schema.read(content)  # type: ignore[attr-defined]


class Items(fields.List[Any]):
    """Several of one kind."""

    def show(self, values: Sequence[Any] | None) -> list[Any] | None:
        show = getattr(self.inner, "show", None)
        return None if values is None else list(values if show is None else map(show, values))

    def read(self, items: Sequence[Any] | None) -> tuple[Any, ...] | None:
        read = getattr(self.inner, "read", None)
        return None if items is None else tuple(items if read is None else map(read, items))


def shown(name: str, kind: type[fields.Field[Any]] = fields.String, **options: Any) -> Any:
    """A member of an answer, which is always present, under its outside name."""
    return kind(data_key=name, required=True, **options)
