"""Which schema a database has, before anything of this version changes it."""

from __future__ import annotations

from ...models import StoreError
from ...models.databases.schema import read_schema
from ..errors import StoreUnavailable


def told_schema(url: str) -> str:
    """What is to be known before an upgrade, in a sentence; nothing is changed. Raises StoreUnavailable."""
    try:
        found, newest, unknown = read_schema(url)
    except StoreError as error:
        raise StoreUnavailable(f"The database cannot be opened: {error}") from error
    if found is None:
        return f"There is no store yet. This version makes one with the schema {newest}."
    if unknown is not None:
        return (
            f"The database has the schema {unknown} of a newer riverstone: use that version. This one knows the schema"
            f" {newest}."
        )
    if found == newest:
        return f"The database has the schema {found}, which is that of this version."
    return (
        f"The database has the schema {found} of an earlier version. This version changes it to {newest} when it opens"
        " it: make a backup and stop all engines first."
    )
