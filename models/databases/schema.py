"""Which schema a database has, and which this version would make of it: asking changes nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from peewee import Database, PeeweeException, SqliteDatabase
from playhouse.db_url import parse
from playhouse.migrations import Runner

from ..errors import StoreError
from .database import MIGRATIONS, open_database


class Schema(NamedTuple):
    """The last migrations, by name: of the database (None where it holds no store), and of this version."""

    found: str | None
    newest: str
    unknown: str | None
    """The last that a newer version has made of the database."""


def read_schema(url: str) -> Schema:
    """The schema of the database at an address; raises StoreError where it does not answer."""
    newest = max(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))
    database: Database
    if url.startswith("sqlite"):
        path = str(parse(url)["database"])
        if not os.path.exists(path):
            return Schema(None, newest, None)
        # Opened as an engine does, it would be set to another journal.
        database = SqliteDatabase(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
    else:
        database = open_database(url)
    try:
        with database.connection_context():
            status = Runner(database, directory=os.fspath(MIGRATIONS), table_name="schema_migration").status()
    except PeeweeException as error:
        raise StoreError(str(error)) from error
    found = max((each.name for each in status if each.applied), default=None)
    unknown = max((each.name for each in status if each.path is None), default=None)
    return Schema(found, newest, unknown)
