"""Stores that earlier versions have written are gone on with: every kind of waiting comes to its end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .saved import ENDS, finish, make

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


def test_a_store_made_now_could_be_kept(tmp_path: Path) -> None:
    make(tmp_path / "now.db")

    assert not [file for file in tmp_path.iterdir() if file.suffix not in (".db", ".json")]
    assert finish(tmp_path / "now.db") == ENDS


def test_each_kept_store_is_there_with_what_tells_about_it() -> None:
    """A store that git was told to ignore leaves its account behind, and its schema untested."""
    kept = {path.stem for path in STORES.glob("*.db")}

    assert kept
    assert kept == {path.stem for path in STORES.glob("*.json")}
