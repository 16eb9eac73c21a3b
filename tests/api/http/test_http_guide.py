"""The guide to HTTP is run as a reader would run it: its curl calls and its Python, against a served engine."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from riverstone.api import create_app
from riverstone.api.client import Client
from riverstone.api.server import Server
from riverstone.bpmn_samples import path
from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Engine

from ...services import program

GUIDE = (Path(__file__).parents[3] / "docs" / "http.md").read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```py\n(.*?)^```", re.DOTALL | re.MULTILINE)
MARK = "=== {} ==="


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with Engine("sqlite:///:memory:", stones=stones(Cloud(), pace=0), dispatcher="threads") as engine:
        server = Server(create_app(engine), "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        yield server.url
        server.stop()
        thread.join()


def test_the_calls_of_the_guide_answer_what_it_says(served: str, tmp_path: Path) -> None:
    program("curl", package="curl")
    blocks = SHELL.findall(GUIDE)
    script = "\n".join(f"echo '{MARK.format(number)}'\n{block}" for number, block in enumerate(blocks))
    environment = {"RIVERSTONE": served, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        timeout=120,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    for number, block in enumerate(blocks):
        said = run.stdout.partition(MARK.format(number))[2].partition(MARK.format(number + 1))[0]
        promised = re.findall(r"^# -> (.*)$", block, re.MULTILINE)
        # These stones take no time, so what begins may be over when it is answered.
        assert [text for text in promised if text not in said and text.replace(".begin", ".success") not in said] == []
        assert promised or "until" in block


def test_the_python_of_the_guide_prints_what_it_says(
    served: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RIVERSTONE", served)
    with Client(served) as client:
        client.deploy(path("app_server"))  # as the guide's calls before this block do
    (block,) = PYTHON.findall(GUIDE)
    exec(compile(block, "docs/http.md", "exec"), {})  # noqa: S102  (our own guide)

    promised = re.findall(r"print\(.*\)  # (.+)$", block, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == promised
