"""The manual as a site: every page in its place, every link and anchor leading somewhere, nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .blocks import ROOT

FOREIGN = re.compile(r"""<(?:script|link|img)[^>]+(?:src|href)=["']?https?://[^"' >]+""")


@pytest.mark.slow
def test_the_site_is_built_strictly_and_fetches_nothing_from_another_host(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None and not os.environ.get("CI"):
        pytest.skip("MkDocs is not installed: python3 dev.py setup installs it")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}

    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    assert built.returncode == 0, built.stdout + built.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    assert [found for page in pages for found in FOREIGN.findall(page.read_text(encoding="utf-8"))] == []
