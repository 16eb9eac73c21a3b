"""The parts of the manual that are written from the code: each stands between two comments of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(<!-- written from the code: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""What stands between these is replaced; what stands around them is written by hand."""


def filled(text: str, blocks: dict[str, Callable[[], str]]) -> str:
    """The page with each of its blocks as the code has it now."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]().strip()}\n\n{found[3]}", text)


def pages() -> Iterator[Path]:
    """Every page of the manual that has such blocks."""
    return (page for page in sorted(DOCS.rglob("*.md")) if BLOCK.search(page.read_text(encoding="utf-8")))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; cells may hold anything but a line's end."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell(each) for each in line) + " |" for line in lines)


def cell(text: str) -> str:
    """A text as it can stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def sentence(docstring: str | None) -> str:
    """The first sentence of a docstring, without its roles of Sphinx."""
    first = (docstring or "").strip().partition("\n\n")[0]
    return re.sub(r":\w+:`[~.]*([^`]+)`", r"`\1`", " ".join(first.split())).replace("``", "`")
