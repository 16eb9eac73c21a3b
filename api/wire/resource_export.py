"""What exists as one text, made part by part while it is read: a list in JSON, or a table with commas."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

from ...engine import Page, Resource
from .answer import encoded
from .records import ResourceRecord

AT_ONCE = 500
RECORD = ResourceRecord()
COLUMNS = tuple(field.data_key or name for name, field in RECORD.dump_fields.items())
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With what a cell begins that spreadsheets would calculate (CWE-1236): stones and tenants put out any text."""


def parts(ask: Callable[..., Page[Resource]]) -> Iterator[Page[Resource]]:
    """All of it. The first part is asked for before anything is written, since it may be refused."""
    return _following(ask(limit=AT_ONCE), ask)


def _following(part: Page[Resource], ask: Callable[..., Page[Resource]]) -> Iterator[Page[Resource]]:
    yield part
    while part.cursor is not None:
        part = ask(limit=AT_ONCE, cursor=part.cursor)
        yield part


def json_texts(pages: Iterator[Page[Resource]]) -> Iterator[str]:
    """The pieces of one JSON list."""
    between = "["
    for page in pages:
        for each in page.items:
            yield f"{between}{encoded(RECORD.dump(each))}"
            between = ",\n"
    yield "]\n" if between != "[" else "[]\n"


def csv_texts(pages: Iterator[Page[Resource]]) -> Iterator[str]:
    """The pieces of a table as RFC 4180 has it; what is nested is JSON."""
    yield _lines([COLUMNS])
    for page in pages:
        yield _lines([_cell(value) for value in RECORD.dump(each).values()] for each in page.items)


def _lines(rows: Any) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else encoded(value)
    return f"'{text}" if text.startswith(FORMULA) else text
