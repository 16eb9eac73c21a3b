"""The command line tells who hears of what, and what they were told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api.cli import main
from riverstone.engine import Engine

from .. import processes


def run(*arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(main, ["--db", "sqlite:///cli.db", *arguments])
    assert (result.exit_code == 1) is fails, result.output
    assert "Traceback" not in result.output
    return result.output


def test_subscriptions_and_notices_are_seen_to_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = "https://hooks.example.com/x"
    assert "has not listed it" in run("webhook", "add", url, fails=True)
    monkeypatch.setenv("RIVERSTONE_WEBHOOKS", "hooks.example.com")
    added = run("webhook", "add", url, "--key", "asking").split()[0]
    assert added in run("webhook", "list")
    with Engine("sqlite:///cli.db", webhooks=["hooks.example.com"]) as engine:
        engine.deploy(processes.asking())
    run("start", "--key", "asking", "--name", "x", "--callback-url", url)
    header, *told = run("webhook", "notices").splitlines()
    assert header.split() == ["ID", "CREATED", "EVENT", "PROCESS", "STATUS", "URL", "REASON"]
    assert len(told) == 4
    assert all("pending after 0" in line for line in told)
    assert "is sent again" in run("webhook", "replay", told[0].split()[0])
    assert "list them" in run("webhook", "replay", "nothing", fails=True)
    assert run("webhook", "secret").startswith("whsec_")
    assert added in run("webhook", "remove", added)
    assert run("webhook", "list") == "There is no subscription.\n"


def test_a_stone_of_workers_over_http_is_declared_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "create.rollback" in run("stone", "declare", "create", "--hook", "start", "--hook", "rollback")
    Path("model.bpmn").write_bytes(processes.serviced("other", "elsewhere"))
    assert "elsewhere" in run("deploy", "model.bpmn", fails=True)
    run("deploy", "--external", "model.bpmn")
    with Engine("sqlite:///cli.db") as engine:
        hooks = {each.code: each.hooks for each in engine.stones_declared()}
    assert hooks == {"create": ("start", "rollback"), "elsewhere": ("start",)}


def test_a_key_for_work_lists_its_topics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "rsk_" in run("key", "add", "mailer", "--scope", "work", "--topic", "mail.*", "--topic", "bill")
    assert "mail.* bill" in run("key", "list")
    assert "Topics are for keys" in run("key", "add", "other", "--scope", "read", "--topic", "x", fails=True)


def test_a_key_names_its_person_and_their_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(
        "key",
        "add",
        "laptop",
        "--scope",
        "run",
        "--user",
        "ann@example.com",
        "--group",
        "ops",
        "--group",
        "Key Accounts",
    )
    run("key", "add", "crew", "--scope", "run", "--group", "ops")
    assert run("key", "list").splitlines()[1].endswith("  ann@example.com in Key Accounts, ops")
    assert "nobody in ops" in run("key", "list")
    assert "Users and groups are" in run("key", "add", "other", "--scope", "run", "--user", " ann", fails=True)
