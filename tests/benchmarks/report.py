"""``python -m tests.benchmarks.report FILE... PAGE``: a page that shows each figure's history by commit.

The files are those of ``dev.py bench --json``; the page needs nothing beside itself.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from .history import Point, histories

WIDTH, HEIGHT, EDGE = 240, 36, 4
HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>riverstone: benchmarks</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 75em; color: #222; background: #fff }
table { border-collapse: collapse; width: 100% }
td, th { padding: .2em .6em; text-align: left; border-bottom: 1px solid #ddd; vertical-align: middle }
polyline { fill: none; stroke: #2563a0; stroke-width: 1.5 }
circle { fill: #2563a0 } .missed { color: #a02020 }
</style>
<h1>Benchmarks</h1>
<p>Each line goes from the oldest run to the newest; point at a dot for its commit. Times of different machines do not
compare: ratios do.</p>
"""


def page(paths: Sequence[Path]) -> str:
    """The page, as HTML."""
    parts = [HEAD]
    for benchmark, figures in groupby(histories(paths).items(), key=lambda item: item[0][0]):
        parts.append(f"<h2>{escape(benchmark)}</h2><table><tr><th>work<th>newest<th>before<th>to reach<th>history</tr>")
        parts += [_row(work, points) for (_, work), points in figures]
        parts.append("</table>")
    return "\n".join(parts) + "\n"


def _row(work: str, points: Sequence[Point]) -> str:
    newest, before = points[-1], points[-2].figure if len(points) > 1 else ""
    verdict = "" if newest.met is None else "met" if newest.met else "missed"
    cells = (work, newest.figure, before, f"{newest.target} {verdict}".strip())
    inside = "".join(f"<td>{escape(cell)}" for cell in cells)
    return f'<tr class="{verdict}">{inside}<td>{_picture(points)}</tr>'


def _picture(points: Sequence[Point]) -> str:
    """A line through all points that are numbers of the newest's unit, from zero up."""
    known = [(point, point.number) for point in points if point.unit == points[-1].unit]
    numbers = [(point, number) for point, number in known if number is not None]
    if not numbers:
        return ""
    most = max(number for _, number in numbers) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(numbers) - 1, 1)
    places = [
        (EDGE + step * index, HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * number / most)
        for index, (_, number) in enumerate(numbers)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{escape(f"{point.commit}: {point.figure}, {point.time}")}'
        "</title></circle>"
        for (x, y), (point, _) in zip(places, numbers, strict=True)
    )
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img"><polyline points="{line}"/>{dots}</svg>'


def main(arguments: Sequence[str]) -> int:
    """Write the page; 2 where the arguments are not right."""
    if len(arguments) < 2:
        print(__doc__.partition("\n")[0])
        return 2
    *files, target = map(Path, arguments)
    target.write_text(page(files), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
