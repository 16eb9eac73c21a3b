"""The Python client does over HTTP what the engine does, with the same views and errors."""

from __future__ import annotations

import inspect
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from flask import Flask

from riverstone.api.client import Client
from riverstone.api.errors import Refused, ServerUnavailable
from riverstone.api.server import Server
from riverstone.engine import Conflict, Engine, Invalid, ModelInvalid, RiverstoneError, VariablesInvalid, WaitTimeout

from ...features.sketch import line, runs, service
from ...services import free_port
from .. import processes

DISH = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:d">
<decision id="dish" name="Dish"><decisionTable><input><inputExpression><text>guests</text></inputExpression></input>
<output name="dish"/><rule><inputEntry><text>&lt;= 8</text></inputEntry><outputEntry><text>"Roast"</text></outputEntry>
</rule><rule><inputEntry><text>&gt; 8</text></inputEntry><outputEntry><text>"Stew"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""
EVENING = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:p"
xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="evening" isExecutable="true"><startEvent id="s"/>
<businessRuleTask id="choose" camunda:decisionRef="dish" camunda:resultVariable="r"/><endEvent id="e"/>
<sequenceFlow id="f" sourceRef="s" targetRef="choose"/><sequenceFlow id="g" sourceRef="choose" targetRef="e"/></process>
</definitions>"""
TEMPLATE = [{"Key": "size", "Type": "Integer", "MinValue": 1}]


@pytest.fixture
def server(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


def raised(call: Callable[[], Any]) -> RiverstoneError:
    with pytest.raises(RiverstoneError) as found:
        call()
    return found.value


def test_what_many_followed_comes_once_and_is_shown_of_each(server: Client, engine: Engine, address: str) -> None:
    engine.stone("make")(lambda task: None)
    engine.deploy(line("wide", *(service(name, "make", inside=runs("60")) for name in "ab"), '<userTask id="u"/>'))
    number = engine.start(key="wide", name="test").process_instance_id
    while not any(task.stone is None for task in engine.tasks(number)):
        time.sleep(0.01)

    assert server.tasks(number) == engine.tasks(number)
    assert server.preview(number, "cancel") == engine.preview(number, "cancel")
    with urlopen(f"{address}/process/{number}/preview?kind=cancel") as answer:
        steps = json.load(answer)
    named = [step["afterAs"] for step in steps if step["afterAs"]]
    assert len(named) == 59
    assert len(set(named)) == 1
    assert sum(len(step["after"]) for step in steps) == 60


def test_what_the_client_shows_is_what_the_engine_shows(server: Client, engine: Engine) -> None:
    deployment = server.deploy(processes.making(), name="Making", parameter_template=TEMPLATE)
    assert deployment == engine.deployment(deployment.deployment_id)
    assert server.deploy(processes.making(), name="Making", parameter_template=TEMPLATE) == deployment
    assert server.model(deployment.model_id) == engine.model(deployment.model_id)
    assert server.models().items == tuple(
        replace(model, xml="", files=(), parameter_template=None) for model in engine.models().items
    )
    assert server.stones_declared() == engine.stones_declared()

    formal = processes.making().replace(b'<serviceTask id="middle"', b'<serviceTask startQuantity="0" id="middle"')
    assert raised(lambda: server.deploy(formal, strict=True)).code == "model-invalid"
    model_id = server.save_model(formal).model_id
    assert raised(lambda: server.deploy_model(model_id, strict=True)).code == "model-invalid"

    started = server.start(key="making", name="x", variables={"size": 3}, business_key="b-1")
    number = started.process_instance_id
    ended = server.wait(number, timeout=60)
    assert ended == engine.get(number)
    assert ended.native_output_values == {"middle": {"thing": "thing-3"}}
    assert server.tasks(number) == engine.tasks(number)
    assert server.task(server.tasks(number)[0].task_id) == engine.tasks(number)[0]
    assert server.tasks(number, element_id="middle", state="failed") == []
    assert server.task_counts(number) == engine.task_counts(number)
    assert server.instances(key="making").items == engine.instances(key="making").items
    assert server.search(text="b-1", statuses=["success"]).items == engine.search(text="b-1").items
    assert server.search(state="success", business_key="b-1", sort="ended").items == engine.search(text="b-1").items
    assert server.search(variables={"size": 3}, stone="unknown", element="middle", error="quota").items == ()
    assert raised(lambda: server.search(variables={"size": [3]})).code == "search-invalid"
    assert server.counts(key="making") == engine.counts(key="making")
    assert server.history(number) == engine.history(number)
    assert [each.who for each in server.history(number, limit=1).items] == ["local"]
    assert server.preview(number, "delete") == engine.preview(number, "delete")
    assert server.sources(number) == engine.sources(number)
    assert server.picture(number) == engine.picture(number)
    assert server.why(number).commands == engine.why(number).commands
    assert server.protect(number).protected
    assert raised(lambda: server.delete(number)).code == "protected"
    server.protect(number, False)
    assert server.wait(server.delete(number).process_instance_id, 20).status == "delete.success"


def test_people_messages_and_signals_go_through_the_client(server: Client, engine: Engine) -> None:
    for source in (processes.asking(), processes.listening(), processes.hearing()):
        server.deploy(source)
    asked = server.start(key="asking", name="x").process_instance_id
    with pytest.raises(WaitTimeout):
        server.wait(asked, timeout=0.1)
    (task,) = server.tasks(asked)
    assert server.tokens(asked) == engine.tokens(asked)
    assert server.complete(task.task_id, {"yes": True}).outputs == {"yes": True}
    listening = server.start(key="listening", name="x").process_instance_id
    assert server.tokens(listening)[0].waits == engine.tokens(listening)[0].waits != ()
    taken = server.message("paid", {"sum": 7})
    assert taken is not None
    assert taken.process_instance_id == listening
    hearing = server.start(key="hearing", name="x").process_instance_id
    assert server.signal("alarm") == [hearing]
    assert server.wait(asked, 60).status == "success"


def test_a_debugged_process_is_run_again_and_resumed_by_the_client(server: Client, engine: Engine) -> None:
    model = server.save_model(processes.breaking())
    number = server.start(model_id=model.model_id, name="x").process_instance_id
    paused = server.wait(number, 60)
    assert paused.paused
    (task,) = server.tasks(number)
    assert "the saw is blunt" in (task.reason or "")
    server.rerun(task.task_id, {"works": False}, attempt=task.attempt)
    server.wait(number, 60)
    for decide in (server.rerun, server.skip, server.done_by_hand):
        error = raised(partial(decide, task.task_id, attempt=task.attempt))
        assert (type(error), error.code) == (Conflict, "attempt-changed")
    assert server.resume(task.task_id).status in ("debug", "rollback.begin", "rollback.success", "failed")
    assert server.save_model(processes.breaking(), model_id=model.model_id, name="new").name == "new"


def test_what_exists_goes_through_the_client(server: Client, engine: Engine) -> None:
    server.deploy(processes.making())
    number = server.start(key="making", name="x", variables={"size": 3}).process_instance_id
    server.wait(number, timeout=60)
    assert server.resources(process_instance_id=number, state="kept") == engine.resources(key="making")
    assert len(server.resources().items) == 1
    assert server.resource_counts(stone="make") == engine.resource_counts()
    assert server.resources(text="make", owner="x") == engine.resources(text="make", owner="x")
    assert server.resource_drift(process_instance_id=number, stone="make") == engine.resource_drift()
    assert server.check(number) == engine.resources().items
    assert raised(lambda: server.accept_gone(number)).code == "not-gone"
    schedule = server.schedule_checks("0 3 * * *", stone="make")
    assert server.check_schedules() == engine.check_schedules() == (schedule,)
    assert raised(lambda: server.schedule_checks("PT1S")).code == "check-schedule-invalid"
    assert server.pause_checks(schedule.schedule_id).paused
    assert not server.resume_checks(schedule.schedule_id).paused
    server.unschedule_checks(schedule.schedule_id)
    assert raised(lambda: server.unschedule_checks(schedule.schedule_id)).code == "unknown-check-schedule"
    assert raised(lambda: server.resources(process_instance_id="999")).code == raised(lambda: server.get("999")).code


def test_many_at_once_go_through_the_client(server: Client, engine: Engine) -> None:
    server.deploy(processes.asking())
    variables = {"size": 7, "colour": "red"}
    numbers = [server.start(key="asking", name="x", variables=variables).process_instance_id for _ in range(3)]
    where = {"key": "asking", "statuses": ["running"], "started_from": datetime(2001, 1, 1)}  # noqa: DTZ001
    assert server.preview_batch("cancel", where) == engine.preview_batch("cancel", where)
    assert server.failures_by_reason({"key": "asking"}) == engine.failures_by_reason({"key": "asking"})
    begun = server.batch("cancel", where, rate=0.001)
    assert (begun.total, begun.rate, begun.action) == (3, 0.001, "cancel")
    assert server.pause_batch(begun.batch_id).state == "paused"
    server.resume_batch(begun.batch_id, rate=10_000)
    while server.batch_progress(begun.batch_id).state == "running":
        time.sleep(0.01)
    assert server.batch_progress(begun.batch_id) == engine.batch_progress(begun.batch_id)
    assert server.batches() == engine.batches()
    found = server.batch_items(begun.batch_id, result="done")
    assert found == engine.batch_items(begun.batch_id, result="done")
    assert [item.process_instance_id for item in found.items] == numbers
    with pytest.raises(Conflict):
        server.stop_batch(begun.batch_id)


def test_errors_are_those_of_the_engine(server: Client, engine: Engine, key: str) -> None:
    number = server.start(key=key, name="x").process_instance_id
    server.wait(number, 60)
    for ask in (
        lambda it: it.get("999"),
        lambda it: it.task("999"),
        lambda it: it.model("nothing"),
        lambda it: it.start(key="nothing", name="x"),
        lambda it: it.cancel(number),
        lambda it: it.deploy(b"<no/>"),
        lambda it: it.deploy(b"no xml"),
        lambda it: it.deploy(processes.serviced("bad", "unknown")),
        lambda it: it.rerun(it.tasks(number)[0].task_id),
        lambda it: it.message("unheard"),
        lambda it: it.batch_progress("nothing"),
        lambda it: it.batch("cancel", {"key": "none of these"}),
        lambda it: it.preview_batch("rewind", {"key": key}),
    ):
        ours, theirs = raised(lambda ask=ask: ask(engine)), raised(lambda ask=ask: ask(server))  # type: ignore[misc]
        assert (type(theirs), theirs.code) == (type(ours), ours.code)
        assert theirs.message.replace("The file 'model.bpmn'", "The file") == ours.message
        if isinstance(ours, Conflict) and isinstance(theirs, Conflict):
            assert (theirs.status, theirs.allowed, theirs.related) == (ours.status, ours.allowed, ours.related)
        if isinstance(ours, ModelInvalid) and isinstance(theirs, ModelInvalid):
            assert [finding.code for finding in theirs.findings] == [finding.code for finding in ours.findings]
    engine.deploy(line("sized", service("a", "make")), parameter_template=TEMPLATE)
    wrong = raised(lambda: server.start(key="sized", name="x", variables={"size": 0}))
    assert isinstance(wrong, VariablesInvalid)
    assert list(wrong.errors) == ["size"]


def test_a_client_without_the_right_key_is_refused_and_tells_nobody_the_wrong_one(
    address: str, engine: Engine, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = engine.keys.add("reader", scopes=["read"])
    caplog.set_level(logging.DEBUG)
    with Client(address) as nobody, Client(address, key=secret) as reader:
        assert isinstance(raised(nobody.models), Refused)
        assert reader.models().items
        refused = raised(lambda: reader.start(key=key, name="x"))
        assert isinstance(refused, Refused)
        assert (refused.status, refused.code) == (403, "scope-missing")
        assert secret not in repr(reader) + str(vars(reader)) + caplog.text
    for impossible in ("http://[", "http://127.0.0.1:99999", "http://127.0.0.1:a", "nonsense"):
        with pytest.raises(Invalid, match="not this one"):
            Client(impossible)
    with pytest.raises(Invalid, match="user or password"):
        Client("https://ann:secret-word@example.org")
    assert "secret-word" not in str(raised(lambda: Client("ftp://ann:secret-word@example.org")))


class Flaky:
    """A wire to a server that is cut at some answers, after the server has done its work."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cut = 0
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,)).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as server:
            asking = threading.Thread(target=self._pass_on, args=(client, server))
            asking.start()
            with suppress(OSError):
                while answer := server.recv(65536):
                    if self.cut > 0:
                        self.cut -= 1
                        break
                    client.sendall(answer)
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            asking.join()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()


@contextmanager
def flaky(address: str) -> Iterator[Flaky]:
    wire = Flaky(int(address.rpartition(":")[2]))
    try:
        yield wire
    finally:
        wire.close()


def test_a_lost_answer_is_asked_for_again_where_that_is_harmless(address: str, engine: Engine, key: str) -> None:
    engine.deploy(processes.listening())
    with flaky(address) as wire, Client(wire.url, timeout=10) as client:
        client.models()
        client.models()
        assert wire.connections == 1

        wire.cut = 2
        number = client.start(key=key, name="once").process_instance_id
        assert [found.process_instance_id for found in engine.search(text="once").items] == [number]

        listening = engine.start(key="listening", name="x").process_instance_id
        wire.cut = 1
        taken = client.message("paid")
        assert taken is not None
        assert taken.process_instance_id == listening
        # That was another message.
        assert raised(lambda: client.message("paid")).code == "message-not-expected"

        wire.cut = 1
        assert isinstance(raised(lambda: client.complete(number)), ServerUnavailable)


def test_a_server_without_a_certificate_to_trust_names_what_to_set(address: str) -> None:
    with Client(address.replace("http:", "https:"), retries=0) as client:
        refused = raised(client.models)
    assert refused.code == "certificate-untrusted"
    assert "SSL_CERT_FILE" in str(refused)


def test_a_server_that_is_not_there_or_is_no_riverstone_is_told(tmp_path: Path) -> None:
    with Client(f"http://127.0.0.1:{free_port()}", retries=1, timeout=60) as client:
        assert "does not answer" in str(raised(client.models))
    app = Flask("other")
    app.add_url_rule("/model", view_func=lambda: "<html>hello</html>")
    other = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=other.run)
    thread.start()
    try:
        with Client(other.url) as client:
            assert "is not what riverstone says" in str(raised(client.models))
    finally:
        other.stop()
        thread.join()


def test_the_client_has_the_methods_of_an_engine_with_the_same_arguments() -> None:
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if name.startswith("_"):
            continue
        theirs = inspect.signature(getattr(Engine, name)).parameters
        assert method.__doc__, name
        # An owner is known by its key; how messages are correlated is not for clients.
        assert theirs.keys() - inspect.signature(method).parameters.keys() <= {"owner", "correlation"}, name
        for argument, parameter in inspect.signature(method).parameters.items():
            assert theirs[argument].kind is parameter.kind, (name, argument)
            assert theirs[argument].default == parameter.default, (name, argument)


def test_decisions_are_listed_and_made_as_by_the_engine(server: Client, engine: Engine) -> None:
    server.deploy(DISH)
    variables = {"guests": 9}
    assert server.decisions() == engine.decisions()
    assert server.decide("dish", variables) == engine.decide("dish", variables)
    assert server.decide("dish", variables).matched[0].rules == (2,)
    assert server.decide("dish", variables, version=1).value == "Stew"
    number = server.start(key=server.deploy(EVENING, DISH).key, name="x", variables=variables).process_instance_id
    assert server.decisions_made(number) == engine.decisions_made(number)
    assert server.decisions_made(number).items[0].result.matched == server.decide("dish", variables).matched
    assert server.picture(number).svg == engine.picture(number).svg
    assert raised(lambda: server.decide("wine")).code == "unknown-decision"
    assert raised(lambda: server.decide("dish", version=9)).code == "unknown-decision"


def test_drafts_are_written_read_saved_and_discarded(server: Client, engine: Engine) -> None:
    source = line("drawn", '<userTask id="u"/>')
    begun = server.write_draft(source, name="Drawn", parameter_template=TEMPLATE)
    shown = [each.revision for each in (begun, engine.draft(begun.model_id), *server.drafts().items)]
    assert (begun.name, shown) == ("Drawn", [begun.revision] * 3)
    late = raised(lambda: server.write_draft(source, model_id=begun.model_id))
    assert (type(late), late.code) == (Conflict, "draft-changed")
    again = server.write_draft(source, model_id=begun.model_id, revision=begun.revision, name="Again")
    assert server.save_draft(begun.model_id, revision=again.revision).name == "Again"
    assert server.write_draft(source, model_id=begun.model_id).new is False
    assert server.discard_draft(begun.model_id).model_id == begun.model_id
    assert raised(lambda: server.draft(begun.model_id)).code == "unknown-draft"


def test_statistics_are_those_of_the_engine(server: Client, engine: Engine) -> None:
    server.deploy(processes.making())
    number = server.start(key="making", name="x", variables={"size": 1}).process_instance_id
    server.wait(number, 60)
    found, whole = server.statistics(key="making"), engine.statistics(key="making")
    assert (found.runs, found.models, found.stones, found.elements) == (1, whole.models, whole.stones, whole.elements)
