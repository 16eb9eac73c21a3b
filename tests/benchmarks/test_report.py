"""What benchmarks have measured is kept, and shown as the history of each figure."""

from __future__ import annotations

from pathlib import Path

from .history import Run, histories
from .report import main
from .table import Row


def test_each_figure_is_shown_with_its_history_by_commit(tmp_path: Path) -> None:
    kept, page = tmp_path / "kept.jsonl", tmp_path / "page.html"
    for day, figure in enumerate(("1,204 ms CPU", "0.5 ms CPU", "0.25 ms CPU")):
        run = Run(f"c{day}", f"2026-01-0{day + 1}T00:00:00+00:00", "3.11", "m")
        run.add(kept, "lists", Row("a <page>", figure, target="<= 1 ms", met=day > 0))
    Run.now().add(kept, "lists", Row("a peer is missing", ""))

    (points, missing) = histories([kept]).values()
    assert [(point.commit, point.number, point.unit) for point in points] == [
        ("c0", 1204.0, "ms"),
        ("c1", 0.5, "ms"),
        ("c2", 0.25, "ms"),
    ]
    assert missing[0].number is None
    assert main([str(kept), str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("<circle") == 3
    assert "c1: 0.5 ms CPU" in text
    assert "a &lt;page&gt;" in text
    assert "&lt;= 1 ms met" in text
    assert main([str(kept)]) == 2
