"""Stores that earlier versions have written are gone on with: every kind of waiting comes to its end."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from peewee import Database
from playhouse.migrations import Runner

from riverstone.engine import Conflict, Engine, VirtualClock
from riverstone.models.databases.database import MIGRATIONS, open_database

from ..features.world import World
from ..models.stores import bare
from .saved import ENDS, EPOCH, finish, make, variables

SINCE = {"bunches": "0007", "half": "0007", "decided": "0013"}
"""Since which schema a process is in the stores that are made."""
STORES = Path(__file__).parents[1] / "data" / "stores"


@pytest.mark.parametrize("store", sorted(STORES.glob("*.db")), ids=lambda path: path.stem)
def test_a_store_of_an_earlier_schema_is_gone_on_with(store: Path, tmp_path: Path) -> None:
    for file in (store, store.with_suffix(".json")):
        shutil.copy(file, tmp_path)

    ends = finish(tmp_path / store.name)

    assert ends == {name: ENDS[name] for name in ends}
    assert ENDS.keys() - ends.keys() <= {name for name, since in SINCE.items() if store.stem < since}


def test_a_store_of_an_earlier_schema_on_postgresql_is_gone_on_with(tmp_path: Path) -> None:
    """Its large tables are made anew; what others may do with them stays as it was."""
    file = STORES / "0042.db"
    with bare("postgresql", tmp_path) as url:
        with closing(open_database(url)) as database:
            copied(file, database, tmp_path / "migrations")
            database.execute_sql("GRANT SELECT ON task TO PUBLIC")

        assert finish(file, url) == ENDS

        with closing(open_database(url)) as database:
            kinds = dict(database.execute_sql(KINDS).fetchall())
            assert (kinds["deployment_id"], kinds["status"], kinds["steps"]) == ("uuid", "vocabulary", "int4")
            assert ("SELECT",) in database.execute_sql(GRANTS).fetchall()


KINDS = "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = 'process_instance'"
GRANTS = "SELECT privilege_type FROM pg_class, aclexplode(relacl) WHERE relname = 'task' AND grantee = 0"


def copied(file: Path, database: Database, folder: Path) -> None:
    """Give a database the schema that a file has, and the same rows."""
    folder.mkdir()
    for path in MIGRATIONS.glob("[0-9]*.py"):
        if path.name[:4] <= file.stem:
            shutil.copy(path, folder)
    Runner(database, directory=str(folder), table_name="schema_migration").up()
    database.execute_sql("DELETE FROM sequence")
    with closing(sqlite3.connect(file)) as source:
        for table in database.get_tables():
            if table != "schema_migration":
                rows = source.execute(f'SELECT * FROM "{table}"')
                names = ", ".join(f'"{column[0]}"' for column in rows.description)
                marks = ", ".join(["%s"] * len(rows.description))
                for row in rows.fetchall():
                    database.execute_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', row)


@pytest.mark.parametrize("schema", ["0003", "0012", "0017"])
def test_what_began_before_joins_were_recorded_is_refused_a_rewind_by_name(schema: str, tmp_path: Path) -> None:
    """Nobody knows what its merges have consumed; it goes on, and only it is refused."""
    for suffix in (".db", ".json"):
        shutil.copy(STORES / f"{schema}{suffix}", tmp_path)
    with Engine(f"sqlite:///{tmp_path}/{schema}.db", stones=World().stones(), clock=VirtualClock(EPOCH)) as engine:
        # What waits for a person has a task before that, and nothing of it moves by itself.
        found = {known.process_name: known.process_instance_id for known in engine.instances(limit=100).items}
        number = found["person"]
        (task, *_) = [task.task_id for task in engine.tasks(number) if task.stone is not None]
        told = f"Process {number}: It began in a version that did not note the way of its tokens, so it cannot go back."
        for call in (engine.rewind, engine.preview_rewind):
            with pytest.raises(Conflict) as refused:
                call(number, task)
            assert (refused.value.message, refused.value.code) == (told, "rewind-refused")
        element = engine.task(task).element_id
        batch = engine.batch("rewind", {"text": "person", "statuses": ["running"]}, element_id=element)
        reasons = {each.process_instance_id: each.reason for each in engine.batch_items(batch.batch_id).items}
        assert reasons[number] == told
        key = engine.get(number).key
        anew = engine.start(key=key, name="anew", variables=variables()).process_instance_id
        first = next(task.task_id for task in engine.tasks(anew) if task.stone is not None)
        assert engine.preview_rewind(anew, first).to == first


def test_a_store_made_now_could_be_kept(tmp_path: Path) -> None:
    make(tmp_path / "now.db")

    assert not [file for file in tmp_path.iterdir() if file.suffix not in (".db", ".json")]
    assert finish(tmp_path / "now.db") == ENDS


def test_each_kept_store_is_there_with_what_tells_about_it() -> None:
    """A store that git was told to ignore leaves its account behind, and its schema untested."""
    kept = {path.stem for path in STORES.glob("*.db")}

    assert kept
    assert kept == {path.stem for path in STORES.glob("*.json")}
