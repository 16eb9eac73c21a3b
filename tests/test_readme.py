"""The Python of the README, in both languages, is run as a reader would run it: block after block, in one folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_every_python_block_does_what_its_comments_say(
    readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((ROOT / readme).read_text(encoding="utf-8"))
    assert len(blocks) >= 2
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, readme, "exec"), names)  # noqa: S102  (our own README)
        printed = capsys.readouterr().out
        promised = re.findall(r"print\(.*\)  # (success .*|delete\.success .*)$", block, re.MULTILINE)
        assert promised, "each block shows what it prints last"
        for line in promised:
            assert line in printed.splitlines()


def test_the_two_commands_are_those_of_dev_py() -> None:
    commands = set(re.findall(r"python3 dev\.py (\w+)", README.read_text(encoding="utf-8")))
    usage = (README.parent / "dev.py").read_text(encoding="utf-8")
    assert commands <= set(re.search(r"dev\.py ([a-z|]+)", usage)[1].split("|"))  # type: ignore[index]
