"""A night with an outage as its operator goes through it, on the command line and over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api import create_app
from riverstone.api.cli.main import main
from riverstone.engine import Engine

from ...features.sketch import line, service
from ..asking import Client

STONES = '''
from pathlib import Path
from marshmallow import fields
from riverstone.engine import Stone

class Make(Stone):
    """Makes a thing."""
    code = "make"
    def rollback(self, task): ...

class Rent(Stone):
    """Rents a server, while the cloud is there and there is room."""
    code = "rent"
    parameters = {"size": fields.String(load_default="any")}
    def start(self, task):
        if task.parameters["size"] == "any" and task.business_key.startswith("large"):
            raise RuntimeError("quota exceeded")
        if not Path("cloud-is-up").exists():
            raise ConnectionError("the cloud does not answer")
    def rollback(self, task): ...
'''
NIGHT = line("night", service("disk", "make"), service("net", "make"), service("server", "rent"))
SMALL = service("server", "rent", {"size": "small"})
CORRECTED = line("night", service("disk", "make"), service("net", "make"), SMALL)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setitem(sys.modules, "clouds", None)
    monkeypatch.delitem(sys.modules, "clouds")
    (tmp_path / "clouds.py").write_text(STONES, encoding="utf-8")
    (tmp_path / "night.bpmn").write_bytes(NIGHT)
    (tmp_path / "corrected.bpmn").write_bytes(CORRECTED)

    def invoke(*arguments: str, fails: bool = False) -> str:
        result = CliRunner().invoke(main, ["--stones", "clouds", *arguments])
        assert (result.exit_code == 1) is fails, result.output
        assert "Traceback" not in result.output
        assert "None" not in result.output
        return result.output

    return invoke


def test_a_night_with_an_outage(run: Callable[..., str], tmp_path: Path) -> None:
    run("deploy", "night.bpmn")
    for place in range(10):
        key = f"{'large' if place > 5 else 'small'}-{place}"
        run("start", "--key", "night", "--business-key", key, "--name", key, "--on-failure", "pause")
    found = run("list", "--state", "attention", "--started-from", "2020-01-01")
    assert (found.count("needs attention"), "small-0" in found) == (10, True)
    assert "No process matches" in run("list", "--state", "attention", "--started-before", "2020-01-01")
    why = run("reasons", "--state", "attention")
    assert "does not answer" in why
    assert "quota exceeded" in why

    outage = ("--state", "attention", "--error", "does not answer")
    assert "6" in run("batch", "start", "retry", *outage, "--preview")
    (tmp_path / "cloud-is-up").touch()
    failed = [row.split()[0] for row in run("list", *outage).splitlines()[1:]]
    assert "6" in run("batch", "start", "retry", *outage, "--rate", "1000", "--follow")
    for number in failed:
        # The batch has asked for it; whoever follows it carries it out.
        run("show", number, "--follow")
    assert len(run("list", "--status", "success").splitlines()) == 7

    version = json.loads(run("deploy", "corrected.bpmn"))["deploymentId"]
    for key in ("large-6", "large-7"):
        run("batch", "start", "migrate", "--business-key", key, "--to", version)
        run("batch", "start", "retry", "--business-key", key)
    back = ("batch", "start", "rewind", "--business-key", "large-8", "--element", "disk")
    run(*back, "--preview", "--to", version)
    run(*back, "--to", version)
    assert len(run("list", "--status", "success", "--kind", "start").splitlines()) == 10
    run("batch", "start", "rollback", "--state", "attention")
    assert "large-9" in run("list", "--status", "failed")
    assert "No process matches" in run("list", "--state", "attention")
    assert "No process is found" in run("batch", "start", "retry", *outage, fails=True)
    over_http(tmp_path)


def over_http(folder: Path) -> None:
    """The same night, looked at and tidied up by somebody in a browser."""
    with Engine(f"sqlite:///{folder}/riverstone.db") as engine:
        client = Client(create_app(engine))
        (failed,) = client.get("/process/search?state=failed&startedFrom=2020-01-01 00:00:00").json["items"]
        assert (failed["processStatus"], failed["outcome"]) == ("rollback.success", "failed")
        batches = client.get("/batch").json["items"]
        assert {each["action"]: (each["done"], each["refused"]) for each in batches} == {
            "retry": (6, 0),
            "migrate": (1, 0),
            "rewind": (1, 0),
            "rollback": (1, 0),
        }
        told = client.get(f"/process/{failed['processInstanceId']}/history").json["items"]
        assert [each["action"] for each in told if each["kind"] == "action"] == ["roll-back"]
