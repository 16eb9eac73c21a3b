"""Rows of the report: what was measured, its ratio to the floor, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass

from .measure import Spent

WIDTHS = (54, 22, 20, 14, 34)


@dataclass(frozen=True)
class Row:
    """One line; ``met`` is None where there is nothing to reach."""

    work: str
    figure: str
    beside: str = ""
    ratio: str = ""
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        cells = (self.work, self.figure, self.beside, self.ratio, self.target)
        verdict = "" if self.met is None else "met" if self.met else "MISSED"
        return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)) + f"  {verdict}"


HEAD = Row("work", "figure", "beside", "x floor", "to reach")


def timed(work: str, taken: Spent, floor: Spent | None = None, *, target: str = "", met: bool | None = None) -> Row:
    """A line of CPU milliseconds with the wall's beside it, and how many times the floor's CPU that is."""
    ratio = f"{taken.cpu / floor.cpu:.2f}" if floor else ""
    return Row(work, f"{milliseconds(taken.cpu)} CPU", f"{milliseconds(taken.wall)} wall", ratio, target, met)


def milliseconds(seconds: float) -> str:
    """Three digits that count, whatever the size."""
    value = seconds * 1000
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
