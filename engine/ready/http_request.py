"""One request of the operator's: its places are fixed, and a parameter fills in a part of one and never more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from .. import Fatal, Invalid

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/{}-]*")
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
FRAMING: Final = ("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect")
"""Headers that say where a request goes and where it ends."""
BODILESS: Final = frozenset((204, 205, 304))
"""Statuses whose answer has no body."""
MISSING: Final = object()
"""In place of a value that an answer does not have, or that was not given."""


class Filled(NamedTuple):
    """A request with the values of one task."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request, in which ``{name}`` stands for a parameter, ``{key}`` for the key of the start, and ``{outputs.name}``
    for what the task has put out.

    A text in the body that is ``{name}`` alone stands for the value with its type. A parameter that was not given is
    left out of the body, the headers and, where the request makes the thing, the query.

    Args:
        method: GET, HEAD, POST, PUT, PATCH or DELETE.
        path: Behind the origin; a value is one segment of it, or a part of one.
        query: Behind the path.
        headers: Beside those that HTTP needs; for secrets too.
        body: JSON; for secrets too.
        expect: The statuses that are a success; any from 200 to 299 unless given.
        outputs: By name, where in the answer an output stands, as ``data.items.0.id``.
        done_when: Of a look, which value has to stand where until it is done; or a list of them.
        failed_when: The same for what never will be.

    Raises:
        Invalid: For what cannot be a request.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    expect: Collection[int] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    done_when: Mapping[str, Any] = field(default_factory=dict)
    failed_when: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise Invalid(f"{self.method!r} is none of the methods {', '.join(METHODS)}.", code="stone-invalid")
        if not _PATH.fullmatch(self.path) or any(part in (".", "..") for part in self.path.split("/")):
            raise Invalid(f"{self.path!r} is no path that begins with one '/'.", code="stone-invalid")
        for name in self.headers:
            if not _TOKEN.fullmatch(name) or name.lower() in FRAMING:
                raise Invalid(f"{name!r} is no header that a request may set.", code="stone-invalid")
        reads = self.outputs or self.done_when or self.failed_when
        if reads and (self.method == "HEAD" or (self.expect and BODILESS.issuperset(self.expect))):
            text = f"The answer to {self.method} {self.path} has no body, so nothing can be read from it"
            raise Invalid(f"{text}: leave out outputs, done_when and failed_when.", code="stone-invalid")

    def is_expected(self, status: int) -> bool:
        """Whether it says that the request was a success."""
        return status in self.expect if self.expect else 200 <= status < 300

    def names(self) -> set[str]:
        """All that is filled in."""
        return {*self.shown_names(), *_names([*self.headers.values(), self.body])}

    def shown_names(self) -> set[str]:
        """What is filled in where others log it: the path and the query."""
        return set(_names([self.path, *self.query.values()]))

    def names_that_choose(self) -> set[str]:
        """What is filled in where it may say which thing the request is about: the path, the query and the body."""
        return {*self.shown_names(), *_names([self.body])}

    def filled(self, value_of: Callable[[str], Any], *, makes: bool = False) -> Filled:
        """It with the values of a task.

        Args:
            value_of: A value by its name; MISSING for a parameter that was not given.
            makes: Whether it makes the thing. Any other must not lose a part of its query: it would then find or
                remove more than the thing.

        Raises:
            Fatal: For a value that would be more than a part of its place, or is empty where it must not be.
        """

        def value(name: str) -> Any:
            found = value_of(name)
            if name.startswith("outputs.") and is_empty(found):
                raise Fatal(f"The task has put out nothing as {name[8:]!r}, which {self.method} {self.path} needs.")
            return found

        def text(place: str) -> str:
            return _PLACE.sub(lambda found: _text(found[1], value(found[1])), place)

        def is_given(place: str) -> bool:
            alone = _PLACE.fullmatch(place)
            return alone is None or value(alone[1]) not in (None, MISSING)

        target = _PLACE.sub(lambda found: _segment(found[1], value(found[1])), self.path)
        if any(part in (".", "..") for part in target.split("/")):
            raise Fatal(f"The values of {self.path} would lead to another path.")
        empty = [name for name in _names([*self.query.values()]) if not makes and is_empty(value(name))]
        if empty:
            raise Fatal(f"The value of {{{empty[0]}}} is empty, so {self.method} {self.path} would be about more.")
        query = {name: text(place) for name, place in self.query.items() if is_given(place)}
        target += f"?{urlencode(query)}" if query else ""
        headers = {name: _header(name, text(place)) for name, place in self.headers.items() if is_given(place)}
        body = _json(self.body, value, text)
        if self.body is None or body is MISSING:
            return Filled(self.method, target, headers, None)
        headers.setdefault("Content-Type", "application/json")
        sent = json.dumps(body, ensure_ascii=False, default=str)
        return Filled(self.method, target, headers, sent.encode("utf-8", "replace"))

    def outputs_in(self, answer: Any, needed: Collection[str] = ()) -> dict[str, Any]:
        """What its outputs are by an answer; raises ValueError where one is missing, or empty and ``needed``."""
        found = {name: value_in(answer, place) for name, place in self.outputs.items()}
        missing = [
            self.outputs[name]
            for name, value in found.items()
            if value is MISSING or (name in needed and is_empty(value))
        ]
        if missing:
            raise ValueError(f"the answer has no {', '.join(missing)}")
        return found


def value_in(answer: Any, place: str) -> Any:
    """What stands at ``data.items.0.id`` of an answer; MISSING where nothing does."""
    for part in place.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(part, MISSING)
        elif isinstance(answer, list) and part.isdecimal() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return MISSING
    return answer


def holds(answer: Any, conditions: Mapping[str, Any]) -> bool:
    """Whether each place of an answer has its value, or one of them."""
    return all(
        # One by one, since what stands there may be a list or an object, which no set takes.
        any(value_in(answer, place) == each for each in _one_of(wanted))
        for place, wanted in conditions.items()
    )


def is_empty(value: Any) -> bool:
    """Whether a value names nothing: it is null, an empty text, or was not given."""
    return value is None or value is MISSING or value == ""


def _one_of(wanted: Any) -> Collection[Any]:
    return wanted if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]


def _names(places: list[Any]) -> Iterator[str]:
    for place in places:
        if isinstance(place, str):
            yield from _PLACE.findall(place)
        elif isinstance(place, Mapping):
            yield from _names([*place.values()])
        elif isinstance(place, (list, tuple)):
            yield from _names([*place])


def _json(place: Any, value_of: Callable[[str], Any], text: Callable[[str], str]) -> Any:
    if isinstance(place, str):
        whole = _PLACE.fullmatch(place)
        return text(place) if whole is None else value_of(whole[1])
    if isinstance(place, Mapping):
        members = {name: _json(each, value_of, text) for name, each in place.items()}
        return {name: each for name, each in members.items() if each is not MISSING}
    if isinstance(place, (list, tuple)):
        return [each for each in (_json(part, value_of, text) for part in place) if each is not MISSING]
    return place


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        raise Fatal(f"The value of {{{name}}} is a list or an object, which fits only as a whole value of the body.")
    return "" if is_empty(value) else str(value)


def _segment(name: str, value: Any) -> str:
    text = _text(name, value)
    # Without it the request would be about all that there is, and some servers take a coded slash for one.
    if not text or any(part in (".", "..") for part in re.split(r"[/\\]", text)):
        raise Fatal(f"The value of {{{name}}} is empty or leads to another path.")
    return quote(text, safe="", errors="replace")


def _header(name: str, value: str) -> str:
    if not value.isprintable() or not all(ord(sign) < 256 for sign in value):
        raise Fatal(f"The value of the header {name} holds a sign that headers cannot have.")
    return value
