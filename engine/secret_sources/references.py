"""References to secrets in models: ``secret:OWNER/NAME`` or ``secret:shared/NAME``, perhaps with ``#FIELD`` behind."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import Invalid

PREFIX = "secret:"
SHARED = "shared"
"""The first part of a name that processes of every owner may use."""
# No part begins with a dot, so none of them leads out of a folder.
_PART = r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}"
_REFERENCE = re.compile(rf"secret:({_PART}(?:/{_PART}){{1,7}})(?:#({_PART}))?")


class SecretReference(NamedTuple):
    """One secret: the parts of its name, of which the first says who may use it, and the field of it if it has some."""

    parts: tuple[str, ...]
    field: str | None

    def __str__(self) -> str:
        return PREFIX + "/".join(self.parts) + (f"#{self.field}" if self.field is not None else "")

    def refuse_other(self, owner: str | None) -> None:
        """Raise Invalid where a process of this owner may not use it."""
        if self.parts[0] != SHARED and (owner is None or self.parts[0] != owner):
            whose = "without an owner" if owner is None else f"of the owner {owner!r}"
            text = f"A process {whose} may not use {str(self)!r}: its first part has to be"
            allowed = repr(SHARED) if owner is None else f"{owner!r} or {SHARED!r}"
            raise Invalid(f"{text} {allowed}.", code="secret-refused")


def is_reference(value: object) -> bool:
    """Whether a value is written as a reference, well or badly."""
    return isinstance(value, str) and value.startswith(PREFIX)


def read_reference(text: str) -> SecretReference:
    """The secret that a text refers to; raises Invalid."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        told = "write secret:OWNER/NAME or secret:shared/NAME, of letters, digits, dots, hyphens and underscores"
        raise Invalid(
            f"{shown!r} refers to no secret: {told}, with #FIELD behind for one field.", code="secret-invalid"
        )
    return SecretReference(tuple(found[1].split("/")), found[2])
