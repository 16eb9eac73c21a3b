"""A commit as one statement of PostgreSQL: its values are read there as what they are."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from riverstone.models.commit.one_statement import array

from .stores import fresh

TEXTS = [
    "",
    " ",
    "plain",
    'a "quoted" one',
    "back\\slash",
    "{a,b}",
    "NULL",
    "None",
    "a\nb\tc",
    "'",
    ",",
    "水",
    "\x01\x1f",
]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (TEXTS, "text"),
        ([*TEXTS, None], "text"),
        ([None, None], "text"),
        *(([text], "text") for text in TEXTS),
        ([1, -2, 10**15], "bigint"),
        ([1, None, 0], "bigint"),
        ([7], "bigint"),
        ([0.1, -1e300, None, float("inf")], "double precision"),
        ([], "text"),
    ],
)
def test_an_array_is_read_as_it_was(values: list[object], kind: str, tmp_path: Path) -> None:
    with fresh("postgresql", tmp_path) as url, psycopg.connect(url) as connection:
        found = connection.execute(f"SELECT %s::{kind}[]", (array(values),)).fetchone()
    assert found == (values,)


@pytest.mark.parametrize("values", [["a\0b"], ["a\0b", "c"], ["a", "\0"]])
def test_a_text_that_cannot_be_stored_is_refused_and_not_split(values: list[str], tmp_path: Path) -> None:
    with (
        fresh("postgresql", tmp_path) as url,
        psycopg.connect(url) as connection,
        pytest.raises(psycopg.DataError, match="NUL"),
    ):
        connection.execute("SELECT %s::text[]", (array(values),))
