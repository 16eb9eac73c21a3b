"""The files of forms that are deployed together with models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .... import jsontext
from ....errors import RiverstoneError
from ....limits import Limits


def is_form(source: bytes) -> bool:
    """Whether a file is JSON, as those of forms are, and no XML."""
    return source.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"


FILE = "riverstoneFile"
"""The member of a schema that keeps the name of its file."""


def with_name(source: bytes, name: str | None) -> bytes:
    """The file of a form with its own name in it."""
    try:
        schema = json.loads(source)
    except (ValueError, RecursionError):
        return source
    if name is None or not isinstance(schema, dict) or FILE in schema:
        return source
    return json.dumps({**schema, FILE: name}, ensure_ascii=False, indent=2).encode()


class FormFiles:
    """The forms that are deployed together with models."""

    def __init__(self, sources: Sequence[bytes] = (), names: Sequence[str | None] = ()) -> None:
        self._given = list(zip(sources, names, strict=True))
        self._read: dict[str, Any] | None = None
        self.unreadable: list[str] = []

    def find(self, name: str, limits: Limits) -> Any:
        """The schema with this id, or of the file of this name; None where there is none."""
        if self._read is None:
            self._read = {}
            for source, file in self._given:
                try:
                    schema = jsontext.loads(source, limits=limits, name=file or "form")
                except RiverstoneError as error:
                    self.unreadable.append(f"{file or 'A form'}: {error.message}")
                    continue
                if isinstance(schema, dict):
                    for known in (schema.get("id"), schema.get(FILE), file):
                        if isinstance(known, str):
                            self._read.setdefault(known, schema)
        return self._read.get(name)
