"""A model refers to a secret; the process that runs the hook finds it, and nobody else ever sees it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields, validate

from riverstone.engine import (
    CallbackSignature,
    Engine,
    EnvironmentSecrets,
    FileSecrets,
    Invalid,
    SecretReference,
    SecretUnavailable,
    Stone,
    TaskInfo,
    VaultSecrets,
    VirtualClock,
)
from riverstone.engine.secret_sources.references import read_reference

from .sketch import catch, line, service
from .world import World, run

VALUE = "correct-horse-battery"


class Kept:
    """A place with secrets whose values change; ``away`` does not answer."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = {name.replace("__", "/"): value for name, value in secrets.items()}
        self.away = 0
        self.asked: list[str] = []

    def find(self, reference: SecretReference) -> str | None:
        self.asked.append(str(reference))
        if self.away:
            self.away -= 1
            raise SecretUnavailable("it is closed")
        return self.secrets.get("/".join(reference.parts))


class Login(Stone):
    """Logs in with a secret, and tells of it whatever it can."""

    code = "login"
    parameters = {
        "password": fields.String(
            required=True, validate=validate.Length(min=10), metadata={"no_echo": True, "variable": True}
        ),
        "user": fields.String(load_default="me"),
    }
    seen: list[tuple[str, Any, Any]]

    def start(self, task: TaskInfo) -> None:
        self.seen.append((task.event, task.parameters["password"], task.parameters["user"]))
        task.log(f"with {task.parameters['password']}")
        task.progress(10, f"now {task.parameters['password']}")
        task.save("url", f"db://{task.parameters['password']}@host")
        task.add_output("url", f"db://{task.parameters['password']}@host")
        if task.parameters["user"] == "nobody":
            raise RuntimeError(f"refused {task.parameters['password']}")

    def rollback(self, task: TaskInfo) -> None:
        self.seen.append((task.event, task.parameters["password"], task.parameters["user"]))

    cancel = delete = rollback


@pytest.fixture
def login() -> type[Login]:
    return type("Login", (Login,), {"seen": [], "__doc__": "Logs in."})


@pytest.fixture
def kept() -> Kept:
    return Kept(acme__db=VALUE, shared__db="shared-secret-1", other__db="not-for-acme-ever")


@pytest.fixture
def hosted(url: str, login: type[Login], kept: Kept, clock: VirtualClock) -> Iterator[Engine]:
    with Engine(url, stones=[login], clock=clock, secrets=[kept]) as engine:
        yield engine


def everything(engine: Engine, number: str) -> str:
    """All that anybody can see of a process, and all that the store has of it."""
    rows = [engine._store.record(int(number)), *engine._store.tasks(int(number))]
    shown = engine.get(number), engine.tasks(number), engine.history(number), engine.why(number)
    return repr((shown, rows))


def test_a_hook_gets_the_secret_and_nothing_else_ever_has_it(hosted: Engine, login: type[Login]) -> None:
    hosted.deploy(line("one", service("a", "login", {"password": "secret:acme/db"})))
    number = run(hosted, "one", owner="acme").process_instance_id
    assert login.seen == [("start", VALUE, "me")]
    (task,) = hosted.tasks(number)
    assert (task.parameters["password"], task.outputs) == ("*****", {"url": "db://*****@host"})
    assert "with *****" in task.log
    assert any("is not stored" in text for text in task.log)
    assert VALUE not in everything(hosted, number)
    assert "secret:acme/db" in hosted._store.tasks(int(number))[0].parameters


def test_an_undo_finds_it_again_as_it_is_by_then(hosted: Engine, login: type[Login], kept: Kept) -> None:
    hosted.deploy(line("one", service("a", "login", {"password": "secret:acme/db"})))
    number = run(hosted, "one", owner="acme").process_instance_id
    kept.secrets["acme/db"] = "rotated-since-then"
    hosted.delete(number)
    hosted.wait(number, 60)
    assert login.seen[-1] == ("delete", "rotated-since-then", "me")


def test_what_a_hook_raises_is_masked_and_a_retry_finds_it_again(
    hosted: Engine, login: type[Login], kept: Kept
) -> None:
    login.retries = 1
    hosted.deploy(line("one", service("a", "login", {"password": "secret:acme/db", "user": "nobody"})))
    ended = run(hosted, "one", owner="acme")
    assert ended.status == "rollback.success"
    assert [event for event, *_ in login.seen] == ["start", "rollback", "start", "rollback"]
    assert len(kept.asked) == 4
    (task,) = hosted.tasks(ended.process_instance_id)
    assert "refused *****" in (task.reason or "")
    assert VALUE not in everything(hosted, ended.process_instance_id)


def test_each_look_of_a_monitor_gets_it(hosted: Engine, login: type[Login], clock: VirtualClock) -> None:
    looks: list[Any] = []

    def monitor(self: Stone, task: TaskInfo) -> bool:
        looks.append((task.parameters["password"], task.owner))
        return len(looks) == 5

    vars_of = {"monitor": monitor, "monitor_interval": 1.0, "__doc__": "Looks."}
    hosted.register(type("Looks", (login,), vars_of))
    hosted.deploy(line("one", service("a", "login", {"password": "secret:acme/db"})))
    number = run(hosted, "one", owner="acme").process_instance_id
    assert looks == [(VALUE, "acme")] * 5
    assert VALUE not in everything(hosted, number)


TEXT = "secret:acme/db"


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ({}, {"password": TEXT}),
        ({"password": "${password}"}, {"password": TEXT}),
        ({"password": "secret:acme/${name}"}, {"name": "db"}),
        ({"password": "${'secret:acme'}/db"}, {}),
        ({"password": "${outputs.first.text}"}, {}),
        ({"password": "${told}"}, {"told": TEXT}),
    ],
)
def test_what_a_variable_or_an_output_says_is_never_resolved(
    hosted: Engine, login: type[Login], kept: Kept, given: dict[str, str], variables: dict[str, str]
) -> None:
    hosted.stone("tell")(lambda task: {"text": TEXT})
    nodes = service("first", "tell"), service("a", "login", given)
    hosted.deploy(line("one", *nodes))
    assert run(hosted, "one", variables, owner="acme").status == "success"
    assert login.seen == [("start", TEXT, "me")]
    assert kept.asked == []


def test_what_a_message_says_and_what_an_operator_gives_is_never_resolved(
    hosted: Engine, login: type[Login], kept: Kept
) -> None:
    message = '<message id="M" name="told"/>'
    waits = catch("wait", '<messageEventDefinition messageRef="M"/>')
    hosted.deploy(line("one", waits, service("a", "login", {"password": "${password}"}), before=message))
    number = hosted.start(key="one", name="test", owner="acme").process_instance_id
    hosted.message("told", {"password": TEXT})
    hosted.wait(number, 60)
    assert login.seen == [("start", TEXT, "me")]

    hosted.deploy(line("two", service("a", "login", {"password": "secret:acme/db", "user": "nobody"})))
    number = run(hosted, "two", owner="acme", on_failure="pause").process_instance_id
    (failure,) = hosted.failures(number)
    hosted.rerun(str(failure.task_id), {"password": "secret:acme/other", "user": "x"})
    hosted.wait(number, 60)
    # The rollback of the old attempt has the old password; what was given is a text like any other.
    assert login.seen[-2:] == [("rollback", VALUE, "nobody"), ("start", "secret:acme/other", "x")]
    assert "secret:acme/other" not in kept.asked


def test_only_a_parameter_that_the_stone_declares_to_be_secret_is_resolved(hosted: Engine, kept: Kept) -> None:
    seen: list[Any] = []

    class Open(Stone):
        """Takes anything."""

        code = "open"
        parameters = {"text": fields.String()}

        def start(self, task: TaskInfo) -> None:
            seen.append(dict(task.parameters))

    hosted.register(Open)
    saved = hosted.save_model(line("one", service("a", "open", {"text": "secret:acme/db"})))
    assert "secret-not-declared" in [finding.code for finding in saved.findings]
    hosted.deploy(line("one", service("a", "open", {"text": "secret:acme/db"})))
    run(hosted, "one", owner="acme")
    assert (seen, kept.asked) == ([{"text": "secret:acme/db"}], [])


@pytest.mark.parametrize(("owner", "text"), [("acme", "secret:other/db"), (None, "secret:acme/db"), ("ACME", TEXT)])
def test_a_secret_of_another_owner_is_refused_before_anybody_is_asked(
    hosted: Engine, login: type[Login], kept: Kept, owner: str | None, text: str
) -> None:
    hosted.deploy(line("one", service("a", "login", {"password": text})))
    ended = run(hosted, "one", owner=owner)
    assert ended.status == "failed"
    assert "may not use" in (ended.reason or "")
    assert (login.seen, kept.asked) == ([], [])


def test_a_shared_secret_is_everybodys(hosted: Engine, login: type[Login]) -> None:
    hosted.deploy(line("one", service("a", "login", {"password": "secret:shared/db"})))
    assert run(hosted, "one").status == run(hosted, "one", owner="acme").status == "success"
    assert [value for _, value, _ in login.seen] == ["shared-secret-1"] * 2


def test_a_place_that_does_not_answer_puts_the_hook_off(hosted: Engine, login: type[Login], kept: Kept) -> None:
    kept.away = 2
    hosted.deploy(line("one", service("a", "login", {"password": "secret:acme/db"})))
    assert run(hosted, "one", owner="acme").status == "success"
    (task,) = hosted.tasks(hosted.instances().items[0].process_instance_id)
    assert (task.attempt, len(login.seen)) == (1, 1)


def test_a_secret_that_is_nowhere_or_does_not_fit_fails_with_the_reason(hosted: Engine, kept: Kept) -> None:
    hosted.deploy(line("one", service("a", "login", {"password": "secret:acme/none"})))
    assert "nowhere to be found" in (run(hosted, "one", owner="acme").reason or "")
    kept.secrets["acme/db"] = "too-short"
    hosted.deploy(line("two", service("a", "login", {"password": "secret:acme/db"})))
    ended = run(hosted, "two", owner="acme")
    assert "do not fit its declaration" in (ended.reason or "")
    assert "too-short" not in everything(hosted, ended.process_instance_id)


def test_a_coroutine_gets_it_too_and_a_signature_may_not_be_one(hosted: Engine) -> None:
    class Awaited(Login):
        """Awaits."""

        code = "awaited"
        seen = []

        async def start(self, task: TaskInfo) -> Any:  # type: ignore[override]
            await asyncio.sleep(0)
            self.seen.append((task.event, task.parameters["password"], None))
            return task.defer(signature=CallbackSignature(secret=task.parameters["password"]))

    hosted.register(Awaited)
    hosted.deploy(line("one", service("a", "awaited", {"password": "secret:acme/db"})))
    ended = run(hosted, "one", owner="acme")
    assert Awaited.seen[0] == ("start", VALUE, None)
    assert "cannot sign callbacks" in (hosted.tasks(ended.process_instance_id)[0].reason or "")
    assert VALUE not in everything(hosted, ended.process_instance_id)


def test_a_reference_that_is_badly_written_is_refused_when_it_is_deployed(hosted: Engine) -> None:
    for text in ("secret:db", "secret:acme/../db", "secret:acme//db", "secret:/etc/passwd", "secret:acme/db#"):
        with pytest.raises(Invalid, match="refers to no secret"):
            hosted.deploy(line("bad", service("a", "login", {"password": text})))


@given(st.text(max_size=40))
def test_no_text_leads_out_of_a_folder(text: str) -> None:
    try:
        parts = read_reference(f"secret:acme/{text}").parts
    except Invalid:
        return
    assert parts[0] == "acme"
    assert all(part[0].isalnum() and "/" not in part and "\\" not in part and "\0" not in part for part in parts)


def test_secrets_in_files_never_come_from_beside_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    (folder / "acme").mkdir(parents=True)
    (folder / "acme" / "db").write_text("in a file\n")
    (tmp_path / "outside").write_text("never this")
    (folder / "acme" / "link").symlink_to(tmp_path / "outside")
    (folder / "acme" / "inside").symlink_to(folder / "acme" / "db")
    (folder / "acme" / "loop").symlink_to(folder / "acme" / "loop")
    (folder / "acme" / "binary").write_bytes(b"\xff\xfe")
    os.mkfifo(folder / "acme" / "pipe")
    source = FileSecrets(folder)

    def find(*parts: str, field: str | None = None) -> str | None:
        return source.find(SecretReference(("acme", *parts), field))

    assert (find("db"), find("inside")) == ("in a file", "in a file")
    assert find("link") is find("none") is find("db", "x") is find("pipe") is find("db", field="x") is None
    assert source.find(SecretReference(("acme", "..", "..", "outside"), None)) is None
    assert source.find(SecretReference(("ACME", "db"), None)) is None
    for unreadable in ("binary", "loop"):
        with pytest.raises(SecretUnavailable) as told:
            find(unreadable)
        assert str(tmp_path) not in str(told.value)
    with pytest.raises(Invalid):
        FileSecrets(tmp_path / "nowhere")


PART = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._:@-]{0,6}", fullmatch=True)
PARTS = st.lists(PART, min_size=2, max_size=4).map(tuple)


@given(PARTS, PARTS)
def test_no_two_references_share_an_environment_variable(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    class Told(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            return name

    source = EnvironmentSecrets(Told())
    names = [source.find(SecretReference(parts, None)) for parts in (one, other)]
    assert None in names or names[0] != names[1] or one == other


def test_the_environment_is_asked_by_names_in_capitals() -> None:
    source = EnvironmentSecrets({"RIVERSTONE_SECRET_ACME__DB_PASSWORD": VALUE, "HOME": "/root"})
    assert source.find(read_reference("secret:acme/db-password")) == VALUE
    for text in ("secret:acme/db_password", "secret:ACME/db-password", "secret:acme/db-password#x"):
        assert source.find(read_reference(text)) is None


class Vault:
    """A server that speaks as Vault does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, tuple[int, Any]] = {}
        vault = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                vault.asked.append((self.path, dict(self.headers)))
                status, content = vault.answers.get(self.path, (404, {"errors": []}))
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", f"http://127.0.0.1:{vault.server.server_port}/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def vault() -> Iterator[Vault]:
    made = Vault()
    yield made
    made.close()


def answer(**data: Any) -> tuple[int, Any]:
    return 200, {"data": {"data": data, "metadata": {"version": 1}}}


def test_vault_is_asked_as_its_key_value_engine_wants_it(vault: Vault, tmp_path: Path) -> None:
    vault.answers["/v1/kv/data/acme/db"] = answer(user="u", password=VALUE)
    vault.answers["/v1/kv/data/acme/one"] = answer(only=VALUE)
    vault.answers["/v1/kv/data/acme/gone"] = 404, {"data": {"data": None, "metadata": {"deletion_time": "2026"}}}
    token = tmp_path / "token"
    token.write_text("t-1\n")
    source = VaultSecrets(vault.address, token, mount="kv", namespace="team")
    assert source.find(read_reference("secret:acme/db#password")) == VALUE
    assert source.find(read_reference("secret:acme/one")) == VALUE
    for text in ("secret:acme/db", "secret:acme/db#none", "secret:acme/gone", "secret:acme/none"):
        assert source.find(read_reference(text)) is None
    _, headers = vault.asked[0]
    assert (headers["X-Vault-Token"], headers["X-Vault-Namespace"]) == ("t-1", "team")
    token.write_text("t-2")
    source.find(read_reference("secret:acme/one"))
    assert vault.asked[-1][1]["X-Vault-Token"] == "t-2"
    assert "t-2" not in repr(source)


def test_many_hooks_that_begin_together_ask_vault_once(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("riverstone.engine.secret_sources.vault.time.monotonic", lambda: now[0])
    path, reference = "/v1/secret/data/acme/db", read_reference("secret:acme/db")
    vault.answers[path] = answer(value=VALUE)
    source = VaultSecrets(vault.address, "t", kept=5.0)
    with ThreadPoolExecutor(20) as hooks:
        assert set(hooks.map(lambda _: source.find(reference), range(100))) == {VALUE}
    assert len(vault.asked) == 1
    vault.answers[path] = answer(value="another value")
    assert source.find(reference) == VALUE
    now[0] += 5.1
    assert source.find(reference) == "another value"
    # What says no is asked again at once, and one that keeps nothing asks each time.
    for status in (403, 404, 503):
        now[0] += 5.1
        vault.answers[path] = status, {}
        with suppress(Invalid, SecretUnavailable):
            assert source.find(reference) is None
        vault.answers[path] = answer(value=VALUE)
        assert source.find(reference) == VALUE
    before = len(vault.asked)
    anew = VaultSecrets(vault.address, "t", kept=0)
    assert [anew.find(reference), anew.find(reference)] == [VALUE, VALUE]
    assert len(vault.asked) == before + 2


def test_what_is_kept_of_vault_is_bounded(vault: Vault) -> None:
    source = VaultSecrets(vault.address, "t", kept=60.0)
    for number in range(300):
        vault.answers[f"/v1/secret/data/acme/s{number}"] = answer(value=VALUE)
        assert source.find(read_reference(f"secret:acme/s{number}")) == VALUE
    assert len(source._answers) <= 201


def test_vault_is_not_followed_elsewhere_and_its_faults_are_told_without_secrets(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    source = VaultSecrets(vault.address, "token-of-vault", timeout=2)
    path = "/v1/secret/data/acme/db"
    for status, content in ((307, {}), (503, {}), (200, b"<html>"), (200, {"data": None}), (200, b"x" * 1_100_000)):
        vault.answers[path] = status, content
        with pytest.raises(SecretUnavailable) as told:
            source.find(read_reference("secret:acme/db"))
        assert "token-of-vault" not in str(told.value)
    assert all(asked == path for asked, _ in vault.asked)
    vault.answers[path] = 403, {"errors": ["permission denied"]}
    with pytest.raises(Invalid, match="does not let"):
        source.find(read_reference("secret:acme/db"))
    vault.close()
    with pytest.raises(SecretUnavailable, match="cannot be reached"):
        source.find(read_reference("secret:acme/db"))


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example.com",
        "https://u:p@vault",
        "vault:8200",
        "https://vault/v1",
        "ftp://vault",
        "https://",
        "",
        "https://vault:x",
        "https://vault:99999",
        "https://[vault",
    ],
)
def test_an_address_that_would_carry_the_token_in_clear_is_refused(address: str) -> None:
    with pytest.raises(Invalid, match="https://HOST"):
        VaultSecrets(address, "t")


def test_a_models_own_compensation_handler_refers_to_secrets_too(
    hosted: Engine, login: type[Login], world: World
) -> None:
    for stone in world.stones():
        hosted.register(stone)
    world.wrong("start", "b", RuntimeError("broke"))
    handler = service("h", "login", {"password": "secret:acme/db"}).replace(
        "<serviceTask ", '<serviceTask isForCompensation="true" '
    )
    border = '<boundaryEvent id="c" attachedToRef="a"><compensateEventDefinition/></boundaryEvent>'
    link = '<association id="l" associationDirection="One" sourceRef="c" targetRef="h"/>'
    model = line("one", service("a", "make"), service("b", "make")).replace(
        b"</process>", f"{border}{handler}{link}</process>".encode()
    )
    hosted.deploy(model)
    ended = run(hosted, "one", owner="acme")
    assert ended.status == "rollback.success"
    assert ("start", VALUE, "me") in login.seen
    assert VALUE not in everything(hosted, str(ended.rollback_process_instance_id))
