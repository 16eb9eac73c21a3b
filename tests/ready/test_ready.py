"""Stones that run programs of the operator: a value is a word of a command and never more, here and elsewhere."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from marshmallow import fields

import riverstone.engine.ready
from riverstone.engine import Engine, Invalid, Stone
from riverstone.engine.ready import CommandStone, SshStone
from riverstone.engine.testkit import check_stone

from ..features.sketch import line, service


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVERSTONE_COMMANDS", str(tmp_path / "commands"))


def ran(stone: type[Stone], **variables: Any) -> tuple[str, Any]:
    """How a process with one such task has ended, and its task."""
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("one", stone.code)))
        started = engine.start(key="p", name="one", variables=variables)
        ended = engine.wait(started.process_instance_id, timeout=60)
        return ended.status, engine.tasks(started.process_instance_id)[0]


def test_they_stand_on_the_public_names_of_the_engine_alone() -> None:
    folder = Path(riverstone.engine.ready.__file__).parent
    for module in folder.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level > 1:
                assert (node.level, node.module) == (2, None), module.name
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
                assert (folder / f"{node.module}.py").exists()


def files(folder: Path) -> type[CommandStone]:
    """A file that is made by touch and removed by rm."""

    class File(CommandStone):
        code = "Ops::File"
        parameters = {"name": fields.String(load_default="made")}
        command = ("sh", "-c", 'touch "$1/$2-$3" && echo made', "sh", str(folder), "{name}", "{key}")
        undo_command = ("sh", "-c", 'rm -f "$1/$2-$3"', "sh", str(folder), "{name}", "{key}")
        check_command = ("sh", "-c", 'test -e "$1/$2-$3" || exit 3', "sh", str(folder), "{name}", "{key}")

    return File


def test_a_command_keeps_the_contract_of_stones(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    report = check_stone(files(folder), exists=lambda: list(folder.iterdir()))
    report.assert_ok()
    assert not list(folder.iterdir())


def test_what_a_command_has_made_is_looked_for(tmp_path: Path) -> None:
    stone = files(tmp_path)
    with Engine("sqlite:///:memory:", stones=[stone]) as engine:
        engine.deploy(line("p", service("one", stone.code)))
        number = engine.start(key="p", name="one", variables={}).process_instance_id
        engine.wait(number, timeout=60)
        assert [each.check for each in engine.check(number)] == ["there"]
        next(tmp_path.glob("made-*")).unlink()
        assert [each.check for each in engine.check(number)] == ["gone"]


@pytest.mark.parametrize(
    "value", ["$(touch {made})", "; touch {made}", "`touch {made}`", "a\ntouch {made}", "| touch {made}", "{key}"]
)
def test_a_value_is_one_word_whatever_it_says(tmp_path: Path, value: str) -> None:
    class Say(CommandStone):
        code = "Ops::Say"
        parameters = {"text": fields.String(required=True)}
        command = ("printf", "%s", "{text}")

    made = tmp_path / "made"
    given = value.replace("{made}", str(made))
    status, task = ran(Say, text=given)
    assert status == "success"
    assert task.outputs["output"] == given
    assert not made.exists()


def test_a_value_is_no_option_and_no_more_than_a_word(tmp_path: Path) -> None:
    class Archive(CommandStone):
        code = "Ops::Archive"
        parameters = {"text": fields.Raw(required=True)}
        command = ("tar", "cf", "/dev/null", "{text}")

    made = tmp_path / "made"
    for value in (f"--use-compress-program=touch {made}", "-rf", ["a"], {"a": 1}, "a\0b"):
        with Engine("sqlite:///:memory:", stones=[Archive]) as engine:
            engine.deploy(line("p", service("one", Archive.code)))
            try:
                number = engine.start(key="p", name="one", variables={"text": value}).process_instance_id
            except Invalid:
                continue
            assert engine.wait(number, timeout=60).status.startswith(("failed", "rollback"))
    assert not made.exists()


def test_a_secret_is_no_word_of_a_command_and_is_not_told(tmp_path: Path) -> None:
    secret = {"token": fields.String(required=True, metadata={"no_echo": True})}
    with pytest.raises(Invalid, match="seen by everybody"):
        type("Bad", (CommandStone,), {"code": "bad", "parameters": secret, "command": ("curl", "{token}")})
    with pytest.raises(Invalid, match="no parameter 'tokn'"):
        type("Bad", (CommandStone,), {"code": "bad", "parameters": secret, "command": ("curl", "{tokn}")})

    class Login(CommandStone):
        code = "Ops::Login"
        parameters = secret
        command = ("sh", "-c", 'echo "$TOKEN"; cat')
        environment = {"TOKEN": "{token}"}
        stdin = "{token}"

    status, task = ran(Login, token="hunter2hunter2")
    assert status == "success"
    assert "hunter2" not in str(task)
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("commands/*/*/begun.json"))
    assert b"hunter2" not in kept


class Server:
    """An SSH server that lets one key in, and runs what it is asked to by the shell, as they do."""

    def __init__(self, folder: Path) -> None:
        import asyncssh

        self.folder = folder
        for name in ("host", "mine", "other"):
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(folder / name)
            key.write_public_key(folder / f"{name}.pub")
            (folder / name).chmod(0o600)
        (folder / "mine.pub").rename(folder / "authorized_keys")
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(60)
        self.port = self.server.sockets[0].getsockname()[1]
        host = (folder / "host.pub").read_text().split()[:2]
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {' '.join(host)}\n")
        other = (folder / "other.pub").read_text().split()[:2]
        (folder / "known_others").write_text(f"[127.0.0.1]:{self.port} {' '.join(other)}\n")

    async def _listen(self) -> Any:
        import asyncssh

        keys = str(self.folder / "authorized_keys")
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[str(self.folder / "host")],
            authorized_client_keys=keys,
            process_factory=self._carry_out,
        )

    async def _carry_out(self, process: Any) -> None:
        child = await asyncio.create_subprocess_shell(
            process.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said, _ = await child.communicate()
        process.stdout.write(said.decode())
        process.exit(child.returncode)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.server.close)
        asyncio.run_coroutine_threadsafe(self.server.wait_closed(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    pytest.importorskip("asyncssh")
    folder = tmp_path / "ssh"
    folder.mkdir()
    server = Server(folder)
    yield server
    server.close()


def remote(server: Server, **members: Any) -> type[SshStone]:
    made: dict[str, Any] = {
        "code": "Ops::Remote",
        "hosts": {"web": f"me@127.0.0.1:{server.port}"},
        "known_hosts": str(server.folder / "known_hosts"),
        "identity": str(server.folder / "mine"),
        "parameters": {"text": fields.String(load_default="made")},
        "command": ("printf", "%s", "{text}"),
    }
    return type("Remote", (SshStone,), {**made, **members})


def test_a_command_on_another_machine_keeps_the_contract_of_stones(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    stone = remote(
        server,
        command=("touch", "{text}"),
        undo_command=("rm", "-f", "{text}"),
        check_command=("test", "-e", "{text}"),
        gone_code=1,
    )
    report = check_stone(
        stone, lambda number: {"host": "web", "text": f"{folder}/{number}"}, exists=lambda: list(folder.iterdir())
    )
    report.assert_ok()


@pytest.mark.parametrize("value", ["$(touch {made})", "'; touch {made}; '", "a\ntouch {made}"])
def test_a_value_is_one_word_for_the_shell_of_another_machine_too(server: Server, tmp_path: Path, value: str) -> None:
    given = value.replace("{made}", str(tmp_path / "made"))
    status, task = ran(remote(server), host="web", text=given)
    assert (status, task.outputs["output"]) == ("success", given)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "said",
    ["Connection refused", "No route to host", "git@host: Permission denied (publickey).", "ssh: connect to host x"],
)
def test_a_command_that_was_lost_there_has_begun_whatever_it_says(server: Server, said: str) -> None:
    _, task = ran(remote(server, command=("sh", "-c", f"echo '{said}'; exit 255")), host="web")
    assert "Nobody can tell what came of the command on web" in task.reason


def test_a_host_that_does_not_answer_has_begun_nothing(server: Server) -> None:
    nobody = {"web": "me@127.0.0.1:9", "nowhere": "me@no.such.host.invalid"}
    for host in nobody:
        _, task = ran(remote(server, hosts=nobody), host=host)
        assert f"{host} cannot be reached" in task.reason


def test_only_hosts_that_are_listed_and_known_are_spoken_to(server: Server) -> None:
    status, task = ran(remote(server), host="-oProxyCommand=touch")
    assert status != "success"
    _, task = ran(remote(server, known_hosts=str(server.folder / "known_others")), host="web")
    assert "cannot be reached" in task.reason
    _, task = ran(remote(server, identity=str(server.folder / "other")), host="web")
    assert "cannot be reached" in task.reason
    assert "Permission denied" in task.reason
    with pytest.raises(Invalid, match="needs hosts"):
        remote(server, hosts={})
