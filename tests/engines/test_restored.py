"""A restored database gives out no id twice, and is not touched while an engine works on it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from riverstone.engine import Conflict, Engine

from ..features.sketch import line, service
from ..services import program

PAGE = Path(__file__).parents[2] / "docs" / "backup.md"
KILLED = """
import os
from riverstone.engine import Engine
engine = Engine("sqlite:///riverstone.db")
print(engine.start(key="making", name="after the backup").process_instance_id, flush=True)
os._exit(9)
"""


def test_ids_are_skipped_only_when_no_engine_works_on_the_database(url: str) -> None:
    with Engine(url, dispatcher="threads") as server:
        server.stone("make")(lambda task: None)
        server.deploy(line("making", service("a", "make")))
        number = server.start(key="making", name="x").process_instance_id
        with Engine(url, passive=True) as operator, pytest.raises(Conflict, match=r"process \d+") as refused:
            operator.restored("1000")
        assert refused.value.code == "engines-at-work"
        assert int(server.start(key="making", name="x").process_instance_id) < 1000
    with Engine(url, passive=True) as operator:
        assert int(operator.restored("1000")) == 1001 > int(number)


def test_the_commands_of_the_manual_restore_a_file_whose_engine_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The log beside the file has what came after the backup. With a backup that is copied over the file, SQLite would
    # apply it to the copy.
    program("sqlite3", package="sqlite3")
    backup, restore = re.findall(r"^\$ (sqlite3 .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    with Engine("sqlite:///riverstone.db") as engine:
        engine.stone("make")(lambda task: None)
        engine.deploy(line("making", service("a", "make")))
        before = engine.start(key="making", name="before the backup").process_instance_id
        subprocess.run(backup, shell=True, check=True)
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert Path("riverstone.db-wal").stat().st_size

    subprocess.run(restore, shell=True, check=True)

    with Engine("sqlite:///riverstone.db", passive=True) as operator:
        assert [each.process_instance_id for each in operator.instances().items] == [before]
