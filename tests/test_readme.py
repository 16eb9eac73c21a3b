"""The README, in both languages, is run as a reader would run it: block after block, in one folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .guide import play
from .services import program

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_every_block_does_what_it_says(readme: str, tmp_path: Path) -> None:
    program("curl", package="curl")

    assert play(ROOT / readme, tmp_path) >= 2


def test_the_commands_are_those_of_dev_py() -> None:
    commands = set(re.findall(r"python3 dev\.py (\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    usage = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert commands <= set(re.search(r"dev\.py ([a-z|]+)", usage)[1].split("|"))  # type: ignore[index]
