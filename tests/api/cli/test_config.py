"""One settings file says all that the options and the environment say, and goes after both."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from riverstone.api import create_app
from riverstone.api.cli import main

FILE = """
db = "sqlite:///ours.db"
stones = ["riverstone.bpmn_samples.stones"]

[serve]
port = 0
console = false

[log]
form = "json"
level = "debug"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIVERSTONE_DB", raising=False)
    (tmp_path / "river.toml").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_a_server_takes_its_settings_from_the_file(folder: Path) -> None:
    command = [sys.executable, "-m", "riverstone", "--config", "river.toml", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        assert requests.get(f"{address}/console/", timeout=60).status_code == 404
        assert requests.get(f"{address}/stone", timeout=60).json()
        assert requests.post(f"{address}/signal", json={"name": "x"}, timeout=60).ok
        server.terminate()
        assert server.wait(timeout=30) == 0
        assert '"logger":' in server.stderr.read()
    assert (folder / "ours.db").exists()


def test_options_and_the_environment_go_before_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(main, ["--config", "river.toml", "--db", "sqlite:///option.db", "list"]).exit_code == 0
    monkeypatch.setenv("RIVERSTONE_DB", "sqlite:///environment.db")
    monkeypatch.setenv("RIVERSTONE_CONFIG", "river.toml")
    assert CliRunner().invoke(main, ["list"]).exit_code == 0
    assert sorted(path.name for path in folder.glob("*.db")) == ["environment.db", "option.db"]


def test_an_application_reads_the_same_file(folder: Path) -> None:
    engine = create_app(config={"RIVERSTONE_CONFIG": "river.toml"}).extensions["riverstone"]
    assert engine.url == "sqlite:///ours.db"
    assert "SIP::EC2::Volume" in engine.stones
    engine.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("db = 1", "'db' is no text"),
        ("stones = [1]", "something other than texts"),
        ("colour = 'red'", "has no part 'colour'"),
        ("[serve]\nport = 'x'", "'port' in the part 'serve' of the settings file is no int"),
        ("[serve]\nports = 1", "has no 'ports': use console, host, port"),
        ("serve = 1", "'serve' of the settings file is no table"),
        ("[log]\nform = 'xml'", "'xml' is not one of"),
        ("[serve]\nport = 70000", "70000 is not in the range"),
        ("=", "is not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_told(folder: Path, text: str, told: str) -> None:
    (folder / "wrong.toml").write_text(text, encoding="utf-8")
    refused = CliRunner().invoke(main, ["--config", "wrong.toml", "serve"])
    assert refused.exit_code in (1, 2)
    assert told in refused.output
    assert "Traceback" not in refused.output
    assert not refused.exception or isinstance(refused.exception, SystemExit)


def test_a_settings_file_that_is_not_there_is_told_without_the_words_of_the_system(folder: Path) -> None:
    refused = CliRunner().invoke(main, ["--config", "none.toml", "serve"])
    assert refused.output == "Error: The settings file 'none.toml' cannot be read: No such file or directory.\n"
