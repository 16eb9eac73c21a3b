"""The schema that the migrations make is the one that the tables declare, however many make it at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from peewee import Database, Model

from riverstone.models import Store
from riverstone.models.database import MIGRATIONS, migrate, open_database
from riverstone.models.tables import TABLES

from .stores import KINDS, SHARED, fresh

OPEN = """
import sys
from riverstone.models import Store
sys.stdin.readline()
stores = [Store(sys.argv[1]) for _ in range(3)]
print(len({store.new_id() for store in stores}), flush=True)
for store in stores:
    store.close()
"""
NAMES = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with fresh(request.param, tmp_path) as url:
        database = open_database(url)
        database.connect()
        try:
            yield database
        finally:
            database.close()


def columns(database: Database, table: type[Model]) -> dict[str, tuple[str, bool]]:
    """Type and whether it may be null, by column, as the database itself tells."""
    found = database.get_columns(table._meta.table_name)
    # MariaDB makes room for a text when it is to hold all characters: its name for that is all that differs.
    return {column.name: (column.data_type.lower().replace("mediumtext", "text"), column.null) for column in found}


def indexes(database: Database, table: type[Model]) -> set[tuple[tuple[str, ...], bool]]:
    return {(tuple(index.columns), bool(index.unique)) for index in database.get_indexes(table._meta.table_name)}


def test_an_empty_database_is_migrated_once(database: Database) -> None:
    assert migrate(database) == NAMES
    assert migrate(database) == []


def test_the_migrated_schema_is_the_declared_one(database: Database, tmp_path: Path) -> None:
    migrate(database)
    made: dict[str, Any] = {
        table._meta.table_name: (columns(database, table), indexes(database, table)) for table in TABLES
    }
    extra = set(database.get_tables()) - {table._meta.table_name for table in TABLES}

    with database.bind_ctx(TABLES):
        database.drop_tables(TABLES)
        database.create_tables(TABLES)

    assert extra <= {"schema_migration", "sqlite_sequence"}
    for table in TABLES:
        name = table._meta.table_name
        made_columns, made_indexes = made[name]
        assert {column: null for column, (_, null) in made_columns.items()} == {
            column: null for column, (_, null) in columns(database, table).items()
        }, name
        assert {column: kind for column, (kind, _) in made_columns.items()} == {
            column: kind for column, (kind, _) in columns(database, table).items()
        }, name
        # The migrations make further indexes, which peewee's tables cannot declare; none may be missing.
        assert indexes(database, table) <= made_indexes, name


@pytest.mark.parametrize("kind", SHARED)
def test_four_processes_at_once_make_one_schema(kind: str, tmp_path: Path) -> None:
    with fresh(kind, tmp_path) as url:
        children = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        answers = [child.communicate(timeout=60) for child in children]

        assert answers == [("3\n", "")] * 4
        store = Store(url)
        assert [name for (name,) in store.read("SELECT `name` FROM `schema_migration` ORDER BY 1")] == NAMES
        assert store.read("SELECT COUNT(*) FROM `sequence`") == [(1,)]
        store.close()


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    from riverstone.engine import Engine, StoreUnavailable

    (tmp_path / "not_sqlite.db").write_bytes(b"this is no database" * 100)
    for url in (
        f"sqlite:///{tmp_path}/no/such/folder/river.db",
        f"sqlite:///{tmp_path}/not_sqlite.db",
        "postgresql://nobody@127.0.0.1:1/none",
        "mysql://nobody@127.0.0.1:1/none",
        "oracle://x",
        "no url",
        "",
    ):
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            Engine(url)
