"""Lists as columns that stand below one another, whatever their values are and however wide their characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import click

from .terminal import printable

WIDEST = 40
"""Columns of a terminal that one column of a list has at most; a longer value stands out, and the others stay."""


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> bool:
    """Print the rows below the header, those named in ``right`` to the right; without rows nothing. Whether any was."""
    lines = list(table_lines(header, rows, right=right))
    for line in lines:
        click.echo(line)
    return bool(lines)


def table_lines(header: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Iterator[str]:
    """The lines of :func:`print_table`. The last column is as long as it is."""
    cells = [[printable("" if value is None else str(value)) for value in row] for row in rows]
    if not cells:
        return
    widths = [
        max(map(columns_of, (name, *(text for row in cells if columns_of(text := row[place]) <= WIDEST))))
        for place, name in enumerate(header)
    ]
    for row in ([*header], *cells):
        yield "  ".join(map(padded, row, widths, (name in right for name in header))).rstrip()


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: a Chinese sign two, a combining accent none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, width: int, right: bool = False) -> str:
    """The text with blanks behind it, or to its left, up to so many columns."""
    blanks = " " * (width - columns_of(text))
    return blanks + text if right else text + blanks


def _columns(sign: str) -> int:
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1
