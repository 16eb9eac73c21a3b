"""Quotas as people and programs see them: over HTTP, by the client and the command line, in settings and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from riverstone.api import create_app
from riverstone.api.cli import main
from riverstone.api.settings import Settings
from riverstone.engine import Engine, Invalid, Quota, Stone, TaskInfo
from riverstone.engine.metrics import Metrics

from ...features.sketch import line, service
from ..asking import Client


class Server(Stone):
    """A server that nobody waits for."""

    code = "server"
    monitor_interval = 3600.0

    def start(self, task: TaskInfo) -> None:
        pass

    def monitor(self, task: TaskInfo) -> bool:
        return False


@pytest.fixture
def database(tmp_path: Path) -> str:
    """One on which of two tenants three servers are made or wait, one at a time for each account."""
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, stones=[Server], quotas={"server": Quota(at_once=1, by="account")}) as engine:
        engine.deploy(line("shop", service("a", "server", {"account": "${account}"})))
        for owner, account in (("acme", "A"), ("acme", "A"), ("zoo", "B")):
            engine.start(key="shop", name="it", owner=owner, variables={"account": account})
    return url


def test_who_may_see_all_sees_every_quota(database: str) -> None:
    with Engine(database, passive=True) as engine:
        client = Client(create_app(engine))
        found = client.get("/quota").json["items"]
        assert [(each["value"], each["held"], each["waiting"], each["atOnce"]) for each in found] == [
            ("A", 1, 1, 1),
            ("B", 1, 0, 1),
        ]
        part = client.get("/quota?limit=1").json
        assert client.get(f"/quota?cursor={part['cursor']}").json["items"] == found[1:]
        assert client.get("/quota?name=other").json["items"] == []
        assert client.get("/quota?cursor=x").status_code == 422


def test_an_owner_sees_what_is_used_of_theirs(database: str) -> None:
    with Engine(database, passive=True) as engine:
        found = engine.owned_by("zoo").quotas().items
        assert [(each.value, each.held) for each in found] == [("B", 1)]


def test_the_metrics_count_who_waits(database: str) -> None:
    with Engine(database, passive=True) as engine:
        text = Metrics(engine).text().decode()
    assert 'riverstone_quota_tasks{quota="server",state="held"} 2.0' in text
    assert 'riverstone_quota_tasks{quota="server",state="waiting"} 1.0' in text


def test_the_command_line_lists_them_and_tells_why(database: str) -> None:
    listed = CliRunner().invoke(main, ["--db", database, "quotas"]).output
    assert "server  A" in listed
    assert "1/1" in listed
    with Engine(database, passive=True) as engine:
        numbers = [each.process_instance_id for each in engine.instances().items]
        waits = next(number for number in numbers if engine.tasks(number)[0].status == "queued")
    told = CliRunner().invoke(main, ["--db", database, "why", waits]).output
    assert "waits for the quota 'server' for the value 'A': 1 of 1 are at work" in told
    assert "riverstone quotas --name server" in told


def test_a_priority_comes_over_http_and_from_the_command_line(database: str) -> None:
    with Engine(database, passive=True) as engine:
        client = Client(create_app(engine))
        body: dict[str, Any] = {"key": "shop", "processName": "it", "variables": {"account": "C"}}
        number = client.post("/process", json={**body, "priority": 7}).json["processInstanceId"]
        found = engine._store.instance(int(number))
        assert found is not None
        assert found.priority == 7
        assert client.post("/process", json={**body, "priority": "7"}).status_code == 422
    made = CliRunner().invoke(
        main, ["--db", database, "start", "--key", "shop", "--priority", "-3", "--variables", '{"account": "C"}']
    )
    assert made.exit_code == 0, made.output


def test_settings_give_stones_their_quotas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "river.toml"
    file.write_text('[quotas."Cloud::Server"]\nat_once = 5\nby = "account"\n', encoding="utf-8")
    assert Settings.read(file=str(file)).quotas == {"Cloud::Server": Quota(at_once=5, by="account")}
    monkeypatch.setenv("RIVERSTONE_QUOTAS", '{"disk": {"per_minute": 60}}')
    assert Settings.read(file=str(file)).quotas == {"disk": Quota(per_minute=60)}


@pytest.mark.parametrize("text", ["no", "[1]", '{"disk": 5}', '{"disk": {"most": 5}}', '{"disk": {"at_once": "5"}}'])
def test_wrong_settings_of_quotas_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVERSTONE_QUOTAS", text)
    with pytest.raises(Invalid):
        Settings.read()


def test_processes_that_wait_for_their_turn_are_told_over_http_and_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIVERSTONE_PROCESS_QUOTAS", '{"shop": {"at_once": 1}}')
    quotas = Settings.read().process_quotas
    assert quotas == {"shop": Quota(at_once=1)}
    url = f"sqlite:///{tmp_path}/river.db"
    with Engine(url, process_quotas=quotas) as engine:
        engine.deploy(line("shop", '<userTask id="wait"/>'))
        client = Client(create_app(engine))
        asked = {"key": "shop", "processName": "one", "variables": {}}
        first, second = [client.post("/process", json=asked).json for _ in range(2)]
        assert [each["processStatus"] for each in (first, second)] == ["running", "running"]
        (found,) = client.get("/process/search?state=quota").json["items"]
        assert (found["processInstanceId"], found["awaits"]) == (second["processInstanceId"], "quota")
        assert client.get("/process/count").json["quota"] == 1
        told = " ".join(client.get(f"/process/{found['processInstanceId']}/why").json["sentences"])
        assert "waits for the quota 'process:shop': 1 of 1 are at work" in told
        refused = client.put(f"/process/{found['processInstanceId']}/delete")
        assert (refused.status_code, refused.json["allowed"]) == (409, ["cancel"])
    listed = CliRunner().invoke(main, ["--db", url, "list", "--state", "quota"])
    assert found["processInstanceId"] in listed.output
