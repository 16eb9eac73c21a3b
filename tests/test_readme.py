"""The README, in both languages, and the tutorial about a service are run as a reader runs them: block after block."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .guide import play
from .services import program

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/to-a-service.md"])
def test_every_block_does_what_it_says(page: str, tmp_path: Path) -> None:
    program("curl", package="curl")

    assert play(ROOT / page, tmp_path) >= 2


def test_the_commands_are_those_of_dev_py() -> None:
    commands = set(re.findall(r"python3 dev\.py (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    usage = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert commands <= set(re.search(r"dev\.py ([a-z|]+)", usage)[1].split("|"))  # type: ignore[index]
