"""The files of forms: those that are deployed together with models, and copies of those of other deployments."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from .....models.catalogue import NEWEST, WantedVersion
from .... import jsontext
from ....errors import RiverstoneError
from ....limits import Limits


def is_form(source: bytes) -> bool:
    """Whether a file is JSON, as those of forms are, and no XML."""
    return source.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


FILE = "riverstoneFile"
"""The member of a schema that keeps the name of its file."""
COPY = "riverstoneCopy"
"""The member of a copy that keeps which version of the form was asked for."""


class FormLink(NamedTuple):
    """Which form a model shows."""

    name: str
    version: WantedVersion = NEWEST
    together: bool = False
    """Whether only a form counts that is deployed with the model."""


Elsewhere: TypeAlias = Callable[[FormLink], bytes | None]
"""Finds a form among other deployments, and makes a copy of it."""


def with_name(source: bytes, name: str | None) -> bytes:
    """The file of a form with its own name in it."""
    schema = _object(source)
    if name is None or schema is None or FILE in schema:
        return source
    return _written({**schema, FILE: name})


def copied(sources: Sequence[bytes], link: FormLink) -> bytes | None:
    """A copy of the form that is linked, which these files of a deployment hold."""
    for source in filter(is_form, sources):
        schema = _object(source)
        if schema is not None and schema.get("id") == link.name and COPY not in schema:
            return _written({**schema, COPY: str(link.version)})
    return None


def is_copy(source: bytes) -> bool:
    """Whether a file was copied from another deployment, and not written for this one."""
    return is_form(source) and COPY.encode() in source and COPY in (_object(source) or {})


class FormFiles:
    """The forms that models show: their own, then with ``elsewhere`` those of other deployments, then copies."""

    def __init__(
        self, sources: Sequence[bytes] = (), names: Sequence[str | None] = (), elsewhere: Elsewhere | None = None
    ) -> None:
        self._given = list(zip(sources, names, strict=True))
        self._elsewhere = elsewhere
        self._own: dict[str, Any] | None = None
        self._copies: dict[tuple[str, str], tuple[bytes, Any]] = {}
        self._found: dict[FormLink, bytes | None] = {}
        self.unreadable: list[str] = []

    def find(self, link: FormLink, limits: Limits) -> Any:
        """The schema that is linked by its id, or by the name of its file; None where there is none."""
        own = self._read(limits).get(link.name)
        if own is not None and link.version.number is None and link.version.tag in (None, own.get("versionTag")):
            return own
        _, copy = self._copies.get((link.name, str(link.version)), (b"", None))
        if self._elsewhere is None:
            # What was deployed is shown as it was, also by a version that did not look at the binding.
            return own if copy is None else copy
        if link.together:
            return None
        if link not in self._found:
            self._found[link] = self._elsewhere(link)
        source = self._found[link]
        return copy if source is None else jsontext.loads(source, limits=limits, name=link.name)

    def own(self, limits: Limits) -> dict[str, str | None]:
        """The ids of the forms that are deployed with the models, each with its version tag."""
        named = {str(each["id"]): each.get("versionTag") for each in self._read(limits).values() if each.get("id")}
        return {name: tag if isinstance(tag, str) and tag else None for name, tag in named.items()}

    @property
    def copies(self) -> list[bytes]:
        """The copies that the models need, as they are kept with them."""
        needed: list[bytes] = []
        for link, found in self._found.items():
            kept, _ = self._copies.get((link.name, str(link.version)), (None, None))
            needed += [each for each in (kept if found is None else found,) if each is not None]
        return needed

    def stands(self) -> bool:
        """Whether the other deployments hold what was found, or not found, there."""
        return all(self._elsewhere is None or self._elsewhere(link) == found for link, found in self._found.items())

    def _read(self, limits: Limits) -> dict[str, Any]:
        if self._own is not None:
            return self._own
        self._own = {}
        for source, file in self._given:
            try:
                schema = jsontext.loads(source, limits=limits, name=file or "form")
            except RiverstoneError as error:
                self.unreadable.append(f"{file or 'A form'}: {error.message}")
                continue
            if not isinstance(schema, dict):
                continue
            if COPY in schema:
                self._copies[str(schema.get("id")), str(schema[COPY])] = source, schema
                continue
            for known in (schema.get("id"), schema.get(FILE), file):
                if isinstance(known, str):
                    self._own.setdefault(known, schema)
        return self._own


def _object(source: bytes) -> dict[str, Any] | None:
    try:
        schema = json.loads(source)
    except (ValueError, RecursionError):
        return None
    return schema if isinstance(schema, dict) else None


def _written(schema: dict[str, Any]) -> bytes:
    return json.dumps(schema, ensure_ascii=False, indent=2).encode()
