"""What was measured, kept from run to run in a file of one JSON object a line: the history of each figure."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from .table import Row

NUMBER = re.compile(r"(?:1/)?(\d[\d,]*\.?\d*(?:e-?\d+)?) ?([^\d\s]\S*)?")
"""The first number of a figure, and its unit."""


@dataclass(frozen=True)
class Run:
    """One run of the benchmarks: of which commit, when and where."""

    commit: str
    time: str
    python: str
    machine: str

    @classmethod
    def now(cls) -> Run:
        """The run that begins now; a commit with changes that nobody has committed bears a ``+``."""
        commit = _git("describe", "--always", "--abbrev=8", "--exclude=*", "--dirty=+")
        begun = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(commit, begun, platform.python_version(), f"{platform.node()} {platform.machine()}")

    def add(self, path: Path, benchmark: str, row: Row) -> None:
        """Write one row behind those that the file has."""
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(self), "benchmark": benchmark, **asdict(row)}) + "\n")


@dataclass(frozen=True)
class Point:
    """A figure as one run has measured it."""

    commit: str
    time: str
    figure: str
    beside: str
    target: str
    met: bool | None

    @property
    def number(self) -> float | None:
        """How high it stands in a picture; None for a figure that is no number."""
        found = NUMBER.match(self.figure)
        return None if found is None else float(found[1].replace(",", ""))

    @property
    def unit(self) -> str:
        """Of what the number is."""
        found = NUMBER.match(self.figure)
        return "" if found is None else found[2] or ""


def histories(paths: Iterable[Path]) -> dict[tuple[str, str], list[Point]]:
    """The points of each figure (benchmark, work), the oldest first."""
    found: dict[tuple[str, str], list[Point]] = {}
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines() if line]
    for line in sorted(lines, key=lambda line: str(line["time"])):
        point = Point(**{name: line[name] for name in Point.__dataclass_fields__})
        found.setdefault((line["benchmark"], line["work"]), []).append(point)
    return found


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
