"""What a server can do, its Python client can ask for; what it cannot is listed here, with the reason."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.api.client import Client, client
from riverstone.engine import Conflict, Engine, Finding

from ...features.sketch import line, service
from .. import processes

METHODS = {"GET", "POST", "PUT", "DELETE"}
NOT_ASKED = {
    ("GET", "/task/{}"): "the record of the original's clients; task asks for all of it",
    ("GET", "/task/{}/picture"): "an SVG for pages; picture draws the same for who sees the process",
    ("POST", "/callback/{}"): "for services that know only an address; complete_deferred has the same token",
    ("GET", "/code/{}"): "for pages; the text of an error says it already",
    ("GET", "/template"): "for modelers",
    ("GET", "/resource/json"): "for downloads; resources gives the same part by part",
    ("GET", "/resource/csv"): "for spreadsheets",
    ("GET", "/client"): "for pages",
    ("GET", "/health/live"): "for orchestrators",
    ("GET", "/health/ready"): "for orchestrators",
    ("GET", "/metrics"): "for Prometheus",
}
OF_A_PROCESS = {
    "start_soon": "POST /process with Prefer: wait, of a server",
    "start_watched": "POST /process with Prefer: wait, of a server",
    "callback": "for a server",
    "bindings": "of a file at hand: riverstone lint",
    "encrypt_again": "needs the keys of the database: riverstone encrypt",
    "figures": "GET /metrics",
    "forget_stone": "riverstone stone forget",
    "is_inline": "of an engine in this process",
    "not_ready": "GET /health/ready",
    "observe": "Python code is told",
    "owned_by": "the key says whose",
    "owner_of": "the key says whose",
    "owner_of_task": "the key says whose",
    "purge": "riverstone purge",
    "queues": "GET /metrics",
    "records": "GET /process has times in whole seconds; instances asks for all of each",
    "register": "Python code is registered",
    "restored": "no server may run then: riverstone restore",
    "rotate_token_secret": "riverstone secret rotate",
    "run_pending": "of an engine in this process",
    "stone": "Python code is registered",
    "task_of_token": "for a server",
    "watch": "for a server",
}


def functions() -> Iterator[ast.FunctionDef]:
    """Those of the client's modules."""
    for path in Path(inspect.getfile(client)).parent.glob("*.py"):
        yield from (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))


def path_in(node: ast.AST, parameters: list[str]) -> str | None:
    """The path that a text is, with ``{}`` for an id and ``{name}`` for what a parameter says."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    parts = []
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value))
        elif isinstance(value, ast.FormattedValue):
            said = isinstance(value.value, ast.Name) and value.value.id in parameters
            parts.append(f"{{{ast.unparse(value.value) if said else ''}}}")
    path = "".join(parts)
    return path if path.startswith("/") else None


def filled(path: str, given: dict[str, Any]) -> str:
    """The path with what a caller gives for each of its open names."""
    for name, value in given.items():
        path = path.replace(f"{{{name}}}", str(value))
    return path


def asked() -> set[tuple[str, str]]:
    """The method and path of each request that the client can make."""
    found: set[tuple[str, str, str]] = set()
    parameters_of: dict[str, list[str]] = {}
    calls: list[tuple[str, list[Any]]] = []
    for function in functions():
        parameters = parameters_of[function.name] = [each.arg for each in function.args.args]
        nodes = list(ast.walk(function))
        methods = {node.value for node in nodes if isinstance(node, ast.Constant) and node.value in METHODS}
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                methods |= {"GET"} if node.func.attr in ("get", "changed") else set()
                calls.append((node.func.attr, [getattr(each, "value", None) for each in node.args]))
        paths = {path for node in nodes if (path := path_in(node, parameters)) is not None}
        found |= {(str(method), path, function.name) for method, path in product(methods, paths)}
    whole: set[tuple[str, str]] = set()
    for method, path, name in found:
        open_names = re.findall(r"{(\w+)}", path)
        if not open_names:
            whole.add((method, path))
        for called, arguments in calls:
            given = dict(zip(parameters_of[name][1:], arguments, strict=False))
            if open_names and called == name and all(isinstance(given.get(each), str) for each in open_names):
                whole.add((method, filled(path, given)))
    return whole


def test_the_client_can_ask_for_every_operation_of_the_description(engine: Engine) -> None:
    described = create_app(engine).test_client().get("/openapi.json").get_json()["paths"]
    operations = {
        (method.upper(), re.sub("{[^}]*}", "{}", path))
        for path, methods in described.items()
        for method in methods
        if method.upper() in METHODS
    }
    assert ("PUT", "/process/{}/suspend") in asked()
    assert operations - asked() == set(NOT_ASKED), "give the client a method, or a reason why it has none"


def test_the_client_has_every_call_of_the_engine_that_a_server_can_do() -> None:
    ours, theirs = ({name for name, _ in inspect.getmembers(face) if name[0] != "_"} for face in (Engine, Client))
    assert ours - theirs == set(OF_A_PROCESS)
    assert theirs - ours == set()
    for name in ours & theirs:
        calls = [getattr(face, name) for face in (Engine, Client)]
        if all(map(inspect.isfunction, calls)):
            known, asks = (set(inspect.signature(call).parameters) for call in calls)
            assert known - asks <= {"owner"}, name
            assert asks <= known, name


@pytest.fixture
def server(address: str) -> Iterator[Client]:
    with Client(address) as found:
        yield found


def test_a_sender_learns_whether_a_process_waited_or_was_started(server: Client, engine: Engine) -> None:
    engine.deploy(processes.listening())
    go = '<messageEventDefinition messageRef="go"/>'
    engine.deploy(line("begins", '<userTask id="u"/>', before='<message id="go" name="go"/>', start=go))
    waiting = engine.start(key="listening", name="waits").process_instance_id
    with pytest.raises(Conflict, match="No process waits"):
        server.correlate("nobody's")
    kept = server.correlate("nobody's", ttl=60, idempotency_key="once")
    assert (kept.outcome, kept.process_instance_id) == ("kept", None)
    assert server.correlate("nobody's", ttl=60, idempotency_key="once") == kept
    taken = server.correlate("paid", process_instance_id=waiting)
    assert (taken.outcome, taken.process_instance_id) == ("awaited", waiting)
    started = server.correlate("go")
    assert started.outcome == "started"
    assert engine.get(str(started.process_instance_id)).key == "begins"


def test_a_file_is_checked_by_the_server_as_by_the_engine(server: Client, engine: Engine, tmp_path: Path) -> None:
    wrong = tmp_path / "sending.bpmn"
    wrong.write_bytes(line("sending", service("a", "nobody-has-it"), '<userTask id="u"/>'))

    def told(findings: Sequence[Finding]) -> list[Finding]:
        return [replace(each, source=None) for each in findings]

    assert told(server.lint(wrong)) == told(engine.lint(wrong)) != []
    assert told(server.lint(wrong, external=True)) == told(engine.lint(wrong, external=True))
    assert told(server.lint(wrong, strict=True)) == told(engine.lint(wrong, strict=True))
    model = engine.save_model(line("doubtful", '<userTask id="u" name="${nothing.here}"/>'))
    assert server.lint_model(model.model_id) == engine.lint_model(model.model_id)
