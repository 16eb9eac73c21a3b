"""The guides' Python is run as a reader would run it: block after block, in one folder, and prints what it says."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from riverstone.engine import Engine

from .reference.blocks import filled, pages
from .reference.every import BLOCKS

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
FIRST_PAGES = ("../README.md", "../README.zh-CN.md", "../CONTRIBUTING.md", "../SECURITY.md")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\w+)\.py\n")
"""The first line of a block that is a file of the reader's project."""
PRINTS = re.compile(r"print\(.*\)  # (.+)$", re.MULTILINE)
ANCHOR = re.compile(r"\]\(([^)#:]*)#([^)]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_of_a_guide_runs_and_prints_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    guide = ModuleType("guide")
    # A dataclass looks for its annotations there.
    monkeypatch.setitem(sys.modules, "guide", guide)
    names: dict[str, Any] = guide.__dict__
    for block in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        named = FILE.match(block)
        if named is not None:
            (tmp_path / f"{named[1]}.py").write_text(block, encoding="utf-8")
            # A file of the same name belongs to another guide.
            monkeypatch.delitem(sys.modules, named[1], raising=False)
        exec(compile(block, page, "exec"), names)  # noqa: S102  (our own guides)
        printed = capsys.readouterr().out.splitlines()
        assert set(PRINTS.findall(block)) <= set(printed)
    assert not [name for name, each in names.items() if isinstance(each, Engine) and not each._pump.closed], "left open"


@pytest.mark.parametrize("page", [*FIRST_PAGES, *PAGES])
def test_what_a_page_links_to_exists(page: str) -> None:
    place = DOCS / page
    missing = [link for link in LINK.findall(place.read_text(encoding="utf-8")) if not (place.parent / link).exists()]

    assert not missing


@pytest.mark.parametrize("page", [*FIRST_PAGES, *PAGES])
def test_the_section_that_a_page_links_to_exists(page: str) -> None:
    place = (DOCS / page).resolve()
    missing = []
    for target, anchor in ANCHOR.findall(FENCE.sub("", place.read_text(encoding="utf-8"))):
        other = (place.parent / target).resolve() if target else place
        if other.suffix == ".md" and other.exists() and anchor not in _sections(other):
            missing.append(f"{target}#{anchor}")

    assert not missing


@cache
def _sections(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges and MkDocs make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("place", list(pages()), ids=lambda place: str(place.relative_to(DOCS)))
def test_what_a_page_takes_from_the_code_is_what_the_code_says_now(place: Path) -> None:
    text = place.read_text(encoding="utf-8")
    assert text == filled(text, BLOCKS), "run: .venv/bin/python -m tests.reference"


def test_the_map_of_the_code_names_every_module_and_no_other() -> None:
    """docs/inside.md: a table for each folder, a row for each module."""
    page = (DOCS / "inside.md").read_text(encoding="utf-8")
    told: set[str] = set()
    for room in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        folder = room.split("`")[1]
        told |= {f"{folder}{name}" for name in re.findall(r"^\| `(\w+)` \| \S", room, re.MULTILINE)}
    root = DOCS.parent
    modules = [path for part in ("engine", "models", "api") for path in (root / part).rglob("*.py")]
    there = {
        str(path.relative_to(root).with_suffix(""))
        for path in modules
        if path.name != "__init__.py" and path.parent.name != "migrations"
    }

    assert told == there
